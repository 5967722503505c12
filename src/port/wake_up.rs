//! The wake-up that a thread waits for beside its port: by `poll`, and by a channel on systems without it.

#[cfg(not(unix))]
pub(crate) use by_channel::{ChannelSleeper as Sleeper, ChannelWaker as Waker, pair};
#[cfg(target_os = "linux")]
pub(super) use by_poll::timespec;
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

    /// Ends the wait of the [`Sleeper`] from another thread. Several calls before that wait ends it once.
    #[derive(Clone, Debug)]
    pub(crate) struct Waker(Arc<Bell>);

    #[derive(Debug)]
    struct Bell {
        stream: UnixStream,
        /// Whether a byte is in the stream, so that another call need not write one.
        is_rung: AtomicBool,
    }

    /// Waits for the [`Waker`].
    #[derive(Debug)]
    pub(crate) struct Sleeper {
        pub(super) stream: UnixStream,
        pub(super) waker: Waker,
    }

    impl Waker {
        /// Ends the present wait, or the next one.
        pub(crate) fn wake(&self) {
            if !self.0.is_rung.swap(true, Ordering::SeqCst) {
                // A full stream ends the wait as well, so the error does not matter.
                let _ = (&self.0.stream).write(&[0]);
            }
        }
    }

    impl Sleeper {
        /// Waits for a call of the waker, or until the time-out; `None` is no time-out.
        pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
            self.poll(&mut [PollFd::new(&self.stream, PollFlags::IN)], timeout)
        }

        /// Waits like [`wait`](Self::wait), and also for `port`: until it can be read or, with `wants_write`, written.
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

        /// Waits like [`wait_for`](Self::wait_for), with the set of `epoll` that watches the port in place of the port.
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

        /// Waits for `fds`, of which the first is the stream of the wake-up.
        fn poll(&self, fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<()> {
            match poll(fds, timeout.map(timespec).as_ref()) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            if fds.first().is_some_and(|wake_up| !wake_up.revents().is_empty()) {
                self.clear(&self.stream);
            }
            Ok(())
        }

        /// Removes the bytes of earlier calls, so that later calls end the next wait.
        pub(super) fn clear(&self, mut stream: impl Read) {
            let mut bytes = [0; 16];
            while stream.read(&mut bytes).is_ok_and(|count| count == bytes.len()) {}
            // The flag is cleared after the read. Cleared before it, it could be set by a call whose byte the read
            // takes away: it would stay set, and no later call would write a byte.
            self.waker.0.is_rung.store(false, Ordering::SeqCst);
        }
    }

    pub(in crate::port) fn timespec(span: Duration) -> Timespec {
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

    /// Ends the wait of the [`ChannelSleeper`] from another thread. Several calls before that wait ends it once.
    #[derive(Clone, Debug)]
    pub(crate) struct ChannelWaker(Sender<()>);

    /// Waits for the [`ChannelWaker`].
    #[derive(Debug)]
    pub(crate) struct ChannelSleeper(Receiver<()>);

    impl ChannelWaker {
        /// Ends the present wait, or the next one.
        pub(crate) fn wake(&self) {
            // A full channel holds a call that ends the next wait.
            let _ = self.0.try_send(());
        }
    }

    impl ChannelSleeper {
        /// Waits for a call of the waker, or until the time-out; `None` is no time-out.
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

    /// A stream of which each read is followed by a call of the waker.
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

    /// Regression: the flag was cleared before the byte was read, so a call in between was the last that ended a wait.
    #[test]
    fn a_call_between_the_read_and_the_wait_does_not_silence_the_next_call() {
        let (waker, sleeper) = pair().unwrap();
        waker.wake();
        assert!(is_called(&sleeper));
        sleeper.clear(CalledMeanwhile(&sleeper));
        assert!(!is_called(&sleeper));
        waker.wake();
        assert!(is_called(&sleeper));
    }

    #[test]
    fn a_thousand_calls_write_one_byte() {
        let (waker, sleeper) = pair().unwrap();
        (0..1000).for_each(|_| waker.wake());
        assert_eq!((&sleeper.stream).read(&mut [0; 16]).unwrap(), 1);
    }
}
