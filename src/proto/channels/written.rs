//! The state of the data that were written on a socket.

use std::time::Duration;

use crate::error::Error;
use crate::proto::Ticket;
use crate::time::Timestamp;

/// The combination of the data of a write with earlier ones.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Joining {
    /// They are appended to data that wait.
    #[default]
    Joined,
    /// Each write is a send of its own.
    Apart,
}

/// The state of the data that were written on a socket.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// The number of the last send.
    number: u64,
    /// An empty buffer for the next write.
    pub(super) spare: Vec<u8>,
    pub(super) writer: WriterState,
    pub(super) pending_error: PendingError,
    pub(super) linger: Linger,
    /// The number of bytes that were accepted although the peer had closed.
    pub(super) accepted_after_close: usize,
}

/// The state of the writer of a socket.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum WriterState {
    #[default]
    /// No writer waits.
    Idle,
    /// A writer waits for room.
    WaitsForRoom,
}

/// The error that no call has returned yet.
#[derive(Debug, Default)]
pub(super) enum PendingError {
    #[default]
    Nothing,
    /// The end of the socket. No written data were lost.
    End,
    /// Written data were lost, for this reason.
    Lost(Error),
}

/// The state of a socket that was closed while written data waited, as `SO_LINGER` does it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Linger {
    #[default]
    No,
    /// Sends until this moment. A close waits for it, or there is a handle.
    Closing(Timestamp),
    /// Sends until this moment. There is no handle.
    Forgotten(Timestamp),
}

/// A request that waits until no closed socket is sending any more.
#[derive(Debug)]
pub(super) struct LeaveWaiter {
    pub(super) ticket: Ticket,
    pub(super) deadline: Timestamp,
    pub(super) timeout: Duration,
}

impl Writes {
    /// The number of the next send.
    pub(super) fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// The number of the last send.
    pub(super) fn last_number(&self) -> u64 {
        self.number
    }

    /// Written data were lost, for this reason.
    pub(super) fn lost(&mut self, error: Error) {
        match self.pending_error {
            PendingError::Nothing | PendingError::End => self.pending_error = PendingError::Lost(error),
            PendingError::Lost(_) => {}
        }
    }

    /// The socket has ended with an error.
    pub(super) fn ended(&mut self) {
        match self.pending_error {
            PendingError::Nothing => self.pending_error = PendingError::End,
            PendingError::End | PendingError::Lost(_) => {}
        }
    }

    /// The reason why written data were lost, if no call has returned it.
    pub(super) fn take_loss(&mut self) -> Option<Error> {
        match std::mem::take(&mut self.pending_error) {
            PendingError::Nothing | PendingError::End => None,
            PendingError::Lost(error) => Some(error),
        }
    }

    /// True once if a writer waits for room.
    pub(super) fn take_waiting_writer(&mut self) -> bool {
        std::mem::take(&mut self.writer) == WriterState::WaitsForRoom
    }

    /// True if the socket has no handle and is still sending.
    pub(super) fn is_forgotten(&self) -> bool {
        matches!(self.linger, Linger::Forgotten(_))
    }

    pub(super) fn leaves_until(&self) -> Option<Timestamp> {
        match self.linger {
            Linger::No => None,
            Linger::Closing(until) | Linger::Forgotten(until) => Some(until),
        }
    }
}
