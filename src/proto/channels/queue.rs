//! Connections that wait for a channel.

use std::collections::VecDeque;

use crate::time::Timestamp;

use super::opening::Opening;

/// Connections that wait for a channel, in order. There are never more than channels that are being released.
#[derive(Debug, Default)]
pub(in crate::proto) struct Queue(pub(super) VecDeque<Opening>);

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The earliest time-out of one of them.
    pub(super) fn deadline(&self) -> Timestamp {
        self.0.iter().map(|opening| opening.deadline).min().unwrap_or(Timestamp::MAX)
    }
}
