//! The part of the core that a command in flight belongs to. The session remembers it, and nothing else does.

use super::interface::Ticket;
use super::self_check::SelfCheck;
use crate::at::ChannelId;

/// The part of the core that a command in flight belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Issuer {
    BringUp,
    Channel(ChannelId, Job),
    /// A channel of which everything has ended since: nothing comes of it.
    Abandoned(ChannelId),
    Caller(Ticket),
    SelfCheck(SelfCheck),
    /// The transparent stream.
    Stream,
}

/// The work in flight for a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Job {
    Prepare,
    Start,
    Send,
    Fetch,
    Acknowledgement,
    Close,
}

impl Issuer {
    /// The channel that it belongs to, abandoned or not.
    pub(super) fn channel(self) -> Option<ChannelId> {
        match self {
            Self::Channel(channel, _) | Self::Abandoned(channel) => Some(channel),
            Self::BringUp | Self::Caller(_) | Self::SelfCheck(_) | Self::Stream => None,
        }
    }
}
