//! The functions of the core for a caller that reads its own answer.

use std::io;

use super::{Core, PortState};
use crate::driver::reading_caller::ReadingCaller;
use crate::driver::timer_state::TimerState;
use crate::port::DirectRead;
use crate::time::Timestamp;

impl Core {
    /// Gives the port to a caller for reading, if the thread only waits for bytes.
    pub(in crate::driver) fn take_direct_read(&mut self) -> Option<Box<dyn DirectRead>> {
        let is_quiet = matches!(self.watch, TimerState::Waiting { writes: false, .. });
        if !is_quiet || !self.has_port() || !self.unwritten.is_empty() {
            return None;
        }
        let mut direct_read = self.direct_read.take()?;
        // If the port can't be taken, the thread reads it as before.
        direct_read.take().ok()?;
        self.reading_caller = Some(ReadingCaller::new(self.number, direct_read.waker()));
        Some(direct_read)
    }

    /// Processes the bytes that the caller has read, and the deadlines.
    pub(in crate::driver) fn received_by_caller(&mut self, now: Timestamp, bytes: &[u8]) {
        self.reading_caller.iter_mut().for_each(|reading_caller| reading_caller.set_here(true));
        if !bytes.is_empty() {
            self.received(now, bytes);
        }
        self.tick_if_due(now);
        self.reading_caller.iter_mut().for_each(|reading_caller| reading_caller.set_here(false));
    }

    /// The caller returns the port, unless the port has ended.
    pub(in crate::driver) fn give_back(
        &mut self,
        mut direct_read: Box<dyn DirectRead>,
        number: u64,
    ) -> io::Result<()> {
        self.reading_caller =
            self.reading_caller.take().filter(|reading_caller| !reading_caller.reads(number));
        if self.port == PortState::Open && self.number == number {
            direct_read.give_back()?;
            self.direct_read = Some(direct_read);
        }
        Ok(())
    }

    /// True if the thread sleeps until a deadline that a caller has served. The thread counts as woken then.
    pub(in crate::driver) fn wants_no_deadline(&mut self) -> bool {
        let is_stale = matches!(self.watch, TimerState::Waiting { until: Some(_), .. });
        self.calls_watcher(is_stale && self.deadline().is_none())
    }

    /// True while a caller reads the port.
    pub(in crate::driver) fn is_read_by_caller(&self) -> bool {
        self.reading_caller.is_some()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::driver::readiness::Readiness;
    use crate::driver::session_log::SessionLog;
    use crate::port::Alarm;
    use crate::proto::Engine;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    /// The span of an alarm.
    struct Recorded(Arc<Mutex<Option<Duration>>>);

    impl Alarm for Recorded {
        fn set(&mut self, after: Duration) -> io::Result<()> {
            *self.0.lock().unwrap() = Some(after);
            Ok(())
        }

        fn clear(&mut self) {
            *self.0.lock().unwrap() = None;
        }
    }

    #[test]
    fn a_deadline_that_the_thread_does_not_know_sets_its_alarm_and_wakes_no_thread() {
        let engine = Engine::new(Config::default(), Timestamp::ZERO).unwrap();
        let log = SessionLog::new("test".into());
        let mut core = Core::new(engine, None, log, Readiness::new(0), false);
        let waits_for_ever = TimerState::Waiting { until: None, writes: false };
        core.watch = waits_for_ever;
        assert!(core.wants_watch(|| Timestamp::ZERO), "it has no alarm");
        let set = Arc::new(Mutex::new(None));
        core.alarm = Some(Box::new(Recorded(set.clone())));
        core.watch = waits_for_ever;
        assert!(!core.wants_watch(|| Timestamp::ZERO));
        assert_eq!(*set.lock().unwrap(), core.deadline().map(|deadline| deadline - Timestamp::ZERO));
        assert!(!core.watch.oversleeps(core.deadline()), "it is known");
        core.watcher_is_up();
        assert_eq!(*set.lock().unwrap(), None, "it is cleared");
    }

    #[test]
    fn a_thread_that_sleeps_until_a_deadline_that_was_served_is_woken_once() {
        let engine = Engine::new(Config::default(), Timestamp::ZERO).unwrap();
        let log = SessionLog::new("test".into());
        let mut core = Core::new(engine, None, log, Readiness::new(0), false);
        let until = core.watcher_waits().0;
        assert!(until.is_some() && !core.wants_no_deadline(), "it is still to be served");
        core.close(Timestamp::ZERO, "closed");
        assert_eq!(core.deadline(), None);
        assert!(core.wants_no_deadline());
        assert!(!core.wants_no_deadline(), "it is up");
        core.watcher_waits();
        assert!(!core.wants_no_deadline(), "it sleeps for ever");
    }
}
