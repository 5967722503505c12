//! The network behind the modem's antenna: the [`Network`] trait and its events.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::link_options::LinkOptions;
use crate::time::Timestamp;

/// The name of one connection between the modem and a peer. A simulator uses each name once, so that a late event of an
/// old connection is never assigned to its successor on the same channel.
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
    /// The name in `AT+CIPSTART` and `AT+CIPSTATUS`: `TCP`, `UDP`.
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
    /// A name or an address, exactly as the host wrote it.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}:{}", self.protocol, self.host, self.port)
    }
}

/// The reason why a connect failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectFailure {
    /// The name has no address.
    NoSuchHost,
    /// The peer answered with a reset.
    Refused,
    /// No route, or this machine has no resources for it.
    Unreachable,
    /// The network's time-out.
    TimedOut,
    /// The peer answered, but the TLS handshake failed.
    Handshake,
    /// The requested local port is in use.
    LocalPort,
}

impl fmt::Display for ConnectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchHost => "the name has no address",
            Self::Refused => "the peer refused it",
            Self::Unreachable => "no route to the peer",
            Self::TimedOut => "no answer in time",
            Self::Handshake => "the TLS handshake failed",
            Self::LocalPort => "the local port is in use",
        })
    }
}

/// An event of the network, for the modem.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkEvent {
    /// The link is open.
    Connected {
        /// The link.
        link: Link,
        /// The peer's address, if the network knows it.
        address: Option<IpAddr>,
    },
    /// The link did not open.
    Failed {
        /// The link.
        link: Link,
        /// The reason.
        why: ConnectFailure,
    },
    /// [`Network::receive`] may return bytes now.
    Readable(Link),
    /// [`Network::send`] may accept bytes now.
    Writable(Link),
    /// The peer will send no more bytes. Earlier ones can still be read.
    Closed(Link),
    /// The connection broke. Unread bytes are lost.
    Reset(Link),
    /// The answer to [`Network::ping`].
    Pinged {
        /// The number of the query.
        query: u64,
        /// The address that has answered.
        address: IpAddr,
    },
    /// The answer to [`Network::resolve`]: the addresses, empty if the name has none.
    Resolved {
        /// The number of the query.
        query: u64,
        /// The addresses.
        addresses: Vec<IpAddr>,
    },
}

/// Wakes the thread that serves the simulator. Networks call it.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// The network of the modem. Its calls never block; [`poll`](Self::poll) reports results that take time.
///
/// All buffers after it are limited: a peer that sends faster than the modem reads is slowed down (TCP) or loses
/// datagrams (UDP), and [`send`](Self::send) accepts fewer bytes while the peer does not read.
pub trait Network: 'static {
    /// Sets the options of the link that is connected next. It is called before [`connect`](Self::connect) if the host
    /// has set any; a network without support for them may ignore them.
    fn prepare(&mut self, link: Link, options: LinkOptions) {
        let _ = (link, options);
    }

    /// Starts a connect. It ends with [`NetworkEvent::Connected`], [`NetworkEvent::Failed`], or never.
    fn connect(&mut self, now: Timestamp, link: Link, target: &Target);

    /// Sends bytes. Returns the number accepted. A datagram is accepted completely or not at all.
    fn send(&mut self, now: Timestamp, link: Link, bytes: &[u8]) -> usize;

    /// The number of bytes sent so far that the peer has acknowledged.
    fn acknowledged(&self, link: Link) -> u64;

    /// Receives bytes. Returns their number, 0 if there are none now. Two datagrams are never joined.
    fn receive(&mut self, now: Timestamp, link: Link, into: &mut [u8]) -> usize;

    /// Ends the link. No further events of it are reported.
    fn close(&mut self, now: Timestamp, link: Link);

    /// Resolves a name. It ends with [`NetworkEvent::Resolved`] with the same number.
    fn resolve(&mut self, now: Timestamp, query: u64, host: &str);

    /// Pings a host. It ends with [`NetworkEvent::Pinged`] with the same number, or never.
    fn ping(&mut self, now: Timestamp, query: u64, host: &str) {
        let _ = (now, query, host);
    }

    /// The next event up to `now`.
    fn poll(&mut self, now: Timestamp) -> Option<NetworkEvent>;

    /// The time at which [`poll`](Self::poll) has an event without any other call. `None`: not before the waker is
    /// called.
    fn deadline(&self) -> Option<Timestamp>;

    /// Sets the waker, once, by the code that serves the simulator. Networks without threads need none.
    fn set_waker(&mut self, waker: Waker) {
        drop(waker);
    }
}
