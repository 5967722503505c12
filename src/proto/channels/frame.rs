//! Payload that is being received, and the confirmation of its length.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use crate::proto::SocketId;
use crate::time::Timestamp;

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

impl Fetched {
    /// A header of the channel of the fetch came. Returns true for the first one.
    pub(super) fn header_came(&mut self) -> bool {
        std::mem::replace(self, Self::Begun) == Self::Nothing
    }

    /// The header was not the first one, and a late answer is possible.
    pub(super) fn came_twice(&mut self) {
        *self = Self::Twice;
    }

    /// The last byte of the announced data came.
    pub(super) fn data_ended(&mut self) {
        if *self == Self::Begun {
            *self = Self::Whole;
        }
    }

    /// True if all data came, and nothing after them that settles the fetch.
    pub(super) fn awaits_confirmation(self) -> bool {
        matches!(self, Self::Whole | Self::Interrupted)
    }

    /// A line of a late answer came after the data.
    pub(super) fn interrupted(&mut self) {
        *self = Self::Interrupted;
    }

    /// An `OK` came after the data. Returns true if it belongs to the fetch.
    pub(super) fn confirmed(&mut self) -> bool {
        let is_own = *self == Self::Whole;
        *self = if is_own { Self::Confirmed } else { Self::Whole };
        is_own
    }
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

impl UnconfirmedFrame {
    /// The socket of the data.
    pub(super) fn socket(self) -> SocketId {
        match self {
            Self::Suspect(id) | Self::Plain(id) => id,
        }
    }
}

/// A fetch with its data and an `OK`. If the count of the data was too low, the `OK` may have been payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct UnprovedFetch {
    pub(super) socket: SocketId,
    /// When the fetch was confirmed, or when a later command was answered by an `OK` alone, which may be that of the
    /// fetch.
    pub(super) at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::transition_table;

    #[test]
    fn every_transition_of_a_fetch_is_as_the_table_says() {
        use Fetched::{Begun, Confirmed, Interrupted, Nothing, Twice, Whole};
        transition_table::check::<Fetched, _>(
            "
            | input | nothing | begun | whole | interrupted | confirmed | twice |
            | a header | begun | - | begun | begun | begun | begun |
            | a further header, late answers possible | x | twice | x | x | x | x |
            | the last byte | x | whole | x | x | x | - |
            | a line of a late answer | x | x | interrupted | - | x | x |
            | OK | x | x | confirmed | whole | x | x |
            | the next fetch | - | nothing | nothing | nothing | nothing | nothing |",
            || vec![Nothing, Begun, Whole, Interrupted, Confirmed, Twice],
            &[
                ("a header", |it| {
                    let _ = it.header_came();
                }),
                ("a further header, late answers possible", Fetched::came_twice),
                ("the last byte", Fetched::data_ended),
                ("a line of a late answer", Fetched::interrupted),
                ("OK", |it| {
                    let _ = it.confirmed();
                }),
                ("the next fetch", |it| *it = Fetched::default()),
            ],
            |it| format!("{it:?}").to_lowercase(),
        );
    }
}
