//! The interruptions of a connection that is made again.

use std::fmt;
use std::time::Duration;

use crate::error::DeliveryUnknown;

/// The most sent bytes that a gap contains.
pub(super) const MAX_KEPT: usize = 256 * 1024;

/// An interruption.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Gap {
    /// The number of this gap, counted for each socket from 1.
    pub number: u64,
    /// The reason why the connection ended, as text.
    pub reason: String,
    /// The data sent before that the peer may not have received.
    pub missing: Missing,
    /// The time from the end of the connection to the new one.
    pub lasted: Duration,
}

/// The data that a peer may not have received before a [`Gap`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Missing {
    /// TCP: the data without an acknowledgement. All data before them are acknowledged.
    Unacknowledged {
        /// The last of these bytes, in order, at most 256 KiB. The peer may have any number of them, from the front.
        last: Vec<u8>,
        /// The number of unacknowledged bytes before those.
        before: u64,
    },
    /// UDP and TLS: unknown. All data after some byte (TLS), or any datagram (UDP), may be missing.
    Unknown {
        /// The reason.
        why: DeliveryUnknown,
        /// The number of bytes that were sent on the connection.
        sent: u64,
    },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unacknowledged { last, before } => write!(f, "{} bytes", last.len() as u64 + before),
            Self::Unknown { why, sent } => write!(f, "any of {sent} bytes: {why}"),
        }
    }
}

impl Missing {
    /// More data were given after the others.
    pub(super) fn extend(&mut self, data: &[u8]) {
        match self {
            Self::Unacknowledged { last, before } => {
                last.extend_from_slice(data);
                let beyond = last.len().saturating_sub(MAX_KEPT);
                last.drain(..beyond);
                *before += beyond as u64;
            }
            Self::Unknown { sent, .. } => *sent += data.len() as u64,
        }
    }
}
