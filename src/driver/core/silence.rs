//! The silence of a module on another machine.

use std::time::Duration;

use crate::time::Timestamp;

/// The span without an answer after which a port on another machine is opened again: the first one, and the longest. It
/// is doubled each time until bytes come. A module counts as silent 30 s after a question, so a module that is busy for
/// 75 s, as with `AT+COPS=?`, keeps its port.
const LIMITS: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(600));

/// The silence on a port on another machine. A serial server without power sends nothing, like a module that is off.
/// Only an answer ends the silence, because a connection that transfers no commands any more may still transfer
/// unsolicited lines.
#[derive(Debug)]
pub(super) struct Silence {
    since: Option<Timestamp>,
    limit: Duration,
    /// The number of commands that were answered before the silence.
    answered: u64,
}

impl Default for Silence {
    fn default() -> Self {
        Self { since: None, limit: LIMITS.0, answered: 0 }
    }
}

impl Silence {
    /// Bytes came.
    pub(super) fn interrupted(&mut self) {
        self.limit = LIMITS.0;
    }

    /// Nothing answers. `answered` is the number of commands with an answer so far. Returns true if the silence has
    /// lasted for the limit.
    pub(super) fn lasts(&mut self, now: Timestamp, answered: u64) -> bool {
        if answered != self.answered {
            *self = Self { answered, ..Self::default() };
        }
        let since = *self.since.get_or_insert(now);
        if now - since < self.limit {
            return false;
        }
        self.limit = LIMITS.1.min(self.limit * 2);
        true
    }

    /// The port was left. The limit for the next port is unchanged.
    pub(super) fn interrupt(&mut self) {
        self.since = None;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::driver::core::Core;
    use crate::driver::readiness::Readiness;
    use crate::driver::session_log::SessionLog;
    use crate::proto::Engine;

    const SECOND: Duration = Duration::from_secs(1);

    fn core(reopens: bool) -> Core {
        let engine = Engine::new(Config::default(), Timestamp::ZERO).unwrap();
        Core::new(engine, None, SessionLog::new("test".into()), Readiness::new(0), reopens)
    }

    /// Serves the deadlines. Returns the moment at which the port was left.
    fn left_at(core: &mut Core, from: Timestamp, span: Duration) -> Option<Timestamp> {
        let mut now = from;
        while core.has_port() {
            now = core.deadline().filter(|at| *at - from < span)?;
            core.tick(now);
            // The system accepts all written bytes.
            core.take_unwritten(now, &mut Vec::new());
            core.take_unwritten(now, &mut Vec::new());
        }
        Some(now)
    }

    /// Regression: only the system noticed it, after a quarter of an hour.
    #[test]
    fn a_server_that_vanishes_with_a_question_on_its_way_is_noticed_within_two_minutes() {
        let mut core = core(true);
        core.set_end(Some(Box::new(())));
        let mut now = Timestamp::ZERO;
        // The port of a module that is off is opened again at growing intervals, while its server is on.
        for (soonest, latest) in [(60, 75), (120, 150), (240, 270), (480, 510), (600, 660), (600, 660)] {
            let left = left_at(&mut core, now, 700 * SECOND).unwrap();
            let took = left - now;
            assert!(
                (soonest * SECOND..latest * SECOND).contains(&took),
                "{took:?}, not {soonest} to {latest} s"
            );
            now = left + SECOND;
            core.port_is_back(now, None);
            core.set_end(Some(Box::new(())));
        }
        core.received(now, b"\r\nRDY\r\n");
        let took = left_at(&mut core, now, 700 * SECOND).unwrap() - now;
        assert!(took < 120 * SECOND, "{took:?}");
    }

    /// Regression: the port was left after 61 s.
    #[test]
    fn a_module_that_is_busy_for_longer_than_its_answer_may_take_keeps_its_port() {
        let mut silence = Silence::default();
        // The engine reports the silence 30 s after a question, and every 5 s from then on.
        assert!((30..=75).step_by(5).all(|second| !silence.lasts(Timestamp::ZERO + second * SECOND, 0)));
    }

    /// Regression: each line began the silence again, so the port was never left.
    #[test]
    fn unsolicited_lines_are_no_sign_that_the_server_takes_commands() {
        let mut core = core(true);
        core.set_end(Some(Box::new(())));
        let left = (1..200).map(|second| Timestamp::ZERO + second * SECOND).find(|at| {
            core.received(*at, b"\r\n+CREG: 1\r\n");
            left_at(&mut core, *at, SECOND).is_some()
        });
        let left = left.unwrap() - Timestamp::ZERO;
        assert!((60 * SECOND..120 * SECOND).contains(&left), "{left:?}");
    }

    #[test]
    fn an_answer_ends_the_silence() {
        let mut silence = Silence::default();
        let at = |second| Timestamp::ZERO + second * SECOND;
        assert!(!silence.lasts(at(0), 7) && !silence.lasts(at(59), 7));
        assert!(!silence.lasts(at(61), 8), "a command was answered");
        assert!(!silence.lasts(at(120), 8) && silence.lasts(at(121), 8));
    }

    /// Regression: a driver that had opened what a link led to for a moment never came back to the module.
    #[test]
    fn a_silent_port_whose_path_leads_to_another_device_is_left() {
        for reopens in [true, false] {
            let mut core = core(reopens);
            core.leads_elsewhere = Some(Box::new(|| true));
            let left = left_at(&mut core, Timestamp::ZERO, 2_000 * SECOND);
            assert_eq!(left.is_some_and(|at| at - Timestamp::ZERO < 60 * SECOND), reopens, "{left:?}");
        }
        let mut core = core(true);
        core.leads_elsewhere = Some(Box::new(|| false));
        assert_eq!(left_at(&mut core, Timestamp::ZERO, 2_000 * SECOND), None);
    }

    #[test]
    fn a_port_of_this_machine_and_one_that_is_not_opened_again_stay_open_whatever_is_silent() {
        for (reopens, end) in [(true, None), (false, Some(Box::new(()) as _))] {
            let mut core = core(reopens);
            core.set_end(end);
            assert_eq!(left_at(&mut core, Timestamp::ZERO, 2_000 * SECOND), None);
        }
    }

    #[test]
    fn the_silence_of_an_earlier_port_is_not_counted() {
        let mut core = core(true);
        core.set_end(Some(Box::new(())));
        let before = Timestamp::ZERO + 25 * SECOND;
        assert_eq!(left_at(&mut core, Timestamp::ZERO, 25 * SECOND), None);
        core.port_ended(before, core.next_port_number(), "unplugged");
        core.port_is_back(before, None);
        core.set_end(Some(Box::new(())));
        let took = left_at(&mut core, before, 700 * SECOND).unwrap() - before;
        assert!(took > 60 * SECOND, "{took:?}");
    }
}
