//! The bytes that were sent on a connection and that a gap may contain.

use std::collections::VecDeque;

use super::super::Socket;
use super::super::transport::Any;
use super::gap::{MAX_KEPT, Missing};
use crate::error::DeliveryUnknown;

/// The bytes that were sent on the present connection.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Their number.
    count: u64,
    /// The last of them.
    kept: VecDeque<u8>,
    /// The number of the last ones that were in flight when their call timed out. The module may not have them.
    pub(super) doubtful: u64,
}

impl Sent {
    /// The application has sent these bytes. They are only counted if the data that the peer has are unknown.
    pub(super) fn put_away(&mut self, data: &[u8], unknown: Option<DeliveryUnknown>) {
        self.count += data.len() as u64;
        if unknown.is_none() {
            self.kept.extend(&data[data.len().saturating_sub(MAX_KEPT)..]);
            self.forget_beyond(MAX_KEPT as u64);
        }
    }

    /// Drops the bytes that the peer has acknowledged.
    pub(super) fn forget_acknowledged(&mut self, socket: &Socket<Any>) {
        self.forget_beyond(self.count.saturating_sub(socket.statistics().acknowledged));
    }

    /// `count` of the last bytes were not sent.
    pub(super) fn take_back(&mut self, count: usize) {
        self.count = self.count.saturating_sub(count as u64);
        self.kept.truncate(self.kept.len().saturating_sub(count));
    }

    /// The result of the bytes in flight is known.
    pub(super) fn settle(&mut self, socket: &Socket<Any>) {
        let refused = self.count.saturating_sub(socket.statistics().given).min(self.doubtful);
        self.take_back(usize::try_from(refused).unwrap_or(usize::MAX));
        self.doubtful = 0;
    }

    /// The data of the ended connection that the peer may not have received.
    pub(super) fn missing(mut self, socket: &Socket<Any>, unknown: Option<DeliveryUnknown>) -> Missing {
        if let Some(why) = unknown {
            return Missing::Unknown { why, sent: self.count };
        }
        let unacknowledged = self.count.saturating_sub(socket.statistics().acknowledged);
        self.forget_beyond(unacknowledged);
        let last = Vec::from(self.kept);
        let before = unacknowledged.saturating_sub(last.len() as u64);
        Missing::Unacknowledged { last, before }
    }

    /// Keeps at most `count` of the last bytes.
    fn forget_beyond(&mut self, count: u64) {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.kept.drain(..self.kept.len().saturating_sub(count));
    }
}
