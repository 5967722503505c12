//! The heartbeat that the module sends by itself on one link (manual, `^HEARTCONFIG` and its family).

use std::time::Duration;

use super::ip::ChannelState;
use super::machine::Machine;
use super::network::Network;
use crate::time::Timestamp;

/// The longest content (manual, `^HEARTBEAT`).
pub(super) const MAX_CONTENT: usize = 256;

/// Its settings and its count.
#[derive(Clone, Debug)]
pub(super) struct Heart {
    /// `AT^HEARTCONFIG`: on, channel, seconds between two.
    pub(super) settings: [u16; 3],
    /// `None`: the module's serial number.
    pub(super) content: Option<Vec<u8>>,
    /// When the time to the next began: the connect, the last beat.
    since: Option<Timestamp>,
    beaten_at: Option<Timestamp>,
    beats: u64,
}

impl Default for Heart {
    fn default() -> Self {
        Self { settings: [0, 0, 120], content: None, since: None, beaten_at: None, beats: 0 }
    }
}

impl Heart {
    /// New settings; switched off, it forgets its count (manual, `^HEARTINQUIRE`).
    pub(super) fn configure(&mut self, settings: [u16; 3]) {
        self.settings = settings;
        self.since = None;
        if settings[0] == 0 {
            (self.beaten_at, self.beats) = (None, 0);
        }
    }

    /// Seconds since the last beat, seconds to the next, beats so far.
    pub(super) fn report(&self, now: Timestamp) -> [u64; 3] {
        let ago = self.beaten_at.map_or(0, |at| (now - at).as_secs());
        let left = self.next_at().map_or(0, |at| (at - now).as_secs());
        [ago, left, self.beats]
    }

    fn next_at(&self) -> Option<Timestamp> {
        self.since.map(|since| since + Duration::from_secs(self.settings[2].into()))
    }
}

impl Machine {
    /// Beats when it is time.
    pub(super) fn heart_timers(&mut self, network: &mut dyn Network) -> bool {
        if !self.heart_runs() {
            self.ip.heart.since = None;
            return false;
        }
        match self.ip.heart.next_at() {
            None => self.ip.heart.since = Some(self.now),
            Some(at) if at <= self.now => {
                self.beat(network);
                return true;
            }
            Some(_) => {}
        }
        false
    }

    pub(super) fn heart_deadline(&self) -> Option<Timestamp> {
        self.ip.heart.next_at().filter(|_| self.heart_runs())
    }

    /// Sends the content now, if there is a link to send it on. A beat that the send buffer has no room for is left out.
    pub(super) fn beat(&mut self, network: &mut dyn Network) {
        if !self.heart_runs() {
            return;
        }
        let heart = &mut self.ip.heart;
        heart.since = Some(self.now);
        let channel = usize::from(heart.settings[1]);
        let content = heart.content.clone().unwrap_or_else(|| self.settings.imei.clone().into_bytes());
        if self.ip.channels[channel].unsent_bytes + content.len() > self.settings.send_buffer {
            return;
        }
        let heart = &mut self.ip.heart;
        heart.beaten_at = Some(self.now);
        heart.beats += 1;
        self.send_on(network, channel, content);
    }

    fn heart_runs(&self) -> bool {
        let [on, channel, _] = self.ip.heart.settings;
        let state = self.ip.channels.get(usize::from(channel)).map(|channel| channel.state);
        on == 1 && matches!(state, Some(ChannelState::Connected { .. } | ChannelState::Stale { .. }))
    }
}
