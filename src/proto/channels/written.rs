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
    spare: Vec<u8>,
    writer: WriterState,
    pending_error: PendingError,
    linger: Linger,
    /// The number of bytes that were accepted although the peer had closed.
    accepted_after_close: usize,
}

/// The largest buffer that is kept for the next write.
const MAX_SPARE: usize = 4 * 1024;

/// The state of the writer of a socket.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum WriterState {
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
enum Linger {
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

    /// The error that no call has returned yet. It counts as returned.
    pub(super) fn take_error(&mut self) -> PendingError {
        std::mem::take(&mut self.pending_error)
    }

    /// An empty buffer.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.spare)
    }

    /// An empty buffer is kept for the next write, unless it is large.
    pub(super) fn give_back(&mut self, buffer: Vec<u8>) {
        if buffer.capacity() <= MAX_SPARE {
            self.spare = buffer;
        }
    }

    /// Accepts at most this number of bytes although the peer has closed. Returns how many.
    pub(super) fn accept_after_close(&mut self, len: usize, limit: usize) -> usize {
        let len = len.min(limit.saturating_sub(self.accepted_after_close));
        self.accepted_after_close += len;
        len
    }

    /// The socket was closed, and sends its written data until this moment. A second close does not extend the time.
    pub(super) fn linger(&mut self, until: Timestamp, is_forgotten: bool) {
        let until = self.leaves_until().unwrap_or(until);
        self.linger = if is_forgotten { Linger::Forgotten(until) } else { Linger::Closing(until) };
    }

    /// A writer waits for room.
    pub(super) fn writer_waits(&mut self) {
        self.writer = WriterState::WaitsForRoom;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::CloseReason;
    use crate::proto::transition_table;

    const UNTIL: Timestamp = Timestamp::from_secs(30);

    #[test]
    fn every_transition_of_the_error_is_as_the_table_says() {
        transition_table::check::<Writes, _>(
            "
            | input | nothing | the end | lost |
            | data are lost | lost now | lost now | - |
            | the socket ends | the end | - | - |
            | a call returns a loss | - | nothing | nothing |
            | a call returns any error | - | nothing | nothing |",
            || {
                let lost = PendingError::Lost(Error::Closed(CloseReason::Peer));
                let of = |pending_error| Writes { pending_error, ..Writes::default() };
                vec![of(PendingError::Nothing), of(PendingError::End), of(lost)]
            },
            &[
                ("data are lost", |it| it.lost(Error::Closed(CloseReason::Local))),
                ("the socket ends", Writes::ended),
                ("a call returns a loss", |it| drop(it.take_loss())),
                ("a call returns any error", |it| drop(it.take_error())),
            ],
            |it| match &it.pending_error {
                PendingError::Nothing => "nothing",
                PendingError::End => "the end",
                PendingError::Lost(Error::Closed(CloseReason::Peer)) => "lost",
                PendingError::Lost(_) => "lost now",
            },
        );
    }

    #[test]
    fn every_transition_of_a_close_is_as_the_table_says() {
        transition_table::check::<Writes, _>(
            "
            | input | no | closing | forgotten |
            | a close | closing | - | closing |
            | the last handle is dropped | forgotten | forgotten | - |
            | a later close | extended | - | closing |",
            || {
                let of = |linger| Writes { linger, ..Writes::default() };
                vec![of(Linger::No), of(Linger::Closing(UNTIL)), of(Linger::Forgotten(UNTIL))]
            },
            &[
                ("a close", |it| it.linger(UNTIL, false)),
                ("the last handle is dropped", |it| it.linger(UNTIL, true)),
                ("a later close", |it| it.linger(UNTIL + Duration::from_secs(1), false)),
            ],
            |it| match it.linger {
                Linger::No => "no",
                Linger::Closing(UNTIL) => "closing",
                Linger::Forgotten(UNTIL) => "forgotten",
                Linger::Closing(_) | Linger::Forgotten(_) => "extended",
            },
        );
    }

    #[test]
    fn a_socket_accepts_a_limited_number_of_bytes_after_the_peers_close() {
        let mut writes = Writes::default();
        assert_eq!([writes.accept_after_close(7, 10), writes.accept_after_close(7, 10)], [7, 3]);
        assert_eq!(writes.accept_after_close(7, 10), 0);
    }
}
