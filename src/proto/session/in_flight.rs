//! The issuer of the command in flight. It is stored in the session only.

use crate::at::ChannelId;
use crate::proto::issuer::{Issuer, Job};

use super::{Session, State};

impl Session {
    /// The issuer of the command that is in flight, or held back until its result is certain.
    fn issuer_mut(&mut self) -> Option<&mut Issuer> {
        match &mut self.state {
            State::Busy(exchange) => Some(&mut exchange.issuer),
            State::AtBarrier(barrier) => barrier.issuer_mut(),
            State::Waking(_) | State::Idle | State::Online => None,
        }
    }

    /// True if the command in flight was issued by this channel for this job.
    pub(in crate::proto) fn is_in_flight(&mut self, channel: ChannelId, job: Job) -> bool {
        self.issuer_mut().is_some_and(|issuer| *issuer == Issuer::Channel(channel, job))
    }

    /// All connections have ended: the answer to a channel's command in flight will have no effect. Returns that
    /// channel.
    pub(in crate::proto) fn abandon(&mut self) -> Option<ChannelId> {
        let issuer = self.issuer_mut()?;
        let Issuer::Channel(channel, _) = *issuer else { return None };
        *issuer = Issuer::Abandoned(channel);
        Some(channel)
    }
}
