//! The part of the core that issued the command in flight. It is stored in the session, and nowhere else.

use super::interface::Ticket;
use super::self_check::SelfCheck;
use crate::at::ChannelId;

/// The part of the core that issued a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Issuer {
    BringUp,
    Channel(ChannelId, Job),
    /// A channel whose connection has ended since. The answer has no effect.
    Abandoned(ChannelId),
    Caller(Ticket),
    SelfCheck(SelfCheck),
    /// The transparent stream.
    Stream,
}

/// The purpose of a command of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Job {
    Prepare,
    Start,
    /// Switches the prompt of sends on or off.
    SendPrompt,
    Send,
    Fetch,
    Acknowledgement,
    Close,
}

impl Issuer {
    /// The channel that issued the command, abandoned or not.
    pub(super) fn channel(self) -> Option<ChannelId> {
        match self {
            Self::Channel(channel, _) | Self::Abandoned(channel) => Some(channel),
            Self::BringUp | Self::Caller(_) | Self::SelfCheck(_) | Self::Stream => None,
        }
    }
}
