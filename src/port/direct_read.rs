//! A serial port that a caller can take for reading. The thread waits for a set of `epoll` with the port in it; while a
//! caller has the port, arriving bytes do not end the thread's wait, and no wake-up is needed.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use super::wake_up::timespec;
use super::{Alarm, DirectRead, Sleeper, Waker, wake_up};

/// A set of `epoll` that holds the port alone.
#[derive(Clone, Debug)]
pub(super) struct WaitSet(Arc<OwnedFd>);

impl WaitSet {
    pub(super) fn new(port: &File) -> io::Result<Self> {
        let set = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&set, port, EventData::new_u64(0), EventFlags::IN)?;
        Ok(Self(Arc::new(set)))
    }

    /// Removes the event that the set reports once, so that the next wait does not end with it.
    pub(super) fn pass_over(&self) {
        let mut events = [epoll::Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }];
        // After an error the event stays in the set.
        let _ = epoll::wait(&self.0, &mut events[..], Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    }
}

impl AsFd for WaitSet {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A timer of the system in the set.
pub(super) struct SetAlarm {
    timer: OwnedFd,
    is_set: bool,
}

impl SetAlarm {
    pub(super) fn new(set: &WaitSet) -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
        epoll::add(&set.0, &timer, EventData::new_u64(1), EventFlags::IN)?;
        Ok(Self { timer, is_set: false })
    }

    fn set_timer(&self, after: Duration) -> io::Result<()> {
        let span = Itimerspec { it_interval: timespec(Duration::ZERO), it_value: timespec(after) };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &span)?;
        Ok(())
    }
}

impl Alarm for SetAlarm {
    fn set(&mut self, after: Duration) -> io::Result<()> {
        // A span of 0 would clear it.
        self.set_timer(after.max(Duration::from_nanos(1)))?;
        self.is_set = true;
        Ok(())
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.is_set) {
            // The system refuses only spans that are not valid.
            let _ = self.set_timer(Duration::ZERO);
        }
    }
}

/// The caller's end of the port.
pub(super) struct SerialDirectRead {
    file: Arc<File>,
    set: WaitSet,
    sleeper: Sleeper,
    waker: Waker,
    buf: Box<[u8]>,
}

/// The largest read. Answers are shorter.
const READ: usize = 4 * 1024;

impl SerialDirectRead {
    pub(super) fn new(file: Arc<File>, set: WaitSet) -> io::Result<Self> {
        let (waker, sleeper) = wake_up()?;
        Ok(Self { file, set, sleeper, waker, buf: vec![0; READ].into() })
    }

    fn watch(&self, flags: EventFlags) -> io::Result<()> {
        Ok(epoll::modify(&self.set, &self.file, EventData::new_u64(0), flags)?)
    }
}

impl DirectRead for SerialDirectRead {
    fn take(&mut self) -> io::Result<()> {
        // `epoll` reports the end of a port with every set of flags.
        self.watch(EventFlags::ONESHOT)
    }

    fn give_back(&mut self) -> io::Result<()> {
        self.watch(EventFlags::IN)
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.sleeper.wait_for(&self.file, false, timeout)
    }

    fn read(&mut self) -> io::Result<&[u8]> {
        let count = (&*self.file).read(&mut self.buf)?;
        Ok(&self.buf[..count])
    }

    fn waker(&self) -> Waker {
        self.waker.clone()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    const SOON: Option<Duration> = Some(Duration::from_millis(20));
    const LATE: Option<Duration> = Some(Duration::from_secs(20));

    fn port() -> (UnixStream, WaitSet, SerialDirectRead, Sleeper) {
        let (module, ours) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let file = Arc::new(File::from(OwnedFd::from(ours)));
        let set = WaitSet::new(&file).unwrap();
        let direct_read = SerialDirectRead::new(file, set.clone()).unwrap();
        (module, set, direct_read, wake_up().unwrap().1)
    }

    /// Whether the thread's wait ends at once.
    fn ends(sleeper: &Sleeper, set: &WaitSet) -> bool {
        let began = std::time::Instant::now();
        sleeper.wait_for_set(set, None::<&File>, SOON).unwrap();
        began.elapsed() < SOON.unwrap()
    }

    #[test]
    fn bytes_that_come_while_a_caller_has_the_port_wake_the_caller_alone() {
        let (mut module, set, mut direct_read, sleeper) = port();
        direct_read.take().unwrap();
        module.write_all(b"OK").unwrap();
        assert!(!ends(&sleeper, &set));
        direct_read.wait(LATE).unwrap();
        assert_eq!(direct_read.read().unwrap(), b"OK");
        assert_eq!(direct_read.read().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        direct_read.give_back().unwrap();
        assert!(!ends(&sleeper, &set), "all bytes were read");
        module.write_all(b"RDY").unwrap();
        assert!(ends(&sleeper, &set));
    }

    #[test]
    fn bytes_that_are_unread_when_the_port_is_given_back_wake_the_thread() {
        let (mut module, set, mut direct_read, sleeper) = port();
        direct_read.take().unwrap();
        module.write_all(b"RDY").unwrap();
        direct_read.give_back().unwrap();
        assert!(ends(&sleeper, &set));
    }

    #[test]
    fn the_end_of_a_port_wakes_the_thread_once_while_a_caller_has_the_port() {
        let (module, set, mut direct_read, sleeper) = port();
        direct_read.take().unwrap();
        drop(module);
        assert!(ends(&sleeper, &set));
        set.pass_over();
        assert!(!ends(&sleeper, &set), "the end is reported once");
        direct_read.wait(LATE).unwrap();
        assert_eq!(direct_read.read().unwrap(), b"");
        direct_read.give_back().unwrap();
        assert!(ends(&sleeper, &set), "the thread sees the end");
    }

    #[test]
    fn an_alarm_ends_the_wait_at_its_time_until_it_is_cleared() {
        let (_module, set, _, sleeper) = port();
        let mut alarm = SetAlarm::new(&set).unwrap();
        alarm.set(LATE.unwrap()).unwrap();
        assert!(!ends(&sleeper, &set), "its time is not there");
        for after in [Duration::ZERO, SOON.unwrap() / 10] {
            alarm.set(after).unwrap();
            sleeper.wait_for_set(&set, None::<&File>, LATE).unwrap();
            assert!(ends(&sleeper, &set), "it is not cleared");
        }
        alarm.clear();
        assert!(!ends(&sleeper, &set));
    }

    #[test]
    fn a_caller_that_has_the_port_can_be_woken() {
        let (_module, _, mut direct_read, _) = port();
        direct_read.waker().wake();
        direct_read.wait(LATE).unwrap();
    }
}
