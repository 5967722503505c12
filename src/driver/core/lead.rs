//! The part of the core that a caller uses which reads its own answer.

use std::io;

use super::{Core, PortState};
use crate::driver::leader::Leader;
use crate::driver::timer_state::TimerState;
use crate::port::Lead;
use crate::time::Timestamp;

impl Core {
    /// Lets a caller read the port, if the thread waits for nothing else than that.
    pub(in crate::driver) fn take_lead(&mut self) -> Option<Box<dyn Lead>> {
        let is_quiet = matches!(self.watch, TimerState::Waiting { writes: false, .. });
        if !is_quiet || !self.has_port() || !self.unwritten.is_empty() {
            return None;
        }
        let mut lead = self.lead.take()?;
        // A port that can't be taken is read by the thread as ever.
        lead.take().ok()?;
        self.leader = Some(Leader::new(self.number, lead.waker()));
        Some(lead)
    }

    /// The caller hands over what has come, and serves the deadlines.
    pub(in crate::driver) fn led(&mut self, now: Timestamp, bytes: &[u8]) {
        self.leader.iter_mut().for_each(|leader| leader.set_here(true));
        if !bytes.is_empty() {
            self.received(now, bytes);
        }
        self.tick_if_due(now);
        self.leader.iter_mut().for_each(|leader| leader.set_here(false));
    }

    /// The caller reads no more. The port can be read again, unless it has ended.
    pub(in crate::driver) fn give_back(&mut self, mut lead: Box<dyn Lead>, number: u64) -> io::Result<()> {
        self.leader = self.leader.take().filter(|leader| !leader.reads(number));
        if self.port == PortState::Open && self.number == number {
            lead.give_back()?;
            self.lead = Some(lead);
        }
        Ok(())
    }

    /// Whether the thread sleeps until a deadline that is none any more, because a caller has served it. It counts as woken then.
    pub(in crate::driver) fn wants_no_deadline(&mut self) -> bool {
        let is_stale = matches!(self.watch, TimerState::Waiting { until: Some(_), .. });
        self.calls_watcher(is_stale && self.deadline().is_none())
    }

    /// Whether a caller reads the port.
    pub(in crate::driver) fn is_led(&self) -> bool {
        self.leader.is_some()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::driver::readiness::Readiness;
    use crate::driver::session_log::SessionLog;
    use crate::proto::Engine;

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
