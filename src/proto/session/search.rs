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
            _ => return if is_echo(text) { Step::Consumed } else { Step::Unclaimed },
        }
        Step::Consumed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::exchange::{Exchange, Phase};
    use super::super::open_send::OpenSend;
    use super::*;
    use crate::at::Command;
    use crate::proto::Ticket;
    use crate::proto::issuer::Issuer;

    /// A session that has made this number of attempts to find the module, and the moment.
    fn searching(attempts: usize) -> (Session, Timestamp) {
        let mut wake = Wake::new(Timestamp::ZERO);
        let mut now = Timestamp::ZERO;
        for _ in 0..attempts {
            now = wake.deadline();
            wake.next(now);
        }
        let mut session = Session::new(now);
        session.state = State::Waking(wake);
        (session, now)
    }

    fn line(session: &mut Session, now: Timestamp, text: &[u8]) -> Step {
        session.waking_line(now, text, &mut Outbox::default())
    }

    #[test]
    fn lines_are_no_answer_before_an_attempt_and_while_a_send_is_open() {
        let (mut session, now) = searching(0);
        assert!(matches!(line(&mut session, now, b"OK"), Step::Consumed));
        assert!(matches!(line(&mut session, now, b"AT"), Step::Consumed), "an echo");
        assert!(matches!(line(&mut session, now, b"+CREG: 1"), Step::Unclaimed));
        assert!(session.is_waking());
        let (mut session, now) = searching(1);
        let State::Waking(wake) = std::mem::replace(&mut session.state, State::Idle) else { panic!() };
        session.state = State::Waking(wake.after_prompt(Some(OpenSend::new(b"hello".to_vec()))));
        assert!(matches!(line(&mut session, now, b"OK"), Step::Consumed));
        assert!(session.is_waking(), "the module may wait for the send");
    }

    #[test]
    fn an_answer_leaves_the_other_attempts_unanswered() {
        let (mut session, now) = searching(3);
        assert!(matches!(line(&mut session, now, b"OK"), Step::Consumed));
        let State::AtBarrier(barrier) = &mut session.state else { panic!("no question is asked") };
        let answered = (0..9).take_while(|_| barrier.answers_attempt(now)).count();
        assert_eq!(answered, 2);
    }

    #[test]
    fn a_command_in_flight_is_given_up_by_a_search() {
        let (mut out, now) = (Outbox::default(), Timestamp::ZERO);
        let mut session = Session::new(now);
        session.search(now, &mut out);
        assert_eq!(out.count().commands.abandoned, 0);
        let issuer = Issuer::Caller(Ticket(1));
        let exchange = Exchange::new(now, Command::attention(), issuer, Duration::ZERO, Phase::Answer);
        session.state = State::Busy(exchange);
        session.search(now, &mut out);
        assert_eq!((out.count().commands.abandoned, session.is_waking()), (1, true));
    }
}
