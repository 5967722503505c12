//! The state of what is written on a socket.

use std::time::Duration;

use crate::error::Error;
use crate::proto::Ticket;
use crate::time::Timestamp;

/// The way in which a write meets what was written before.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Joining {
    /// They go out together, where something waits already.
    #[default]
    Joined,
    /// Each write is a send of its own.
    Apart,
}

/// The state of what is written on a socket.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// The number of the last send.
    number: u64,
    /// An empty buffer for the next write.
    pub(super) spare: Vec<u8>,
    pub(super) room: Room,
    pub(super) pending_error: PendingError,
    pub(super) linger: Linger,
    /// How many bytes were taken although the peer had closed.
    pub(super) taken_in_vain: usize,
}

/// The room for a writer.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Room {
    #[default]
    /// No writer waits for any.
    Enough,
    /// A writer waits for it.
    Wanted,
}

/// News that no call has been told yet.
#[derive(Debug, Default)]
pub(super) enum PendingError {
    #[default]
    Nothing,
    /// The end of the socket, which lost nothing that was written.
    End,
    /// The reason why written data are lost.
    Lost(Error),
}

/// The state of a socket that was closed while written data waited.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Linger {
    #[default]
    No,
    /// Until this moment; a close waits for it, or a handle is left.
    Closing(Timestamp),
    /// Until this moment, and no handle is left.
    Forgotten(Timestamp),
}

/// A request that waits until no socket is leaving.
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

    /// Written data are lost, for this reason.
    pub(super) fn lost(&mut self, error: Error) {
        match self.pending_error {
            PendingError::Nothing | PendingError::End => self.pending_error = PendingError::Lost(error),
            PendingError::Lost(_) => {}
        }
    }

    /// The socket has ended in a way that is an error.
    pub(super) fn ended(&mut self) {
        match self.pending_error {
            PendingError::Nothing => self.pending_error = PendingError::End,
            PendingError::End | PendingError::Lost(_) => {}
        }
    }

    /// The reason why written data are lost, if no call was told.
    pub(super) fn take_loss(&mut self) -> Option<Error> {
        match std::mem::take(&mut self.pending_error) {
            PendingError::Nothing | PendingError::End => None,
            PendingError::Lost(error) => Some(error),
        }
    }

    /// Whether a writer waits for room, once.
    pub(super) fn take_wish(&mut self) -> bool {
        std::mem::take(&mut self.room) == Room::Wanted
    }

    /// Whether no handle is left of the socket, which goes on giving the module what was written.
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
