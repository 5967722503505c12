//! The part of the core that a command in flight belongs to.

use super::interface::Ticket;
use super::self_check::SelfCheck;
use crate::at::ChannelId;

/// The part of the core that a command in flight belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owner {
    BringUp,
    Channel(ChannelId),
    Caller(Ticket),
    SelfCheck(SelfCheck),
    /// The transparent stream.
    Stream,
}
