//! The silence of a module on another machine.

use std::time::Duration;

use crate::time::Timestamp;

/// How long nothing may answer on a port on another machine before it is opened again: at first, and at most. It is doubled each time until
/// bytes come. The driver calls a module silent 30 s after a question, so one that is busy for 75 s, as `AT+COPS=?` makes it, keeps its port.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(600));

/// The silence on a port on another machine. A serial server that loses its power says nothing, as a module that is off. Only an answer ends
/// the silence: a connection may still bring unsolicited lines when it takes no commands any more.
#[derive(Debug)]
pub(super) struct Silence {
    since: Option<Timestamp>,
    patience: Duration,
    /// The number of commands that were answered before it.
    answered: u64,
}

impl Default for Silence {
    fn default() -> Self {
        Self { since: None, patience: PATIENCE.0, answered: 0 }
    }
}

impl Silence {
    /// Bytes came.
    pub(super) fn hear(&mut self) {
        self.patience = PATIENCE.0;
    }

    /// Nothing answers. `answered` is the number of commands with an answer so far. True if that has lasted too long.
    pub(super) fn lasts(&mut self, now: Timestamp, answered: u64) -> bool {
        if answered != self.answered {
            *self = Self { answered, ..Self::default() };
        }
        let since = *self.since.get_or_insert(now);
        if now - since < self.patience {
            return false;
        }
        self.patience = PATIENCE.1.min(self.patience * 2);
        true
    }

    /// The port was left. The next one is waited for as long as this one would have been.
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

    /// Serves the deadlines; when the port was left.
    fn left_at(core: &mut Core, from: Timestamp, span: Duration) -> Option<Timestamp> {
        let mut now = from;
        while core.has_port() {
            now = core.deadline().filter(|at| *at - from < span)?;
            core.tick(now);
            // The system takes what is written.
            core.take_unwritten(now, &mut Vec::new());
            core.take_unwritten(now, &mut Vec::new());
        }
        Some(now)
    }

    /// It was left to the system, which tells after a quarter of an hour.
    #[test]
    fn a_server_that_goes_dark_with_a_question_on_its_way_is_noticed_within_two_minutes() {
        let mut core = core(true);
        core.set_end(Some(Box::new(())));
        let mut now = Timestamp::ZERO;
        // A module that is off behind a server that is on is looked for ever more seldom.
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

    /// It was left after 61 s.
    #[test]
    fn a_module_that_is_busy_for_longer_than_its_answer_may_take_keeps_its_port() {
        let mut silence = Silence::default();
        // The engine says so 30 s after a question, and every 5 s from then on.
        assert!((30..=75).step_by(5).all(|second| !silence.lasts(Timestamp::ZERO + second * SECOND, 0)));
    }

    /// Each line began the silence again, so the port was never left.
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
