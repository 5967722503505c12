//! The TCP/IP application of the modem: its state machine, its switches and its channels.
//!
//! ```text
//! IP INITIAL --CSTT--> IP START --CIICR--> IP CONFIG --> IP GPRSACT --CIFSR--> IP STATUS
//! single: IP STATUS --CIPSTART--> TCP CONNECTING --> CONNECT OK --CIPCLOSE or peer--> TCP CLOSED --CIPSTART--> ..
//!         IP INITIAL --CIPSTART--> as if CSTT, CIICR and CIFSR had been there
//! multi:  IP STATUS --CIPSTART=n--> IP PROCESSING --all closed--> IP STATUS
//! any --CIPSHUT--> IP INITIAL;  any with a bearer --bearer lost--> PDP DEACT
//! ```
//!
//! Source: the manual's page on the state machine, protocol.md section 6. Only the left part is stored ([`Bearer`]);
//! the states that depend on channels are derived from them.

mod channel;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(in crate::sim) use channel::{Channel, ChannelState};

use super::heartbeat::Heartbeat;
use super::network::{Link, Protocol};
use super::ping::Ping;
use super::profile::Profile;
use super::tls::SslContexts;

/// The state of the application, without the states that depend on channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Bearer {
    /// Nothing is configured.
    Initial,
    /// `AT+CSTT` done.
    Start,
    /// `AT+CIICR` in progress.
    Config,
    /// Active; the address was not read yet.
    Active,
    /// Usable.
    Ready,
    /// Lost; needs `AT+CIPSHUT`.
    Lost,
}

/// The switches of the application; a reboot resets them.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Switches {
    /// `AT+CIPMUX`
    pub(in crate::sim) multi: u8,
    /// `AT+CIPMODE`
    pub(in crate::sim) transparent: u8,
    /// `AT+CIPQSEND`
    pub(in crate::sim) quick_send: u8,
    /// `AT+CIPRXGET`
    pub(in crate::sim) manual_receive: u8,
    /// `AT+CIPHEAD`
    pub(in crate::sim) header: u8,
    /// `AT+CIPSHOWTP`
    pub(in crate::sim) show_protocol: u8,
    /// `AT+CIPSRIP`
    pub(in crate::sim) show_peer: u8,
    /// `AT+CIPRXF`
    pub(in crate::sim) bare_data: u8,
    /// `AT+CIPSPRT`
    pub(in crate::sim) prompt: u8,
    /// `AT+CIPATS`: on, seconds.
    pub(in crate::sim) auto_send: (u8, u16),
    /// `AT+CIPSSL`
    pub(in crate::sim) secure: u8,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            multi: 0,
            transparent: 0,
            quick_send: 0,
            manual_receive: 0,
            header: 0,
            show_protocol: 0,
            show_peer: 0,
            bare_data: 0,
            prompt: 1,
            auto_send: (0, 0),
            secure: 0,
        }
    }
}

/// The settings that `AT+CIPSCONT` preserves over a reset (manual: those that its query shows).
#[derive(Clone, Debug)]
pub(in crate::sim) struct SavedContext {
    switches: Switches,
    transparent_settings: [u16; 8],
    default_access: [String; 3],
}

impl SavedContext {
    /// The current settings. TLS is not among the settings shown.
    pub(in crate::sim) fn of(ip: &Ip) -> Self {
        Self {
            switches: Switches { secure: 0, ..ip.switches.clone() },
            transparent_settings: ip.transparent_settings,
            default_access: ip.default_access.clone(),
        }
    }
}

/// A bearer of `AT+SAPBR`.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct BearerProfile {
    pub(in crate::sim) open: bool,
    /// Kind of connection, access point, user, password, number, rate.
    pub(in crate::sim) parameters: [String; 6],
}

/// The whole application.
#[derive(Debug)]
pub(in crate::sim) struct Ip {
    pub(in crate::sim) bearer: Bearer,
    /// `AT+CSTT`: access point, user, password.
    pub(in crate::sim) access: [String; 3],
    /// `AT+CIPCSGP`: the same, if `AT+CSTT` has no access point.
    pub(in crate::sim) default_access: [String; 3],
    /// The settings saved by `AT+CIPSCONT`.
    pub(in crate::sim) saved: Option<SavedContext>,
    pub(in crate::sim) switches: Switches,
    pub(in crate::sim) channels: Vec<Channel>,
    /// `AT+CIPTKA`: on, idle seconds, interval, probes.
    pub(in crate::sim) keep_alive: [u16; 4],
    /// `AT+CIPCCFG`: retries, wait, size, escape, receive mode, size and time, clean.
    pub(in crate::sim) transparent_settings: [u16; 8],
    /// Transparent data that remain from a broken connection.
    pub(in crate::sim) kept_packet: Vec<u8>,
    /// `AT+CLPORT`: TCP and UDP port of each channel.
    pub(in crate::sim) local_ports: Vec<[u16; 2]>,
    /// `AT+CGDCONT`: type and access point of each context that the host has defined.
    pub(in crate::sim) contexts: BTreeMap<u8, [String; 2]>,
    /// `AT+CGACT`: the contexts other than the default bearer that the host has activated.
    pub(in crate::sim) active_contexts: BTreeSet<u8>,
    /// `AT+SAPBR`
    pub(in crate::sim) bearer_profiles: [BearerProfile; 3],
    /// `AT^HEARTCONFIG` and related commands.
    pub(in crate::sim) heartbeat: Heartbeat,
    /// `AT+CIPPING` in progress.
    pub(in crate::sim) ping: Option<Ping>,
    /// `AT+SSLCFG`
    pub(in crate::sim) ssl: SslContexts,
    /// `AT+CDNSCFG`; `None`: the servers of the network.
    pub(in crate::sim) name_servers: Option<[String; 2]>,
    /// Names requested with `AT+CDNSGIP`.
    pub(in crate::sim) queries: BTreeMap<u64, String>,
    /// The next number of a link or a query.
    next_number: u64,
    /// The channel that delivers data next.
    pub(in crate::sim) turn: usize,
}

impl Ip {
    pub(in crate::sim) fn new(profile: &Profile) -> Self {
        Self {
            bearer: Bearer::Initial,
            access: Default::default(),
            default_access: Default::default(),
            saved: None,
            switches: Switches::default(),
            channels: (0..profile.channels.max(1)).map(|_| Channel::new()).collect(),
            keep_alive: [0, 7200, 75, 9],
            // Manual, CIPCCFG; the receive size has no default there.
            transparent_settings: [5, 2, 1024, 0, 0, 1460, 50, 0],
            kept_packet: Vec::new(),
            local_ports: vec![[0; 2]; usize::from(profile.channels.max(1))],
            contexts: BTreeMap::new(),
            active_contexts: BTreeSet::new(),
            bearer_profiles: Default::default(),
            heartbeat: Heartbeat::default(),
            ping: None,
            ssl: SslContexts::new(profile.tls_version),
            name_servers: None,
            queries: BTreeMap::new(),
            next_number: 0,
            turn: 0,
        }
    }

    /// The state after a reboot, with the settings saved by `AT+CIPSCONT`. Numbers continue, so that events from before
    /// the reboot are not mistaken for new ones.
    pub(in crate::sim) fn restart(&mut self, profile: &Profile) {
        let (next_number, saved) = (self.next_number, self.saved.take());
        *self = Self { next_number, ..Self::new(profile) };
        if let Some(saved) = &saved {
            self.switches = saved.switches.clone();
            self.transparent_settings = saved.transparent_settings;
            self.default_access = saved.default_access.clone();
        }
        self.saved = saved;
    }

    /// `AT+CIPCCFG`: the number of transparent bytes in a packet, and the wait for an incomplete one.
    pub(in crate::sim) fn packet(&self) -> (usize, Duration) {
        let [_, wait, size, ..] = self.transparent_settings;
        (size.into(), Duration::from_millis(u64::from(wait) * 100))
    }

    /// `AT+CIPCCFG`: true if unsent data are dropped when the connection breaks.
    pub(in crate::sim) fn drops_packets(&self) -> bool {
        self.transparent_settings[7] == 1
    }

    pub(in crate::sim) fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number - 1
    }

    pub(in crate::sim) fn multi(&self) -> bool {
        self.switches.multi == 1
    }

    /// The channel of a link.
    pub(in crate::sim) fn channel_of(&self, link: Link) -> Option<usize> {
        self.channels.iter().position(|channel| channel.state.link() == Some(link))
    }

    /// True if the bearer transfers data.
    pub(in crate::sim) fn is_active(&self) -> bool {
        match self.bearer {
            Bearer::Active | Bearer::Ready => true,
            Bearer::Initial | Bearer::Start | Bearer::Config | Bearer::Lost => false,
        }
    }

    /// True if any channel has a link.
    pub(in crate::sim) fn any_link(&self) -> bool {
        self.channels.iter().any(|channel| channel.state.link().is_some())
    }

    /// The state in `AT+CIPSTATUS`.
    pub(in crate::sim) fn state_text(&self, profile: &Profile) -> String {
        match self.bearer {
            Bearer::Initial => "IP INITIAL".to_owned(),
            Bearer::Start => "IP START".to_owned(),
            Bearer::Config => "IP CONFIG".to_owned(),
            Bearer::Active => "IP GPRSACT".to_owned(),
            Bearer::Lost => profile.lost_state.to_owned(),
            Bearer::Ready if self.multi() && self.any_link() => "IP PROCESSING".to_owned(),
            Bearer::Ready if self.multi() => "IP STATUS".to_owned(),
            Bearer::Ready => self.single_state_text(),
        }
    }

    fn single_state_text(&self) -> String {
        let channel = &self.channels[0];
        let protocol = channel.target.as_ref().map_or(Protocol::Tcp, |target| target.protocol);
        match channel.state {
            ChannelState::Initial => "IP STATUS".to_owned(),
            ChannelState::Connecting { .. } => format!("{protocol} CONNECTING"),
            ChannelState::Connected { .. } | ChannelState::Stale { .. } => "CONNECT OK".to_owned(),
            ChannelState::RemoteClosing { .. } => format!("{protocol} CLOSING"),
            ChannelState::Closed => format!("{protocol} CLOSED"),
        }
    }
}
