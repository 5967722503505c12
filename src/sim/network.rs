//! The network behind the modem's antenna: the [`Network`] trait and its events.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::link_options::LinkOptions;
use crate::time::Timestamp;

/// The name of one connection between the modem and a peer. Never used twice by a simulator, so that a late event
/// of an old connection is never taken for one of its successor on the same channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link(u64);

impl Link {
    /// The link with this number. The simulator counts from 0, in the order of its connects.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "link {}", self.0)
    }
}

/// The transport of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// A byte stream.
    Tcp,
    /// Datagrams.
    Udp,
}

impl fmt::Display for Protocol {
    /// As in `AT+CIPSTART` and `AT+CIPSTATUS`: `TCP`, `UDP`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

/// The target of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// A name or an address, exactly as the host typed it.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}:{}", self.protocol, self.host, self.port)
    }
}

/// The reason why a connection did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectFailure {
    /// The name has no address.
    NoSuchHost,
    /// The peer answered with a reset.
    Refused,
    /// No way there, or this machine has no resources for it.
    Unreachable,
    /// The network itself gave up waiting.
    TimedOut,
    /// The peer answered, but no TLS came about.
    Handshake,
    /// The local port that was asked for is not free.
    LocalPort,
}

/// An event of the network, for the modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkEvent {
    /// The link is open.
    Connected {
        /// Which link.
        link: Link,
        /// The peer's address, where the network knows it.
        address: Option<IpAddr>,
    },
    /// The link did not open.
    Failed {
        /// Which link.
        link: Link,
        /// Why.
        why: ConnectFailure,
    },
    /// [`Network::receive`] may give something now.
    Readable(Link),
    /// [`Network::send`] may take something now.
    Writable(Link),
    /// The peer will send no more. What it sent before can still be read.
    Closed(Link),
    /// The connection broke. What was not read is gone.
    Reset(Link),
    /// The answer to [`Network::ping`].
    Pinged {
        /// The number given with the question.
        query: u64,
        /// The address that has answered.
        address: IpAddr,
    },
    /// The answer to [`Network::resolve`]: the addresses, none if the name has none.
    Resolved {
        /// The number given with the question.
        query: u64,
        /// The addresses.
        addresses: Vec<IpAddr>,
    },
}

/// Wakes the thread that serves the simulator, for a network.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// The world behind the modem. Its calls never block; what takes time is reported by [`poll`](Self::poll).
///
/// Every buffer behind it is bounded: a peer that sends more than the modem takes is slowed down (TCP) or loses
/// datagrams (UDP), and [`send`](Self::send) takes less when the peer does not read.
pub trait Network: 'static {
    /// Says how the link that is connected next is to be made. Called before [`connect`](Self::connect) where the host
    /// has asked for anything; a network that cannot do it may leave it out.
    fn prepare(&mut self, link: Link, options: LinkOptions) {
        let _ = (link, options);
    }

    /// Begins to connect. Ends with [`NetworkEvent::Connected`], [`NetworkEvent::Failed`], or never.
    fn connect(&mut self, now: Timestamp, link: Link, target: &Target);

    /// Hands over bytes; answers how many were taken. A datagram is taken whole or not at all.
    fn send(&mut self, now: Timestamp, link: Link, bytes: &[u8]) -> usize;

    /// The number of bytes sent so far that the peer has acknowledged.
    fn acknowledged(&self, link: Link) -> u64;

    /// Takes received bytes; answers how many, 0 if there is nothing now. Never joins two datagrams.
    fn receive(&mut self, now: Timestamp, link: Link, into: &mut [u8]) -> usize;

    /// Ends the link. Nothing more is reported of it.
    fn close(&mut self, now: Timestamp, link: Link);

    /// Asks for the addresses of a name. Ends with [`NetworkEvent::Resolved`] with the same number.
    fn resolve(&mut self, now: Timestamp, query: u64, host: &str);

    /// Asks whether a host is alive. Ends with [`NetworkEvent::Pinged`] with the same number, or never.
    fn ping(&mut self, now: Timestamp, query: u64, host: &str) {
        let _ = (now, query, host);
    }

    /// The next thing that happened up to `now`.
    fn poll(&mut self, now: Timestamp) -> Option<NetworkEvent>;

    /// The moment at which [`poll`](Self::poll) will have something without any other call. `None`: not before the waker is called.
    fn deadline(&self) -> Option<Timestamp>;

    /// Is told once, by the code that serves the simulator, how to wake it. Networks without threads need none.
    fn set_waker(&mut self, waker: Waker) {
        drop(waker);
    }
}
