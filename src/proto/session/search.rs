//! The search for a module: its begin, and the lines that come during it.

use crate::at::{Final, Line, Refusal};
use crate::proto::outbox::Outbox;
use crate::time::Timestamp;

use super::exchange::Failure;
use super::reading::is_echo;
use super::step::Step;
use super::wake::Wake;
use super::{Session, State};

impl Session {
    /// A refusal came that may be another command's, or a word of the peer. A question to settle that would be payload
    /// if data mode has begun.
    pub(super) fn refused_data_mode(&mut self, now: Timestamp, out: &mut Outbox) -> Step {
        let State::Busy(exchange) = std::mem::replace(&mut self.state, State::Idle) else {
            return Step::Consumed;
        };
        self.search(now, out);
        Step::Finished(exchange.finish(Err(Failure::Refused(Refusal::Ambiguous))))
    }

    /// It is unknown whether the module is in data mode. Starts a search that works in both modes. The command in
    /// flight, which is one of the stream, gets no answer.
    pub(in crate::proto) fn search(&mut self, now: Timestamp, out: &mut Outbox) {
        let before = std::mem::replace(&mut self.state, State::Waking(Wake::in_data_mode(now)));
        let is_given_up = match before {
            State::Busy(_) => true,
            State::AtBarrier(barrier) => barrier.held().is_some(),
            State::Waking(_) | State::Idle | State::Online => false,
        };
        out.count().commands.abandoned += u64::from(is_given_up);
    }

    /// A line came during the search.
    pub(super) fn waking_line(&mut self, now: Timestamp, text: &[u8], out: &mut Outbox) -> Step {
        let State::Waking(wake) = &mut self.state else { return Step::Consumed };
        match Line::parse(text) {
            // Until the open send is filled up and a question is asked, no line is an answer.
            Line::Final(_) if wake.has_open() => {}
            // The late answer to `ATO`: data mode begins now, and a question would be payload.
            Line::Final(Final::Connect) => *wake = Wake::in_data_mode(now),
            Line::Final(_) if wake.has_begun() => {
                let attempts = wake.attempts().saturating_sub(1);
                self.barrier_after(now, attempts, out);
            }
            Line::Final(_) => {}
            _ => {
                wake.sign_of_life(now);
                return if is_echo(text) { Step::Consumed } else { Step::Unclaimed };
            }
        }
        Step::Consumed
    }
}
