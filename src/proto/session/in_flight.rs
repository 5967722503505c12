//! The owner of the command in flight, which the session alone remembers.

use crate::at::ChannelId;
use crate::proto::issuer::{Issuer, Job};

use super::{Session, State};

impl Session {
    /// Whose command is in flight, or has ended and is held back until its end is certain.
    fn issuer_mut(&mut self) -> Option<&mut Issuer> {
        match &mut self.state {
            State::Busy(exchange) => Some(&mut exchange.issuer),
            State::AtBarrier(barrier) => barrier.issuer_mut(),
            State::Waking(_) | State::Idle | State::Online => None,
        }
    }

    /// Whether the command in flight is this channel's, for this.
    pub(in crate::proto) fn is_in_flight(&mut self, channel: ChannelId, job: Job) -> bool {
        self.issuer_mut().is_some_and(|issuer| *issuer == Issuer::Channel(channel, job))
    }

    /// Everything on the channels has ended: nothing comes of a command that is in flight for one, which is given back.
    pub(in crate::proto) fn abandon(&mut self) -> Option<ChannelId> {
        let issuer = self.issuer_mut()?;
        let Issuer::Channel(channel, _) = *issuer else { return None };
        *issuer = Issuer::Abandoned(channel);
        Some(channel)
    }
}
