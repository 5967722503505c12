//! The heartbeat that the module sends automatically on one link (manual, `^HEARTCONFIG` and related commands).

use std::time::Duration;

use crate::time::Timestamp;

/// The longest content (manual, `^HEARTBEAT`).
pub(super) const MAX_CONTENT: usize = 256;

/// The settings and the count of the heartbeat.
#[derive(Clone, Debug)]
pub(super) struct Heartbeat {
    /// `AT^HEARTCONFIG`: on, channel, interval in seconds.
    pub(super) settings: [u16; 3],
    /// `None`: the module's serial number.
    pub(super) content: Option<Vec<u8>>,
    /// The start of the interval: the connect, or the last heartbeat.
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
    /// Sets new settings. Off resets the count (manual, `^HEARTINQUIRE`).
    pub(super) fn configure(&mut self, settings: [u16; 3]) {
        self.settings = settings;
        self.since = None;
        if settings[0] == 0 {
            (self.sent_at, self.count) = (None, 0);
        }
    }

    /// The seconds since the last beat, the seconds to the next, and the number of beats.
    pub(super) fn report(&self, now: Timestamp) -> [u64; 3] {
        let ago = self.sent_at.map_or(0, |at| (now - at).as_secs());
        let left = self.next_at().map_or(0, |at| (at - now).as_secs());
        [ago, left, self.count]
    }

    /// Stops, because there is no link.
    pub(super) fn stop(&mut self) {
        self.since = None;
    }

    /// Starts the interval to the next one.
    pub(super) fn wait(&mut self, now: Timestamp) {
        self.since = Some(now);
    }

    /// Counts a beat that is sent.
    pub(super) fn count(&mut self, now: Timestamp) {
        self.sent_at = Some(now);
        self.count += 1;
    }

    /// The time of the next one.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.since.map(|since| since + Duration::from_secs(self.settings[2].into()))
    }
}
