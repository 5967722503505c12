//! The wake-up that a thread waits for beside its port: by `poll`, and by a channel on systems without it.

#[cfg(not(unix))]
pub(crate) use by_channel::{ChannelSleeper as Sleeper, ChannelWaker as Waker, pair};
#[cfg(unix)]
pub(crate) use by_poll::{Sleeper, Waker, pair};

#[cfg(unix)]
mod by_poll {
    use std::io::{self, Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    /// The two ends of a wake-up.
    pub(crate) fn pair() -> io::Result<(Waker, Sleeper)> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        theirs.set_nonblocking(true)?;
        let waker = Waker(Arc::new(Bell { stream: theirs, is_rung: AtomicBool::new(false) }));
        Ok((waker.clone(), Sleeper { stream: ours, waker }))
    }

    /// Ends the other end's wait from another thread. Called many times before it is heard, it wakes once.
    #[derive(Clone, Debug)]
    pub(crate) struct Waker(Arc<Bell>);

    #[derive(Debug)]
    struct Bell {
        stream: UnixStream,
        /// Whether a byte is on its way already.
        is_rung: AtomicBool,
    }

    /// Waits.
    #[derive(Debug)]
    pub(crate) struct Sleeper {
        pub(super) stream: UnixStream,
        pub(super) waker: Waker,
    }

    impl Waker {
        /// Ends the wait that is under way, or the next one.
        pub(crate) fn wake(&self) {
            if !self.0.is_rung.swap(true, Ordering::SeqCst) {
                // A full stream wakes too.
                let _ = (&self.0.stream).write(&[0]);
            }
        }
    }

    impl Sleeper {
        /// Waits until it is woken or the time is up; `None`: for ever.
        pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
            self.poll(&mut [PollFd::new(&self.stream, PollFlags::IN)], timeout)
        }

        /// The same, but no longer than until bytes can be read, or written if any are to be.
        pub(crate) fn wait_for(
            &self,
            port: &impl AsFd,
            wants_write: bool,
            timeout: Option<Duration>,
        ) -> io::Result<()> {
            let interest = if wants_write { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
            let fds = &mut [PollFd::new(&self.stream, PollFlags::IN), PollFd::new(port, interest)];
            self.poll(fds, timeout)
        }

        /// The same, where a set stands for the port that is read.
        #[cfg(target_os = "linux")]
        pub(crate) fn wait_for_set(
            &self,
            set: &impl AsFd,
            writes_to: Option<&impl AsFd>,
            timeout: Option<Duration>,
        ) -> io::Result<()> {
            let (ours, set) = (PollFd::new(&self.stream, PollFlags::IN), PollFd::new(set, PollFlags::IN));
            match writes_to {
                Some(port) => self.poll(&mut [ours, set, PollFd::new(port, PollFlags::OUT)], timeout),
                None => self.poll(&mut [ours, set], timeout),
            }
        }

        /// The first is the wake-up's.
        fn poll(&self, fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<()> {
            match poll(fds, timeout.map(timespec).as_ref()) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            if fds.first().is_some_and(|wake_up| !wake_up.revents().is_empty()) {
                self.hear(&self.stream);
            }
            Ok(())
        }

        /// Makes the next call wake again. Calls from now on are heard by the next wait, earlier ones are served now.
        pub(super) fn hear(&self, mut stream: impl Read) {
            while stream.read(&mut [0; 16]).is_ok_and(|count| count > 0) {}
            // Behind the read: a call in between would write a byte that the read takes away, and its mark would stay, so
            // that no later call wrote one again.
            self.waker.0.is_rung.store(false, Ordering::SeqCst);
        }
    }

    pub(super) fn timespec(span: Duration) -> Timespec {
        let tv_sec = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        Timespec { tv_sec, tv_nsec: span.subsec_nanos().into() }
    }
}

#[cfg(not(unix))]
mod by_channel {
    use std::io;
    use std::time::Duration;

    use crossbeam_channel::{Receiver, Sender, bounded};

    /// The two ends of a wake-up.
    pub(crate) fn pair() -> io::Result<(ChannelWaker, ChannelSleeper)> {
        let (bell, rung) = bounded(1);
        Ok((ChannelWaker(bell), ChannelSleeper(rung)))
    }

    /// Ends the other end's wait from another thread. Called many times before it is heard, it wakes once.
    #[derive(Clone, Debug)]
    pub(crate) struct ChannelWaker(Sender<()>);

    /// Waits.
    #[derive(Debug)]
    pub(crate) struct ChannelSleeper(Receiver<()>);

    impl ChannelWaker {
        /// Ends the wait that is under way, or the next one.
        pub(crate) fn wake(&self) {
            // A call that waits already is as good.
            let _ = self.0.try_send(());
        }
    }

    impl ChannelSleeper {
        /// Waits until it is woken or the time is up; `None`: for ever.
        pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
            match timeout {
                Some(timeout) => drop(self.0.recv_timeout(timeout)),
                None => drop(self.0.recv()),
            }
            Ok(())
        }
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use std::io::{self, Read};
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, poll};

    use super::by_poll::{Sleeper, pair, timespec};

    /// A wake-up is called right behind each read.
    struct CalledMeanwhile<'a>(&'a Sleeper);

    impl Read for CalledMeanwhile<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let count = (&self.0.stream).read(buf)?;
            self.0.waker.wake();
            Ok(count)
        }
    }

    fn is_called(sleeper: &Sleeper) -> bool {
        let mut fds = [PollFd::new(&sleeper.stream, PollFlags::IN)];
        poll(&mut fds, Some(&timespec(Duration::ZERO))).unwrap() > 0
    }

    /// The mark used to be taken back before the byte was read: a call in between was the last one ever heard.
    #[test]
    fn a_call_between_hearing_and_sleeping_does_not_silence_the_next() {
        let (waker, sleeper) = pair().unwrap();
        waker.wake();
        assert!(is_called(&sleeper));
        sleeper.hear(CalledMeanwhile(&sleeper));
        assert!(!is_called(&sleeper));
        waker.wake();
        assert!(is_called(&sleeper));
    }

    #[test]
    fn a_thousand_calls_wake_once() {
        let (waker, sleeper) = pair().unwrap();
        (0..1000).for_each(|_| waker.wake());
        assert_eq!((&sleeper.stream).read(&mut [0; 16]).unwrap(), 1);
    }
}
