//! One channel of the TCP/IP stack.

use std::collections::VecDeque;
use std::net::IpAddr;

use crate::sim::link_options::KeepAlive;
use crate::sim::network::{Link, Protocol, Target};
use crate::sim::tls::Tls;
use crate::time::Timestamp;

/// The state of a channel (manual, state machine; the names of the `C:` rows of `AT+CIPSTATUS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum ChannelState {
    Initial,
    Connecting {
        link: Link,
        until: Timestamp,
    },
    Connected {
        link: Link,
    },
    /// Ended without the modem's knowledge (capture s10), until keep-alive detects it, if it is on.
    Stale {
        link: Link,
        until: Option<Timestamp>,
    },
    /// The peer has closed. The data before the close are still delivered, until this time at the latest.
    RemoteClosing {
        link: Link,
        until: Timestamp,
    },
    Closed,
}

impl ChannelState {
    /// The name in a `C:` row.
    pub(in crate::sim) fn text(self) -> &'static str {
        match self {
            Self::Initial => "INITIAL",
            Self::Connecting { .. } => "CONNECTING",
            Self::Connected { .. } | Self::Stale { .. } => "CONNECTED",
            Self::RemoteClosing { .. } => "REMOTE CLOSING",
            Self::Closed => "CLOSED",
        }
    }

    pub(in crate::sim) fn link(self) -> Option<Link> {
        match self {
            Self::Connecting { link, .. }
            | Self::Connected { link }
            | Self::Stale { link, .. }
            | Self::RemoteClosing { link, .. } => Some(link),
            Self::Initial | Self::Closed => None,
        }
    }

    /// True if data can come from the network.
    pub(in crate::sim) fn receives(self) -> bool {
        match self {
            Self::Connected { .. } | Self::RemoteClosing { .. } => true,
            Self::Initial | Self::Connecting { .. } | Self::Stale { .. } | Self::Closed => false,
        }
    }

    /// True if the host may send.
    pub(in crate::sim) fn sends(self) -> bool {
        match self {
            Self::Connected { .. } | Self::Stale { .. } | Self::RemoteClosing { .. } => true,
            Self::Initial | Self::Connecting { .. } | Self::Closed => false,
        }
    }
}

/// A channel and its buffers.
#[derive(Debug)]
pub(in crate::sim) struct Channel {
    pub(in crate::sim) state: ChannelState,
    /// The current or last remote end.
    pub(in crate::sim) target: Option<Target>,
    pub(in crate::sim) address: Option<IpAddr>,
    /// The number of bytes that the host has sent on this link.
    pub(in crate::sim) sent: u64,
    /// The bytes that the network has not accepted, one entry for each send.
    pub(in crate::sim) unsent: VecDeque<Vec<u8>>,
    pub(in crate::sim) unsent_bytes: usize,
    /// Manual mode: the data that wait for `AT+CIPRXGET`.
    pub(in crate::sim) received: VecDeque<u8>,
    /// Manual mode: true if the data were announced, and not read since.
    pub(in crate::sim) announced: bool,
    /// `AT+CIPRXF` at the connect: true if a line end follows pushed data.
    pub(in crate::sim) line_end_follows: bool,
    /// `AT+CIPTKA` at the connect.
    pub(in crate::sim) keep_alive: Option<KeepAlive>,
    /// `AT+CIPSSL` at the connect, and the session.
    pub(in crate::sim) tls: Tls,
    /// True if the peer or the network has broken the connection, in transparent mode.
    pub(in crate::sim) broken: bool,
}

impl Channel {
    pub(in crate::sim) fn new() -> Self {
        Self {
            state: ChannelState::Initial,
            target: None,
            address: None,
            sent: 0,
            unsent: VecDeque::new(),
            unsent_bytes: 0,
            received: VecDeque::new(),
            announced: false,
            line_end_follows: false,
            keep_alive: None,
            tls: Tls::Off,
            broken: false,
        }
    }

    /// A new connection on this channel.
    pub(in crate::sim) fn connecting(
        target: Target,
        link: Link,
        until: Timestamp,
        line_end_follows: bool,
    ) -> Self {
        Self {
            state: ChannelState::Connecting { link, until },
            target: Some(target),
            line_end_follows,
            ..Self::new()
        }
    }

    /// Ends the connection. Returns the number of unread bytes, which are lost.
    pub(in crate::sim) fn end(&mut self) -> usize {
        let lost = self.received.len();
        self.state = ChannelState::Closed;
        self.tls = Tls::Off;
        self.received = VecDeque::new();
        self.unsent.clear();
        self.unsent_bytes = 0;
        lost
    }

    pub(in crate::sim) fn protocol(&self) -> Protocol {
        self.target.as_ref().map_or(Protocol::Tcp, |target| target.protocol)
    }

    /// The protocol, address and port of a `C:` row; the host's text if the network does not know its address.
    pub(in crate::sim) fn peer(&self) -> (String, String, String) {
        match &self.target {
            None => Default::default(),
            Some(target) => (target.protocol.to_string(), self.peer_address(), target.port.to_string()),
        }
    }

    pub(in crate::sim) fn peer_address(&self) -> String {
        match (&self.address, &self.target) {
            (Some(address), _) => address.to_string(),
            (None, Some(target)) => target.host.clone(),
            (None, None) => String::new(),
        }
    }
}
