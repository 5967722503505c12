//! The events of a trace.

use std::fmt;

use crate::time::Timestamp;

use super::{CoreId, Endpoint, Failure, Pattern, power_on_reason};

/// One event, with its place in the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The lines of the file that show it, in rising order.
    pub lines: Vec<u64>,
    /// The time when it was complete, since the first stamp of the trace; `None` without stamps.
    pub at: Option<Timestamp>,
    /// The kind of the event.
    pub what: EventKind,
}

/// The socket that an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketRef {
    /// The trace shows the number.
    Shown(CoreId),
    /// The trace shows no number, but by the lines around it only this socket is possible, or the trace shows no other
    /// one.
    Paired(CoreId),
    /// Any socket is possible.
    Unknown,
}

/// The side that ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Closer {
    /// The peer: `MSG_SOCK_CLOSE_IND` came before the script's close.
    Peer,
    /// The script: it closed a connection that had not ended.
    Host,
    /// Neither side: the bearer was lost.
    BearerLoss,
    /// The trace does not show it.
    Unknown,
}

/// The kind of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// The module started. All its sockets are lost.
    PowerOn {
        /// The number of the reason ([`power_on_reason`]).
        reason: Option<u8>,
        /// Project, versions, core, as printed.
        firmware: String,
    },
    /// A script or library restarts the module and gives this reason.
    Restart(String),
    /// The AT channel did not answer this command for three minutes; the library then restarts the module.
    AtTimeout(String),
    /// A step of activating the bearer, as printed.
    Link {
        /// The tag.
        step: String,
        /// The text after it.
        text: String,
    },
    /// The bearer is active.
    IpReady,
    /// The bearer and all sockets are lost.
    BearerLost {
        /// The URC or the word that reports it.
        line: String,
    },
    /// The core found no address for a name; a public server was asked over HTTP.
    HttpDns {
        /// Its answer, if it had one.
        address: Option<String>,
    },
    /// The core created no socket.
    Refused(Endpoint),
    /// A connect began.
    Connecting {
        /// The socket.
        id: CoreId,
        /// The remote end.
        endpoint: Endpoint,
        /// The script's time-out, in seconds.
        timeout: Option<u64>,
    },
    /// A socket is connected.
    Connected(SocketRef),
    /// A connect failed.
    ConnectFailed {
        /// The socket.
        socket: SocketRef,
        /// The reason.
        reason: Failure,
    },
    /// The core accepted the data of a send.
    Sent {
        /// The socket.
        socket: SocketRef,
        /// The number of bytes; `None` if the trace does not show which send was confirmed (an asynchronous send prints
        /// nothing, and the default log level hides the others).
        len: Option<u64>,
    },
    /// A script sent 0 bytes. This is no error and has no confirmation.
    SentNothing,
    /// A send failed.
    SendFailed {
        /// The socket.
        socket: SocketRef,
        /// The number of bytes, as in [`EventKind::Sent`].
        len: Option<u64>,
        /// The reason.
        reason: Failure,
    },
    /// A send whose confirmation is not in the trace. It may have succeeded.
    Unconfirmed {
        /// The number of bytes.
        len: u64,
    },
    /// Data came.
    Received {
        /// The socket.
        socket: SocketRef,
        /// The number of bytes.
        len: u64,
    },
    /// The peer closed.
    ClosedByPeer(SocketRef),
    /// The script closes a socket; `None` if it has no number.
    Closing(Option<CoreId>),
    /// A socket is closed.
    Closed {
        /// The socket.
        id: CoreId,
        /// The side that ended the connection.
        by: Closer,
        /// The number that the core printed. It has no meaning.
        number: Option<i64>,
    },
    /// The script used a socket that had ended.
    UsedWhenDead {
        /// The function that it called.
        function: String,
        /// The reason why the socket had ended.
        reason: Failure,
    },
    /// A command to the core and its answer.
    Exchange {
        /// The command; `None` if the trace does not show it.
        command: Option<String>,
        /// The lines of its answer without the last one.
        answer: Vec<String>,
        /// The last line (`OK`, `+CME ERROR: 3`, ...); `None` if the trace does not show it.
        end: Option<String>,
    },
    /// An unsolicited line of the core.
    Urc(String),
    /// A line of the tool that wrote the trace.
    Tool(String),
    /// A line with a known meaning, which is no other event: see [`Pattern::title`].
    Sign(Pattern),
}

impl EventKind {
    /// The pattern of the makers' search list for this event, if there is one.
    pub fn pattern(&self) -> Option<Pattern> {
        match self {
            Self::PowerOn { reason: Some(6), .. } => Some(Pattern::Crash),
            Self::PowerOn { reason: Some(8), .. } => Some(Pattern::Watchdog),
            Self::Restart(_) => Some(Pattern::Restart),
            Self::AtTimeout(_) => Some(Pattern::AtTimeout),
            Self::BearerLost { .. } => Some(Pattern::BearerLost),
            Self::HttpDns { address: Some(_) } => Some(Pattern::HttpDns),
            Self::HttpDns { address: None } => Some(Pattern::NoAddress),
            Self::Refused(_) => Some(Pattern::CoreRefused),
            Self::Connecting { endpoint, .. } if endpoint.is_private() => Some(Pattern::PrivateServer),
            Self::ConnectFailed { reason, .. } => Some(Pattern::ConnectFail(*reason)),
            Self::SendFailed { reason, .. } => Some(Pattern::SendFail(*reason)),
            Self::SentNothing => Some(Pattern::EmptySend),
            Self::ClosedByPeer(_) => Some(Pattern::ClosedByPeer),
            Self::UsedWhenDead { .. } => Some(Pattern::UsedWhenDead),
            Self::Closed { number, .. } if *number != Some(0) => Some(Pattern::CloseNumber),
            Self::Exchange { answer, end, .. } => {
                answer.iter().chain(end).find_map(|line| Pattern::of_modem_line(line))
            }
            Self::Urc(line) => Pattern::of_modem_line(line),
            Self::Tool(text) => Pattern::of_tool_line(text),
            Self::Sign(pattern) => Some(*pattern),
            Self::PowerOn { .. }
            | Self::Link { .. }
            | Self::IpReady
            | Self::Connecting { .. }
            | Self::Connected(_)
            | Self::Sent { .. }
            | Self::Unconfirmed { .. }
            | Self::Received { .. }
            | Self::Closing(_)
            | Self::Closed { .. } => None,
        }
    }
}

impl SocketRef {
    /// The number, shown or paired.
    pub fn id(self) -> Option<CoreId> {
        match self {
            Self::Shown(id) | Self::Paired(id) => Some(id),
            Self::Unknown => None,
        }
    }

    /// The socket that was found by the lines around it, if there is one.
    pub(super) fn paired(id: Option<CoreId>) -> Self {
        id.map_or(Self::Unknown, Self::Paired)
    }
}

impl fmt::Display for SocketRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shown(id) => write!(f, "socket {id}"),
            Self::Paired(id) => write!(f, "socket {id} (its number is not on the line)"),
            Self::Unknown => f.write_str("a socket (number not shown)"),
        }
    }
}

impl fmt::Display for Closer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Peer => "by the peer",
            Self::Host => "by the script",
            Self::BearerLoss => "by loss of the bearer",
            Self::Unknown => "the trace does not show by which side",
        })
    }
}

impl fmt::Display for EventKind {
    /// The event in words, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PowerOn { reason, firmware } => power_on(f, *reason, firmware),
            Self::Restart(reason) => write!(f, "the script restarts the module: {reason}"),
            Self::AtTimeout(command) => write!(f, "no answer to {command}: the module is restarted"),
            Self::Link { step, text } => write!(f, "link: {}", format!("{step} {text}").trim_end()),
            Self::IpReady => f.write_str("the bearer is up"),
            Self::BearerLost { line } => write!(f, "the bearer is lost: {line}"),
            Self::HttpDns { address: Some(address) } => write!(f, "name found over HTTP: {address}"),
            Self::HttpDns { address: None } => f.write_str("name not found, over HTTP neither"),
            Self::Refused(endpoint) => write!(f, "the core gives no socket for {endpoint}"),
            Self::Connecting { id, endpoint, timeout: Some(timeout) } => {
                write!(f, "socket {id} connects to {endpoint}, for {timeout} s at most")
            }
            Self::Connecting { id, endpoint, timeout: None } => {
                write!(f, "socket {id} connects to {endpoint}")
            }
            Self::Connected(socket) => write!(f, "{socket} is connected"),
            Self::ConnectFailed { socket, reason } => write!(f, "{socket}: connect failed, {reason}"),
            Self::Sent { socket, len: Some(len) } => write!(f, "{socket} sent {}", Bytes(*len)),
            Self::Sent { socket, len: None } => write!(f, "{socket} sent something"),
            Self::SentNothing => f.write_str("a send of 0 bytes: nothing to do"),
            Self::SendFailed { socket, len: Some(len), reason } => {
                write!(f, "{socket}: send of {} failed, {reason}", Bytes(*len))
            }
            Self::SendFailed { socket, len: None, reason } => write!(f, "{socket}: send failed, {reason}"),
            Self::Unconfirmed { len } => write!(f, "a send of {}: no confirmation shown", Bytes(*len)),
            Self::Received { socket, len } => write!(f, "{socket} received {}", Bytes(*len)),
            Self::ClosedByPeer(socket) => write!(f, "the peer closed {socket}"),
            Self::Closing(Some(id)) => write!(f, "the script closes socket {id}"),
            Self::Closing(None) => f.write_str("the script closes a socket that never got a number"),
            Self::Closed { id, by, .. } => write!(f, "socket {id} is gone, ended {by}"),
            Self::UsedWhenDead { function, reason } => {
                write!(f, "{function} called for a socket that has ended, {reason}")
            }
            Self::Exchange { command, answer, end } => {
                exchange(f, command.as_deref(), answer, end.as_deref())
            }
            Self::Urc(line) => write!(f, "news: {line}"),
            Self::Tool(text) => write!(f, "tool: {text}"),
            Self::Sign(pattern) => f.write_str(pattern.title()),
        }
    }
}

/// A number of bytes in words.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} byte{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

fn power_on(f: &mut fmt::Formatter<'_>, reason: Option<u8>, firmware: &str) -> fmt::Result {
    f.write_str("the module started")?;
    match (reason, reason.and_then(power_on_reason)) {
        (_, Some(words)) => write!(f, " by {words}")?,
        (Some(number), None) => write!(f, ", reason {number}")?,
        (None, None) => {}
    }
    if firmware.is_empty() { Ok(()) } else { write!(f, ": {firmware}") }
}

fn exchange(
    f: &mut fmt::Formatter<'_>,
    command: Option<&str>,
    answer: &[String],
    end: Option<&str>,
) -> fmt::Result {
    f.write_str(command.unwrap_or("(a command not shown)"))?;
    f.write_str(" ->")?;
    for line in answer.iter().map(String::as_str).chain([end.unwrap_or("(no end shown)")]) {
        write!(f, " {line};")?;
    }
    Ok(())
}
