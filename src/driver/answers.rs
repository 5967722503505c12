//! The waiting calls and their answers.

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::error::Result;
use crate::proto::{Response, Ticket};

/// The channel of an answer. Channels are used again, so that a request allocates nothing.
#[derive(Debug)]
pub(super) struct Answer {
    sender: Sender<Result<Response>>,
    receiver: Receiver<Result<Response>>,
}

impl Answer {
    fn new() -> Self {
        let (sender, receiver) = bounded(1);
        Self { sender, receiver }
    }

    /// True if the answer is there.
    pub(super) fn is_here(&self) -> bool {
        !self.receiver.is_empty()
    }

    pub(super) fn receive(
        &self,
        timeout: Option<Duration>,
    ) -> std::result::Result<Result<Response>, RecvTimeoutError> {
        match timeout {
            Some(timeout) => self.receiver.recv_timeout(timeout),
            None => self.receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }
}

/// All calls that wait.
#[derive(Debug, Default)]
pub(super) struct Answers {
    waiting: Vec<(Ticket, Sender<Result<Response>>)>,
    idle: Vec<Answer>,
    next_ticket: u64,
}

/// The number of channels that are kept for later calls.
const KEPT: usize = 16;

impl Answers {
    /// A ticket for a request whose caller does not wait.
    pub(super) fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket(self.next_ticket)
    }

    /// A ticket, and the channel for its answer.
    pub(super) fn expect(&mut self) -> (Ticket, Answer) {
        let ticket = self.ticket();
        let answer = self.idle.pop().unwrap_or_else(Answer::new);
        self.waiting.push((ticket, answer.sender.clone()));
        (ticket, answer)
    }

    /// Delivers an answer.
    pub(super) fn deliver(&mut self, ticket: Ticket, result: Result<Response>) {
        if let Some(index) = self.waiting.iter().position(|(waiting, _)| *waiting == ticket) {
            let (_, sender) = self.waiting.swap_remove(index);
            // The channel is empty and its caller waits, so this can't fail.
            let _ = sender.try_send(result);
        }
    }

    /// Keeps the channel for later calls.
    pub(super) fn recycle(&mut self, answer: Answer) {
        if self.idle.len() < KEPT && answer.receiver.is_empty() {
            self.idle.push(answer);
        }
    }
}
