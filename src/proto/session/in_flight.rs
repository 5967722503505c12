//! The owner of the command in flight, which the session alone remembers.

use crate::at::ChannelId;
use crate::proto::owner::{Job, Owner};

use super::{Session, State};

impl Session {
    /// Whose command is in flight, or has ended and is held back until its end is certain.
    fn owner_mut(&mut self) -> Option<&mut Owner> {
        match &mut self.state {
            State::Busy(exchange) => Some(&mut exchange.owner),
            State::AtBarrier(barrier) => barrier.owner_mut(),
            State::Waking(_) | State::Idle | State::Online => None,
        }
    }

    /// Whether the command in flight is this channel's, for this.
    pub(in crate::proto) fn is_in_flight(&mut self, channel: ChannelId, job: Job) -> bool {
        self.owner_mut().is_some_and(|owner| *owner == Owner::Channel(channel, job))
    }

    /// Everything on the channels has ended: nothing comes of a command that is in flight for one, which is given back.
    pub(in crate::proto) fn abandon(&mut self) -> Option<ChannelId> {
        let owner = self.owner_mut()?;
        let Owner::Channel(channel, _) = *owner else { return None };
        *owner = Owner::Abandoned(channel);
        Some(channel)
    }
}
