//! Text of people in an answer. Its lines may look like lines of the module.

use crate::at::Line;
use crate::time::Timestamp;

use super::super::outbox::Outbox;
use super::{LastToken, Session, State, Step};

impl Session {
    /// A line of text.
    pub(in crate::proto) fn line(&mut self, now: Timestamp, text: &[u8], out: &mut Outbox) -> Step {
        let reads_text = self.reads_text();
        self.before = LastToken::Line;
        match self.line_in_state(now, text, out) {
            Step::Consumed if reads_text => Step::Text,
            step => step,
        }
    }

    /// True if the rest of the answer in flight is text of people.
    pub(in crate::proto) fn reads_text(&self) -> bool {
        match &self.state {
            State::Busy(exchange) => exchange.is_in_text(),
            State::AtBarrier(barrier) => barrier.is_in_text(),
            State::Waking(_) | State::Idle | State::Online => false,
        }
    }

    /// True if a line is the header of the text that the command in flight asks for.
    pub(in crate::proto) fn asks_for_text(&self, line: &[u8]) -> bool {
        let command = match &self.state {
            State::Busy(exchange) => Some(&exchange.command),
            State::AtBarrier(barrier) => barrier.held(),
            State::Waking(_) | State::Idle | State::Online => None,
        };
        command.is_some_and(|command| command.asks_for_text(&Line::parse(line)))
    }

    /// An empty line in a text. CR LF may stand between two frames; LF alone is text.
    pub(in crate::proto) fn empty_line(&mut self, raw: &[u8]) {
        if raw == b"\r" {
            self.before = LastToken::FrameEnd;
        } else if let State::Busy(exchange) = &mut self.state {
            exchange.empty_line();
        }
    }
}
