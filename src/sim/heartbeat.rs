//! The heartbeat that the module sends by itself on one link (manual, `^HEARTCONFIG` and its family).

use std::time::Duration;

use crate::time::Timestamp;

/// The longest content (manual, `^HEARTBEAT`).
pub(super) const MAX_CONTENT: usize = 256;

/// Its settings and its count.
#[derive(Clone, Debug)]
pub(super) struct Heartbeat {
    /// `AT^HEARTCONFIG`: on, channel, seconds between two.
    pub(super) settings: [u16; 3],
    /// `None`: the module's serial number.
    pub(super) content: Option<Vec<u8>>,
    /// When the time to the next one began: the connect, the last heartbeat.
    since: Option<Timestamp>,
    sent_at: Option<Timestamp>,
    count: u64,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { settings: [0, 0, 120], content: None, since: None, sent_at: None, count: 0 }
    }
}

impl Heartbeat {
    /// New settings; switched off, it forgets its count (manual, `^HEARTINQUIRE`).
    pub(super) fn configure(&mut self, settings: [u16; 3]) {
        self.settings = settings;
        self.since = None;
        if settings[0] == 0 {
            (self.sent_at, self.count) = (None, 0);
        }
    }

    /// Seconds since the last beat, seconds to the next, beats so far.
    pub(super) fn report(&self, now: Timestamp) -> [u64; 3] {
        let ago = self.sent_at.map_or(0, |at| (now - at).as_secs());
        let left = self.next_at().map_or(0, |at| (at - now).as_secs());
        [ago, left, self.count]
    }

    /// There is no link to send one on.
    pub(super) fn stop(&mut self) {
        self.since = None;
    }

    /// The time to the next one begins.
    pub(super) fn wait(&mut self, now: Timestamp) {
        self.since = Some(now);
    }

    /// One is sent.
    pub(super) fn count(&mut self, now: Timestamp) {
        self.sent_at = Some(now);
        self.count += 1;
    }

    /// The moment at which the next one is due.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.since.map(|since| since + Duration::from_secs(self.settings[2].into()))
    }
}
