//! The caller that reads the port, as the core knows it.

use crate::port::Waker;
use crate::proto::Ticket;

/// The caller that reads the port.
#[derive(Debug)]
pub(super) struct ReadingCaller {
    /// The number of the port that it reads.
    number: u64,
    /// The answer that it waits for.
    ticket: Option<Ticket>,
    /// Ends its wait.
    waker: Waker,
    /// Whether it has the core now: it sees its answer without a call.
    is_here: bool,
}

impl ReadingCaller {
    /// One that has the core, and is about to ask.
    pub(super) fn new(number: u64, waker: Waker) -> Self {
        Self { number, ticket: None, waker, is_here: true }
    }

    /// Whether it reads the port with this number.
    pub(super) fn reads(&self, number: u64) -> bool {
        self.number == number
    }

    /// A caller waits for this answer, and lets go of the core. The one that has just taken the port is it.
    pub(super) fn waits_for(&mut self, awaited: Ticket) {
        if self.ticket.is_none() {
            (self.ticket, self.is_here) = (Some(awaited), false);
        }
    }

    /// It has the core, or lets go of it.
    pub(super) fn set_here(&mut self, is_here: bool) {
        self.is_here = is_here;
    }

    /// Ends its wait, unless it has the core.
    pub(super) fn call(&self) {
        if !self.is_here {
            self.waker.wake();
        }
    }

    /// An answer is there.
    pub(super) fn answered(&self, ticket: Ticket) {
        if self.ticket == Some(ticket) {
            self.call();
        }
    }
}
