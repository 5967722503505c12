//! The waiting calls and their answers.

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::error::Result;
use crate::proto::{Response, Ticket};

/// The signal of an answer. The answer itself is [taken](Answers::take) from the core. Signals are used again, so that
/// a request allocates nothing.
#[derive(Debug)]
pub(super) struct Answer {
    ticket: Ticket,
    sender: Sender<()>,
    receiver: Receiver<()>,
}

impl Answer {
    fn new(ticket: Ticket) -> Self {
        let (sender, receiver) = bounded(1);
        Self { ticket, sender, receiver }
    }

    /// True if the answer is there.
    pub(super) fn is_here(&self) -> bool {
        !self.receiver.is_empty()
    }

    /// Waits until the answer is there. Returns false after the time-out.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> bool {
        match timeout {
            Some(timeout) => self.receiver.recv_timeout(timeout) != Err(RecvTimeoutError::Timeout),
            None => self.receiver.recv().is_ok(),
        }
    }
}

/// All calls that wait.
#[derive(Debug, Default)]
pub(super) struct Answers {
    waiting: Vec<(Ticket, Waiting)>,
    idle: Vec<Answer>,
    next_ticket: u64,
}

/// A call that waits.
#[derive(Debug)]
enum Waiting {
    /// The signal for its answer.
    Unanswered(Sender<()>),
    Answered(Result<Response>),
}

/// The number of signals that are kept for later calls.
const KEPT: usize = 16;

impl Answers {
    /// A ticket for a request whose caller does not wait.
    pub(super) fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket(self.next_ticket)
    }

    /// A ticket, and the signal of its answer.
    pub(super) fn expect(&mut self) -> (Ticket, Answer) {
        let ticket = self.ticket();
        let mut answer = self.idle.pop().unwrap_or_else(|| Answer::new(ticket));
        answer.ticket = ticket;
        self.waiting.push((ticket, Waiting::Unanswered(answer.sender.clone())));
        (ticket, answer)
    }

    /// Delivers an answer.
    pub(super) fn deliver(&mut self, ticket: Ticket, result: Result<Response>) {
        let waiting = self.waiting.iter_mut().find(|(waiting, _)| *waiting == ticket);
        if let Some((_, waiting @ Waiting::Unanswered(_))) = waiting
            && let Waiting::Unanswered(signal) = std::mem::replace(waiting, Waiting::Answered(result))
        {
            // The channel is empty, so this can't fail.
            let _ = signal.try_send(());
        }
    }

    /// Takes an answer that is there, and keeps its signal for later calls.
    pub(super) fn take(&mut self, answer: Answer) -> Option<Result<Response>> {
        let index = self.waiting.iter().position(|(ticket, _)| *ticket == answer.ticket)?;
        let (_, waiting) = self.waiting.swap_remove(index);
        // A caller that reads the port finds its answer without the signal.
        let _ = answer.receiver.try_recv();
        if self.idle.len() < KEPT {
            self.idle.push(answer);
        }
        match waiting {
            Waiting::Answered(result) => Some(result),
            Waiting::Unanswered(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_used_again_whether_it_was_received_or_not() {
        let mut answers = Answers::default();
        for is_received in [false, true, false] {
            let (ticket, answer) = answers.expect();
            assert!(!answer.is_here() && !answer.wait(Some(Duration::ZERO)), "the signal of the call before");
            answers.deliver(ticket, Ok(Response::Ready));
            answers.deliver(ticket, Ok(Response::Done));
            assert!(answer.is_here());
            assert!(!is_received || answer.wait(None));
            assert!(matches!(answers.take(answer), Some(Ok(Response::Ready))), "the first answer counts");
            assert_eq!((answers.idle.len(), answers.waiting.len()), (1, 0));
        }
    }
}
