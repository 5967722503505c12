//! The terms in the prints of the libraries.

use std::fmt;
use std::net::Ipv4Addr;

use crate::capture::number;

/// The core's number for a socket, as printed. A later socket may get the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CoreId(u8);

impl CoreId {
    /// A number of the core; the module has ten sockets.
    pub const fn new(id: u8) -> Self {
        Self(id)
    }

    /// The number.
    pub const fn number(self) -> u8 {
        self.0
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        number(word.as_bytes()).and_then(|id| u8::try_from(id).ok()).map(Self)
    }
}

impl fmt::Display for CoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The transport of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// `TCP`
    Tcp,
    /// `UDP`
    Udp,
    /// `TCPSSL`
    Tls,
}

impl Transport {
    /// The most bytes that the library passes to the core at once; the core confirms each piece (`socket.lua`: 11200,
    /// and 1472 for UDP).
    pub const fn piece(self) -> u64 {
        match self {
            Self::Tcp | Self::Tls => 11_200,
            Self::Udp => 1_472,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Tls => "TLS",
        })
    }
}

/// The remote end of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// The transport.
    pub transport: Transport,
    /// Name or address.
    pub host: String,
    /// Port, as printed.
    pub port: String,
}

impl Endpoint {
    /// True if the module's network can't reach it: a private, loopback or link-local IPv4 address.
    pub fn is_private(&self) -> bool {
        let is_private = |address: Ipv4Addr| {
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
        };
        self.host.parse().is_ok_and(is_private)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}:{}", self.transport, self.host, self.port)
    }
}

/// An operation of the core on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// `SOCKET_CONNECT`
    Connect,
    /// `SOCKET_SEND`
    Send,
    /// `SOCKET_CLOSE`
    Close,
}

impl Operation {
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "SOCKET_CONNECT" => Self::Connect,
            "SOCKET_SEND" => Self::Send,
            "SOCKET_CLOSE" => Self::Close,
            _ => return None,
        })
    }
}

/// The reason why a connect or a send failed, or why a socket has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// `RESPONSE`: the core reported it.
    Response,
    /// `TIMEOUT`: the core did not answer in time.
    Timeout,
    /// `CLOSED`: the peer closed.
    Closed,
    /// `IP_ERROR_IND`: the bearer was lost.
    IpError,
    /// Another word, or none.
    Other,
}

impl Failure {
    pub(super) fn parse(text: &str) -> Self {
        match text.trim() {
            "RESPONSE" => Self::Response,
            "TIMEOUT" => Self::Timeout,
            "CLOSED" | "closed" => Self::Closed,
            "IP_ERROR_IND" => Self::IpError,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Failure {
    /// The word of the trace, but for [`Failure::Other`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Response => "RESPONSE",
            Self::Timeout => "TIMEOUT",
            Self::Closed => "CLOSED",
            Self::IpError => "IP_ERROR_IND",
            Self::Other => "another reason",
        })
    }
}
