//! Results that answer nothing that is in flight.

use crate::at::{Final, Line};
use crate::time::Timestamp;

use super::super::Event;
use super::super::outbox::Outbox;
use super::{Session, State, Step};

impl Session {
    /// Whether a command is in flight and has not ended.
    pub(in crate::proto) fn is_busy(&self) -> bool {
        matches!(self.state, State::Busy(_))
    }

    /// A line of an answer answers nothing that is in flight.
    pub(in crate::proto) fn stray(&mut self, now: Timestamp, text: &[u8], out: &mut Outbox) -> Step {
        let line = Line::parse(text);
        // The end of a call answers no command.
        let is_answer =
            matches!(line, Line::Final(_) | Line::ShutOk) && line != Line::Final(Final::NoCarrier);
        if is_answer {
            let answers_nothing = self.late_answers.paid(1);
            if answers_nothing && let State::AtBarrier(barrier) = &mut self.state {
                barrier.odd_final(now);
            }
        }
        out.event(Event::Dropped(String::from_utf8_lossy(text).into_owned()));
        Step::Consumed
    }
}
