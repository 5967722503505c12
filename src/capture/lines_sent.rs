//! The commands and the payload in the bytes of the host.

use super::announced::announced;
use crate::at::{ChannelNews, Line, Urc};

/// The longest command that is kept. None that matters here is longer, but for the name of a server.
const MAX_COMMAND: usize = 48;

/// Follows the bytes of the host, with what the modem says to them. In doubt they are commands.
#[derive(Debug, Clone, Default)]
pub(super) struct LinesSent {
    /// The part of the command that was written.
    line: Vec<u8>,
    /// True if `AT+CIPMODE=1` was written.
    is_transparent: bool,
    /// True if the last command was `AT+CIFSR`.
    asks_for_address: bool,
    /// True if a command with a secret was written that has no final result code yet.
    awaits_echo: bool,
    stream: Stream,
    send: SendData,
}

/// A transparent stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stream {
    #[default]
    Off,
    /// The command that begins it was written.
    Dialling,
    /// All bytes are data. The host has written this number of characters of `+++`.
    Open { escape: usize },
    /// The host has written `+++`, or a line that ends a stream has come, which may be data. A command proves the end.
    Doubted { has_a: bool },
}

/// The payload of a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum SendData {
    #[default]
    None,
    /// The command has announced this number of bytes.
    Announced(usize),
    /// The prompt has come.
    Prompted(usize),
    /// The first byte is an `A`, which may begin a command of a host that has not seen the prompt.
    AfterA(usize),
    /// This number of bytes is left.
    Open(usize),
}

impl LinesSent {
    /// Takes the next byte. Returns true if it is the payload of a send whose prompt has come.
    pub(super) fn byte(&mut self, byte: u8) -> bool {
        let (left, is_first) = match self.send {
            SendData::None | SendData::Announced(_) => {
                self.text(byte);
                return false;
            }
            SendData::Prompted(left) => (left, true),
            SendData::AfterA(_) if byte.eq_ignore_ascii_case(&b'T') => {
                self.send = SendData::None;
                self.line.extend_from_slice(b"AT");
                return false;
            }
            SendData::AfterA(left) | SendData::Open(left) => (left, false),
        };
        self.send = match left.saturating_sub(1) {
            0 => SendData::None,
            left if is_first && byte.eq_ignore_ascii_case(&b'A') => SendData::AfterA(left),
            left => SendData::Open(left),
        };
        true
    }

    /// A byte of a secret of a command was written: the host is in command mode.
    pub(super) fn secret(&mut self) {
        self.stream = Stream::Off;
        self.awaits_echo = true;
    }

    /// True between the secret of a command and the final result code.
    pub(super) fn awaits_echo(&self) -> bool {
        self.awaits_echo
    }

    /// True if the bytes of the modem are data of a transparent stream.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self.stream, Stream::Open { .. } | Stream::Doubted { .. })
    }

    pub(super) fn asks_for_address(&self) -> bool {
        self.asks_for_address
    }

    /// The modem has written a prompt.
    pub(super) fn prompted(&mut self) {
        if let SendData::Announced(length) = self.send {
            self.send = SendData::Prompted(length);
        }
    }

    /// The modem has written a line.
    pub(super) fn answered(&mut self, line: &[u8]) {
        if self.is_stream() {
            if ends_stream(line) {
                self.stream = Stream::Doubted { has_a: false };
            }
            return;
        }
        if line == b"CONNECT" && self.stream == Stream::Dialling {
            self.stream = Stream::Open { escape: 0 };
        }
        if matches!(line, b"OK" | b"ERROR")
            || line.starts_with(b"+CME ERROR")
            || line.starts_with(b"+CMS ERROR")
        {
            self.awaits_echo = false;
            self.send = SendData::None;
        }
    }

    fn text(&mut self, byte: u8) {
        match self.stream {
            Stream::Open { escape } => {
                let escape = if byte == b'+' { escape.saturating_add(1) } else { 0 };
                let is_escape = escape == ESCAPE;
                self.stream =
                    if is_escape { Stream::Doubted { has_a: false } } else { Stream::Open { escape } };
            }
            Stream::Doubted { has_a: true } if byte.eq_ignore_ascii_case(&b'T') => {
                self.stream = Stream::Off;
                self.line.clear();
                self.line.extend_from_slice(b"AT");
            }
            Stream::Doubted { has_a: false } if matches!(byte, b'\r' | b'\n' | b'+') => {}
            Stream::Doubted { has_a: false } if byte.eq_ignore_ascii_case(&b'A') => {
                self.stream = Stream::Doubted { has_a: true };
            }
            Stream::Doubted { .. } => self.stream = Stream::Open { escape: usize::from(byte == b'+') },
            Stream::Off | Stream::Dialling if matches!(byte, b'\r' | b'\n') => self.command(),
            Stream::Off | Stream::Dialling => {
                if self.line.len() < MAX_COMMAND {
                    self.line.push(byte.to_ascii_uppercase());
                }
            }
        }
    }

    /// A command is complete.
    fn command(&mut self) {
        let line = std::mem::take(&mut self.line);
        let command = String::from_utf8_lossy(line.trim_ascii());
        if command.is_empty() {
            return;
        }
        if let Some((_, mode)) = command.split_once("+CIPMODE=") {
            self.is_transparent = mode.starts_with('1');
        }
        let begins_stream = command.starts_with("AT+CIPSTART=") && self.is_transparent || command == "ATO";
        self.stream = if begins_stream { Stream::Dialling } else { Stream::Off };
        self.asks_for_address = command == "AT+CIFSR";
        let length = announced(&command, true).flatten().filter(|_| command.starts_with("AT+CIPSEND="));
        self.send = length.filter(|length| *length > 0).map_or(SendData::None, SendData::Announced);
    }
}

/// The number of characters of an escape.
const ESCAPE: usize = 3;

/// True if a line ends a transparent stream, unless it is data.
fn ends_stream(line: &[u8]) -> bool {
    let urc = Urc::parse(line);
    urc == Urc::PdpDeactivated
        || urc.is_restart()
        || line == b"NO CARRIER"
        || matches!(
            Line::parse(line),
            Line::Channel {
                channel: None,
                news: ChannelNews::Closed | ChannelNews::ConnectFail | ChannelNews::TcpError(_)
            }
        )
}
