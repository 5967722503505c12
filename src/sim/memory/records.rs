//! The records of connections that are over: the newest only, so that a world that lives for long stays small.

use std::collections::BTreeMap;

use super::conversation::Conversation;
use crate::sim::network::Link;

/// Connections.
const CONNECTIONS: usize = 1024;
/// Bytes that their peers received.
const BYTES: usize = 64 << 20;

#[derive(Debug, Default)]
pub(super) struct Records {
    kept: BTreeMap<Link, Conversation>,
    bytes: usize,
}

impl Records {
    /// Keeps one, and forgets the oldest if they are too many.
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
