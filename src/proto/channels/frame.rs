//! Payload under way, and how far it is believed.

// Numbers from outside can be anything: no arithmetic on them overflows, no cast cuts them.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use crate::proto::SocketId;

/// Payload under way.
#[derive(Debug)]
pub(super) struct Receiving {
    pub(super) socket: SocketId,
    pub(super) len: usize,
    /// Whether it is given to its socket: that may have ended, or be overrun.
    pub(super) kept: bool,
    /// Whether it was asked for: then it can be read when the whole answer has come.
    pub(super) fetched: bool,
}

/// The data that the fetch in flight has brought.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Fetched {
    /// Nothing.
    #[default]
    Nothing,
    /// A header, and perhaps its data.
    Begun,
    /// All of its data; the `OK` has to be next.
    Whole,
    /// All of its data, and lines of a late answer behind them: the next result belongs to these.
    Interrupted,
    /// All of its data and the `OK`.
    Confirmed,
    /// Data more than once, and some of them may be an older fetch's.
    Twice,
}

/// The suspicion that fetched data belong to a fetch that timed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum LateFetch {
    Possible,
    Impossible,
}

/// Pushed data that have come to their announced end. No byte behind them has shown yet that the announced length is right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum UnconfirmedFrame {
    /// They end like the beginning of a header, or contain the name of one: some of their bytes may be lost, and their end may
    /// belong to the data behind.
    Suspect(SocketId),
    Plain(SocketId),
}
