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
    /// Dead, and the modem has not noticed (capture s10), until keep-alive finds it, if that is on.
    Stale {
        link: Link,
        until: Option<Timestamp>,
    },
    /// The peer has closed; what it sent before is still delivered, until then at the latest.
    RemoteClosing {
        link: Link,
        until: Timestamp,
    },
    Closed,
}

impl ChannelState {
    /// As in a `C:` row.
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

    /// Whether data can come from the network.
    pub(in crate::sim) fn receives(self) -> bool {
        match self {
            Self::Connected { .. } | Self::RemoteClosing { .. } => true,
            Self::Initial | Self::Connecting { .. } | Self::Stale { .. } | Self::Closed => false,
        }
    }

    /// Whether the host may send.
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
    /// Where it leads or led.
    pub(in crate::sim) target: Option<Target>,
    pub(in crate::sim) address: Option<IpAddr>,
    /// Bytes that the host has sent on this link.
    pub(in crate::sim) sent: u64,
    /// Those that the network has not taken, one send each.
    pub(in crate::sim) unsent: VecDeque<Vec<u8>>,
    pub(in crate::sim) unsent_bytes: usize,
    /// Manual mode: what waits for `AT+CIPRXGET`.
    pub(in crate::sim) received: VecDeque<u8>,
    /// Manual mode: the host was told and has not read since.
    pub(in crate::sim) announced: bool,
    /// `AT+CIPRXF` as it was at the connect: whether a line end follows pushed data.
    pub(in crate::sim) line_end_follows: bool,
    /// `AT+CIPTKA` as it was at the connect.
    pub(in crate::sim) keep_alive: Option<KeepAlive>,
    /// `AT+CIPSSL` as it was at the connect, and its session.
    pub(in crate::sim) tls: Tls,
    /// Whether the peer or the network has broken it, in transparent mode.
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

    /// Ends it; answers how many unread bytes are destroyed.
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

    /// The protocol, address and port of a `C:` row; the address as text if the network does not know it.
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
