//! Text of people in an answer. Its lines may look like lines of the module.

use crate::at::{Command, Line};
use crate::time::Timestamp;

use super::super::outbox::Outbox;
use super::reading::may_lack_end;
use super::{LastToken, Session, State, Step};

impl Session {
    /// A line of text.
    pub(in crate::proto) fn line(&mut self, now: Timestamp, text: &[u8], out: &mut Outbox) -> Step {
        let reads_text = self.reads_text();
        let before = if self.has_no_end(text) { LastToken::FrameEnd } else { LastToken::Line };
        let step = self.line_in_state(now, text, out);
        self.before = before;
        match step {
            Step::Consumed if reads_text => Step::Text,
            step => step,
        }
    }

    /// True if a line has no line end of its own, so that the one after it is that of the next frame.
    fn has_no_end(&self, text: &[u8]) -> bool {
        // An echo ends with the CR of its command, and a line of text keeps that.
        text.strip_suffix(b"\r").is_some_and(|line| self.is_echo_of_asked(line))
            || (self.before == LastToken::FrameEnd && (may_lack_end(text) || self.is_echo_of_asked(text)))
    }

    /// True if a line is the echo of what was asked and may not be answered yet.
    fn is_echo_of_asked(&self, line: &[u8]) -> bool {
        match &self.state {
            State::Busy(exchange) => exchange.command.is_echo(line),
            State::AtBarrier(barrier) => barrier.has_asked(line),
            State::Waking(_) | State::Idle | State::Online => false,
        }
    }

    /// True if a line (without its LF) is such an echo, and its line end is that of the next frame.
    pub(in crate::proto) fn is_echo_before_frame(&self, raw: &[u8]) -> bool {
        raw.strip_suffix(b"\r\r").is_some_and(|line| self.is_echo_of_asked(line))
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

    /// True if the next line begins a frame after the text of a message, or after the result of the command that reads
    /// it: no text has a frame end in it (A71). Files and pages have empty lines.
    pub(in crate::proto) fn is_between_frames_of_message(&self) -> bool {
        let command = match &self.state {
            State::Busy(exchange) => Some(&exchange.command),
            State::AtBarrier(barrier) => barrier.held(),
            State::Waking(_) | State::Idle | State::Online => None,
        };
        self.before == LastToken::FrameEnd && command.is_some_and(Command::reads_messages)
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
