//! Result codes that belong to no command in flight.

use crate::at::{Final, Line};
use crate::time::Timestamp;

use super::super::Event;
use super::super::outbox::Outbox;
use super::{Session, State, Step};

impl Session {
    /// True if a command is in flight.
    pub(in crate::proto) fn is_busy(&self) -> bool {
        matches!(self.state, State::Busy(_))
    }

    /// True if an `OK` has come that answers nothing, although no late answer was awaited. Reported once.
    pub(in crate::proto) fn take_odd_ok(&mut self) -> bool {
        std::mem::take(&mut self.has_odd_ok)
    }

    /// A line of an answer belongs to no command in flight.
    pub(in crate::proto) fn stray(&mut self, now: Timestamp, text: &[u8], out: &mut Outbox) -> Step {
        let line = Line::parse(text);
        // `NO CARRIER`, the end of a call, answers no command.
        let is_answer =
            matches!(line, Line::Final(_) | Line::ShutOk) && line != Line::Final(Final::NoCarrier);
        let answers_attempt = |state: &mut State| match state {
            State::AtBarrier(barrier) => barrier.answers_attempt(now),
            State::Waking(_) | State::Idle | State::Busy(_) | State::Online => false,
        };
        if is_answer && !answers_attempt(&mut self.state) {
            let was_late = self.late_answers.is_on(now);
            let answers_nothing = self.late_answers.finals_received(1);
            match &mut self.state {
                State::AtBarrier(barrier) if answers_nothing => barrier.odd_final(now),
                State::Idle | State::Busy(_) => {
                    self.has_odd_ok |= line == Line::Final(Final::Ok) && !was_late;
                }
                State::AtBarrier(_) | State::Waking(_) | State::Online => {}
            }
        }
        out.event(Event::Dropped(String::from_utf8_lossy(text).into_owned()));
        Step::Consumed
    }
}

#[cfg(test)]
mod tests {
    use crate::query::{Query, Signal};

    use super::*;

    /// True if a late answer may still come after these lines, of which none belongs to a command in flight.
    fn awaits_late_after(mut session: Session, lines: &[&str]) -> bool {
        session.late_answers.begin(Timestamp::ZERO, &Signal.command());
        for line in lines {
            let _ = session.stray(Timestamp::ZERO, line.as_bytes(), &mut Outbox::default());
        }
        session.awaits_late_answer(Timestamp::ZERO)
    }

    #[test]
    fn only_a_final_result_code_is_a_late_answer() {
        for line in ["NO CARRIER", "+CREG: 1", "0, CLOSED", "hello"] {
            assert!(awaits_late_after(Session::new(Timestamp::ZERO), &[line]), "{line}");
        }
        for line in ["OK", "ERROR", "SHUT OK"] {
            assert!(!awaits_late_after(Session::new(Timestamp::ZERO), &[line]), "{line}");
        }
    }

    #[test]
    fn an_attempt_of_the_search_is_answered_before_late_commands() {
        let session = || {
            let mut session = Session::new(Timestamp::ZERO);
            session.barrier_after(Timestamp::ZERO, 1, &mut Outbox::default());
            session
        };
        assert!(awaits_late_after(session(), &["OK"]));
        assert!(!awaits_late_after(session(), &["OK", "OK"]));
        let mut session = session();
        session.barrier_nothing(Timestamp::ZERO, &mut Outbox::default());
        assert!(!awaits_late_after(session, &["OK"]), "there was no attempt");
    }

    #[test]
    fn a_session_without_a_command_in_flight_is_not_busy_and_not_in_data_mode() {
        let mut session = Session::new(Timestamp::ZERO);
        session.state = State::Idle;
        assert!(!session.is_busy() && !session.may_be_online());
        session.go_online();
        assert!(!session.is_busy() && session.may_be_online());
    }
}
