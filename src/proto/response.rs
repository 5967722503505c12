//! The answer to a request.

use super::SocketId;
use crate::query::{CurrentOperator, Query, Reply};

/// The answer to a request.
#[derive(Debug)]
#[non_exhaustive]
pub enum Response {
    /// Sockets can be opened.
    Ready,
    /// The socket is open.
    Connected(SocketId),
    /// The module has accepted some or all of the bytes.
    Sent {
        /// Bytes that the module has accepted.
        accepted: usize,
        /// The buffer of the request.
        data: Vec<u8>,
    },
    /// The socket is closed, on the module too.
    Closed,
    /// The answer to a command.
    Reply(Reply),
    /// The number of bytes that are not acknowledged.
    Unacknowledged(u32),
    /// It was done.
    Done,
}

impl Response {
    /// The operator, if the answer names one.
    pub(crate) fn operator(&self) -> Option<String> {
        match self {
            Self::Reply(reply) if reply.command().eq_ignore_ascii_case(CurrentOperator::TEXT) => {
                CurrentOperator.read(reply).flatten().map(|operator| operator.name)
            }
            _ => None,
        }
    }
}
