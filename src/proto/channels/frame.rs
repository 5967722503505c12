//! Payload that is being received, and the confirmation of its length.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use crate::proto::SocketId;

/// Payload that is being received.
#[derive(Debug)]
pub(super) struct Receiving {
    pub(super) socket: SocketId,
    pub(super) len: usize,
    /// Whether it is stored for its socket. The socket may have ended, or its window may be full.
    pub(super) kept: bool,
    /// Whether it was fetched. Fetched payload becomes readable when the complete answer has come.
    pub(super) fetched: bool,
}

/// The data that came for the fetch in flight.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Fetched {
    /// Nothing.
    #[default]
    Nothing,
    /// A header, and perhaps its data.
    Begun,
    /// All of its data. The `OK` is expected next.
    Whole,
    /// All of its data, and lines of a late answer after them. The next final result code belongs to the late answer.
    Interrupted,
    /// All of its data and the `OK`.
    Confirmed,
    /// Data came more than once. Some may belong to an older fetch.
    Twice,
}

/// The possibility that fetched data belong to a fetch that timed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum LateFetch {
    Possible,
    Impossible,
}

/// Pushed data of the announced length. No byte after them has confirmed the length yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum UnconfirmedFrame {
    /// They end like the beginning of a header, or contain the name of one. Some of their bytes may be lost, and their
    /// end may belong to the following data.
    Suspect(SocketId),
    Plain(SocketId),
}
