//! Channels: open, send, fetch, close (protocol sections 8 to 11).

use std::time::Duration;

use super::super::{ChannelId, Quotable};
use super::Command;
use super::setup::DEFAULT_TIMEOUT;
use super::shape::{SendPrompt, Shape};

/// The protocol of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Protocol {
    /// A stream.
    Tcp,
    /// Datagrams.
    Udp,
}

impl Protocol {
    /// The name of the protocol in `AT+CIPSTART`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }
}

/// The most payload of one `AT+CIPSEND` (section 9), and of one `AT+CIPRXGET=2` (section 11).
pub(crate) const MAX_CHUNK: usize = 1460;

impl Command {
    /// The most payload of one send or fetch, in bytes.
    pub const MAX_CHUNK: usize = MAX_CHUNK;

    /// `AT+CIPSTART=<n>,"TCP","host",port`: `OK` at once, the result later as an unsolicited line of the channel.
    pub fn start(channel: ChannelId, protocol: Protocol, host: &Quotable, port: u16) -> Self {
        let text = format!("AT+CIPSTART={channel},\"{}\",\"{host}\",{port}", protocol.as_str());
        Self::new(text, Shape::Start(channel), DEFAULT_TIMEOUT)
    }

    /// `AT+CIPSEND=<n>,<len>`: prompt, then exactly `len` bytes. The result may take 50 s (section 15).
    pub fn send(channel: ChannelId, len: usize) -> Self {
        Self::send_with(channel, len, SendPrompt::On)
    }

    /// The same, without a prompt if that is off.
    pub(crate) fn send_with(channel: ChannelId, len: usize, prompt: SendPrompt) -> Self {
        Self::new(
            format_args!("AT+CIPSEND={channel},{len}"),
            Shape::Send(channel, len, prompt),
            Duration::from_secs(50),
        )
    }

    /// True for a send whose payload is written with the command.
    pub(crate) fn carries_payload(&self) -> bool {
        matches!(self.shape, Shape::Send(_, _, SendPrompt::Off { .. }))
    }

    /// True for a send or a fetch. Its arguments are a channel and a number of bytes.
    pub(crate) fn moves_data(&self) -> bool {
        matches!(self.shape, Shape::Send(..) | Shape::Fetch(_))
    }

    /// `AT+CIPRXGET=2,<n>,<len>`: fetches up to `len` bytes.
    pub fn fetch(channel: ChannelId, len: usize) -> Self {
        Self::new(format_args!("AT+CIPRXGET=2,{channel},{len}"), Shape::Fetch(channel), DEFAULT_TIMEOUT)
    }

    /// `AT+CIPACK=<n>`: the numbers of sent, acknowledged and unacknowledged bytes since the connect (section 9).
    pub fn acknowledged(channel: ChannelId) -> Self {
        let shape = Shape::Info { keys: &["+CIPACK"], accepts: |list| list.len() == 3 };
        Self::new(format_args!("AT+CIPACK={channel}"), shape, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPCLOSE=<n>`: up to 30 s (section 15).
    pub fn close(channel: ChannelId) -> Self {
        Self::new(format_args!("AT+CIPCLOSE={channel}"), Shape::Close(channel), Duration::from_secs(30))
    }
}
