//! A command that is to be written for a channel.

use crate::at::{ChannelId, Command};
use crate::proto::issuer::Job;

/// A command that is to be written for a channel.
#[derive(Debug)]
pub(in crate::proto) struct ChannelCommand {
    pub(in crate::proto) channel: ChannelId,
    /// What it does.
    pub(in crate::proto) job: Job,
    pub(in crate::proto) command: Command,
    pub(in crate::proto) payload: Option<Vec<u8>>,
}
