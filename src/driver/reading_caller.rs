//! The state of the caller that reads the port, in the core.

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
    /// Whether it holds the core now. Then it finds its answer without a wake-up.
    is_here: bool,
}

impl ReadingCaller {
    /// A caller that holds the core and will make a request.
    pub(super) fn new(number: u64, waker: Waker) -> Self {
        Self { number, ticket: None, waker, is_here: true }
    }

    /// True if it reads the port with this number.
    pub(super) fn reads(&self, number: u64) -> bool {
        self.number == number
    }

    /// A caller waits for this answer and releases the core. The first one after the port was taken is the reading
    /// caller.
    pub(super) fn waits_for(&mut self, awaited: Ticket) {
        if self.ticket.is_none() {
            (self.ticket, self.is_here) = (Some(awaited), false);
        }
    }

    /// It holds the core, or has released it.
    pub(super) fn set_here(&mut self, is_here: bool) {
        self.is_here = is_here;
    }

    /// Ends its wait, unless it holds the core.
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
