//! The interruptions of a connection that comes back.

use std::fmt;
use std::time::Duration;

use crate::error::DeliveryUnknown;

/// How many sent bytes a gap gives back.
pub(super) const MAX_KEPT: usize = 256 * 1024;

/// An interruption.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Gap {
    /// The number of this gap, counted for each socket from 1.
    pub number: u64,
    /// Why the connection ended, in words.
    pub reason: String,
    /// What the peer may not have received of what was sent before.
    pub missing: Missing,
    /// From the end of the connection until the new one stood.
    pub lasted: Duration,
}

/// The data that a peer may not have received before a [`Gap`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Missing {
    /// TCP: what is not known to be acknowledged. Everything before it is.
    Unacknowledged {
        /// The last of it, in order, at most 256 KiB. The peer may have any number of these bytes, from the front.
        last: Vec<u8>,
        /// How many bytes before those are not known to be acknowledged either.
        before: u64,
    },
    /// UDP and TLS: it is unknown. Anything that was sent may be missing, from some byte on (TLS) or any datagram (UDP).
    Unknown {
        /// Why.
        why: DeliveryUnknown,
        /// How many bytes were sent on the connection that has ended.
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
    /// More was given behind the rest.
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
