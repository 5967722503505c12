//! The heartbeats of the module.

use super::Machine;
use crate::sim::ip::ChannelState;
use crate::time::Timestamp;

impl Machine {
    /// Sends a beat that is due.
    pub(super) fn heartbeat_timers(&mut self) -> bool {
        if !self.sends_heartbeats() {
            self.ip.heartbeat.stop();
            return false;
        }
        match self.ip.heartbeat.next_at() {
            None => self.ip.heartbeat.wait(self.now),
            Some(at) if at <= self.now => {
                self.beat();
                return true;
            }
            Some(_) => {}
        }
        false
    }

    pub(super) fn heartbeat_deadline(&self) -> Option<Timestamp> {
        self.ip.heartbeat.next_at().filter(|_| self.sends_heartbeats())
    }

    /// Sends the content now, if there is a link. A beat without room in the send buffer is left out.
    pub(super) fn beat(&mut self) {
        if !self.sends_heartbeats() {
            return;
        }
        let heartbeat = &mut self.ip.heartbeat;
        heartbeat.wait(self.now);
        let channel = usize::from(heartbeat.settings[1]);
        let content = heartbeat.content.clone().unwrap_or_else(|| self.settings.imei.clone().into_bytes());
        if self.ip.channels[channel].unsent_bytes + content.len() > self.settings.send_buffer {
            return;
        }
        self.ip.heartbeat.count(self.now);
        self.send_on(channel, content);
    }

    fn sends_heartbeats(&self) -> bool {
        let [on, channel, _] = self.ip.heartbeat.settings;
        let state = self.ip.channels.get(usize::from(channel)).map(|channel| channel.state);
        on == 1 && matches!(state, Some(ChannelState::Connected { .. } | ChannelState::Stale { .. }))
    }
}
