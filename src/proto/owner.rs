//! The part of the core that a command in flight belongs to.

use super::contract::Ticket;
use super::engine::Check;
use crate::at::ChannelId;

/// Which part of the core a command in flight belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owner {
    BringUp,
    Channel(ChannelId),
    Caller(Ticket),
    Check(Check),
    /// The transparent stream.
    Stream,
}
