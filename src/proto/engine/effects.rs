//! The effects of the application's commands on the other parts of the engine.

use crate::at::ChannelId;
use crate::error::CloseReason;
use crate::proto::channels::{End, ModuleSide};
use crate::proto::requests::Effect;
use crate::time::Timestamp;

use super::Engine;

impl Engine {
    pub(super) fn effect(&mut self, now: Timestamp, effect: Effect) {
        match effect {
            Effect::Reply | Effect::Done => {}
            Effect::Restart => self.restarted(now),
            // Without the radio there is no bearer. When the radio is back, bring-up begins with `AT+CIPSHUT`.
            Effect::RadioOff => {
                self.end_sockets(now, ModuleSide::Released);
                self.bring_up.bearer_lost(now);
                self.bring_up.radio_off();
            }
            Effect::RadioOn => self.bring_up.radio_on(now),
        }
    }

    /// Ends every socket, because the bearer ends.
    pub(super) fn end_sockets(&mut self, now: Timestamp, module_side: ModuleSide) {
        let end = End::Closed(CloseReason::BearerLost);
        self.drop_stream(now, &end);
        let in_flight = self.session.abandon();
        self.channels.end_all(&end, module_side, in_flight, &mut self.out);
        // With `ModuleSide::Unknown` the bearer is still up, and the module may still write a prompt.
        if module_side == ModuleSide::Released {
            for channel in ChannelId::all() {
                self.session.channel_ended(now, channel);
            }
        }
    }
}
