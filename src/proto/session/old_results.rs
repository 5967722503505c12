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
            let answers_nothing = self.late_answers.finals_received(1);
            if answers_nothing && let State::AtBarrier(barrier) = &mut self.state {
                barrier.odd_final(now);
            }
        }
        out.event(Event::Dropped(String::from_utf8_lossy(text).into_owned()));
        Step::Consumed
    }
}
