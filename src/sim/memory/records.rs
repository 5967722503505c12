//! The records of connections that are over. Only the newest are kept, to limit the memory of long runs.

use std::collections::BTreeMap;

use super::conversation::Conversation;
use crate::sim::network::Link;

/// The most connections.
const CONNECTIONS: usize = 1024;
/// The most bytes received by their peers.
const BYTES: usize = 64 << 20;

#[derive(Debug, Default)]
pub(super) struct Records {
    kept: BTreeMap<Link, Conversation>,
    bytes: usize,
}

impl Records {
    /// Keeps one, and drops the oldest beyond the limit.
    pub(super) fn keep(&mut self, link: Link, talk: Conversation) {
        self.bytes += talk.received.len();
        self.kept.insert(link, talk);
        while self.kept.len() > CONNECTIONS || self.bytes > BYTES {
            let Some((_, oldest)) = self.kept.pop_first() else {
                break;
            };
            self.bytes -= oldest.received.len();
        }
    }

    pub(super) fn get(&self, link: Link) -> Option<&Conversation> {
        self.kept.get(&link)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Link, &Conversation)> {
        self.kept.iter()
    }
}
