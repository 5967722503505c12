//! Unsolicited result codes.

use std::net::Ipv4Addr;

use super::channel_id::ChannelId;
use super::internet::{DnsError, PingReply};
use super::reply::RegistrationStatus;
use super::reply::{AccessTechnology, Domain, SimState};
use super::transport_error::{TcpError, UdpError};

/// An unsolicited result code (protocol sections 3, 8 to 13). The table is in `urc_table.rs`.
///
/// Unknown lines are kept: [`Urc::Unknown`] reaches the application, too.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Urc {
    /// `<n>, CONNECT OK`.
    ConnectOk(Option<ChannelId>),
    /// `<n>, CONNECT FAIL`.
    ConnectFail(Option<ChannelId>),
    /// `<n>, ALREADY CONNECT`.
    AlreadyConnect(Option<ChannelId>),
    /// `<n>, SEND OK`.
    SendOk(Option<ChannelId>),
    /// `<n>, SEND FAIL`.
    SendFail(Option<ChannelId>),
    /// `DATA ACCEPT:<n>,<len>`.
    DataAccept {
        /// The channel, in multiple connection mode.
        channel: Option<ChannelId>,
        /// The number of accepted bytes.
        len: usize,
    },
    /// `<n>, CLOSE OK`.
    CloseOk(Option<ChannelId>),
    /// `<n>, CLOSED`.
    Closed(Option<ChannelId>),
    /// `TCP ERROR:<n>`.
    TcpError(Option<ChannelId>, Option<TcpError>),
    /// `UDP ERROR:<n>`.
    UdpError(Option<ChannelId>, Option<UdpError>),
    /// `+RECEIVE,<n>,<len>:`; the data themselves go to their socket.
    Received {
        /// The channel.
        channel: ChannelId,
        /// The number of bytes after the header.
        len: usize,
    },
    /// `+CIPRXGET: 1,<n>`: data wait in the module. `None` in single connection mode.
    DataWaiting(Option<ChannelId>),
    /// `+PDP: DEACT`, `+PDP DEACT`, `+SAPBR 1: DEACT`: the bearer and all connections are lost.
    PdpDeactivated,
    /// `*CGEV: DEACT,5`, `+CGEV: NW PDN DEACT 1`, ...: a change of a bearer, as written after the key.
    Bearer(String),
    /// `RDY`: the AT engine has started, so all settings are lost.
    Ready,
    /// `^boot.rom...`: output of the boot ROM before `RDY`.
    BootRom,
    /// `+CPIN: ...`.
    Sim(SimState),
    /// `SMS READY`, `SMS Ready`, `Call Ready`, `+CFUN: 1` and other steps of a start that need no action.
    Started(String),
    /// `^CARDMODE: <n>`.
    CardMode(u32),
    /// `^MODE: 17,17`: the radio service, `0,0` for none.
    Mode(u32, u32),
    /// `+E_UTRAN Service`, `+GSM Service`, `+GPRS Service`, `+NO Service`.
    Service(AccessTechnology),
    /// `+NITZ: ...`, `+CTZE: ...`: the network's time, as written after the key.
    NetworkTime(String),
    /// `+CREG: <stat>`, `+CGREG: <stat>`, `+CEREG: <stat>`.
    Registration(Domain, RegistrationStatus),
    /// `+CDNSGIP: 1,"host","ip"[,"ip"]`: a name was resolved.
    Resolved {
        /// The name in the request.
        host: String,
        /// Its addresses; some firmware gives two.
        addresses: Vec<Ipv4Addr>,
    },
    /// `+CDNSGIP:0,<code>`: a name was not resolved.
    ResolveFailed(DnsError),
    /// `+CIPPING: <n>,"ip",<time>,<ttl>`: one reply, or its absence.
    Ping(PingReply),
    /// `+CMT`, `+CBM`, `+CDS`, `+CUSD`, `+MSUB`: text of people. It is never read as a line of the module. `Debug` and
    /// `Display` show its key and its length only, because such texts contain one-time passwords.
    Message {
        /// The header line, as written.
        header: String,
        /// The text after it; lines are separated by LF. Empty if the header contains the whole text.
        text: String,
    },
    /// A known line that needs no action (`+CSCON`, `+CIEV`, `+EEMLTE...`, `+UPGRADEIND`, `RECV FROM:`, ...).
    Note(String),
    /// An unknown line. Bytes that are not UTF-8 are replaced.
    Unknown(String),
}

impl Urc {
    /// True if the line is known.
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    /// True if the line proves that the module has restarted.
    pub fn is_restart(&self) -> bool {
        matches!(self, Self::Ready | Self::BootRom)
    }

    /// The name of the matching message in the LuatOS `socket` library, if it has one (protocol section 17).
    ///
    /// ```
    /// use air724ug::at::Urc;
    ///
    /// assert_eq!(Urc::parse(b"0, CLOSED").luat_name(), Some("MSG_SOCK_CLOSE_IND"));
    /// assert_eq!(Urc::parse(b"RDY").luat_name(), None);
    /// ```
    pub fn luat_name(&self) -> Option<&'static str> {
        match self {
            Self::ConnectOk(_) | Self::ConnectFail(_) => Some("MSG_SOCK_CONN_CNF"),
            Self::SendOk(_) | Self::SendFail(_) | Self::DataAccept { .. } => Some("MSG_SOCK_SEND_CNF"),
            Self::Received { .. } | Self::DataWaiting(_) => Some("MSG_SOCK_RECV_IND"),
            Self::CloseOk(_) => Some("MSG_SOCK_CLOSE_CNF"),
            Self::Closed(_) | Self::TcpError(..) | Self::UdpError(..) => Some("MSG_SOCK_CLOSE_IND"),
            Self::PdpDeactivated => Some("MSG_PDP_DEACT_IND"),
            Self::AlreadyConnect(_)
            | Self::Bearer(_)
            | Self::Ready
            | Self::BootRom
            | Self::Sim(_)
            | Self::Started(_)
            | Self::CardMode(_)
            | Self::Mode(..)
            | Self::Service(_)
            | Self::NetworkTime(_)
            | Self::Registration(..)
            | Self::Resolved { .. }
            | Self::ResolveFailed(_)
            | Self::Ping(_)
            | Self::Message { .. }
            | Self::Note(_)
            | Self::Unknown(_) => None,
        }
    }
}
