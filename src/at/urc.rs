//! What the module says unasked.

use std::fmt;
use std::net::Ipv4Addr;

use super::internet::{DnsError, PingReply};
use super::line::{ChannelNews, Line, bare_address};
use super::reply::{Access, Domain, SimState, registration_status};
use super::{ChannelId, RegistrationStatus, TcpError, UdpError};

/// An unsolicited result code (protocol sections 3, 8 to 11; variants section 1).
///
/// A line that is not known is kept as it is: [`Urc::Unknown`] reaches the application too.
#[derive(Clone, PartialEq, Eq, Debug)]
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
        /// Bytes taken.
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
        /// Bytes that follow the header.
        len: usize,
    },
    /// `+CIPRXGET: 1,<n>`: data wait in the module. `None` in single connection mode.
    DataWaiting(Option<ChannelId>),
    /// `+PDP: DEACT`, `+PDP DEACT`, `+SAPBR 1: DEACT`: the bearer is gone and every link with it.
    PdpDeactivated,
    /// `*CGEV: DEACT,5`, `+CGEV: NW PDN DEACT 1`, ...: news of a bearer, as written behind the key.
    Bearer(String),
    /// `RDY`: the AT engine is up, so everything that was set is lost.
    Ready,
    /// `^boot.rom...`: the boot ROM's noise before `RDY`.
    BootRom,
    /// `+CPIN: ...`.
    Sim(SimState),
    /// `SMS READY`, `SMS Ready`, `Call Ready`, `+CFUN: 1` and other stages of a start that nobody waits for.
    Started(String),
    /// `^CARDMODE: <n>`.
    CardMode(u32),
    /// `^MODE: 17,17`: the radio service, `0,0` for none.
    Mode(u32, u32),
    /// `+E_UTRAN Service`, `+GSM Service`, `+GPRS Service`, `+NO Service`.
    Service(Access),
    /// `+NITZ: ...`, `+CTZE: ...`: the network's time, as written behind the key.
    NetworkTime(String),
    /// `+CREG: <stat>`, `+CGREG: <stat>`, `+CEREG: <stat>`.
    Registration(Domain, RegistrationStatus),
    /// `+CDNSGIP: 1,"host","ip"[,"ip"]`: a name was resolved.
    Resolved {
        /// The name, as it was asked for.
        host: String,
        /// Its addresses; some firmware gives two.
        addresses: Vec<Ipv4Addr>,
    },
    /// `+CDNSGIP:0,<code>`: a name was not resolved.
    ResolveFailed(DnsError),
    /// `+CIPPING: <n>,"ip",<time>,<ttl>`: one reply, or its absence.
    Ping(PingReply),
    /// A known line that asks nothing of anybody (`+CSCON`, `+CIEV`, `+EEMLTE...`, `+UPGRADEIND`, `RECV FROM:`, ...).
    Note(String),
    /// A line that is not known. Bytes that are not UTF-8 are replaced.
    Unknown(String),
}

/// Keys of lines that come unasked and mean nothing to sockets (protocol section 3).
const NOTE_KEYS: [&str; 12] = [
    "+CSCON",
    "+CIEV",
    "+EEMLTESVC",
    "+EEMLTEINTRA",
    "+EEMLTEINTER",
    "+UPGRADEIND",
    "+QIND",
    "+CTZEU",
    "+CTZV",
    "+HTTPACTION",
    "+MUID",
    "+CRING",
];

impl Urc {
    /// Reads a line that answers nothing.
    pub fn parse(line: &[u8]) -> Self {
        match Line::parse(line) {
            Line::Channel { channel, news } => Self::of_channel(channel, news),
            Line::Info { key, list } => Self::of_info(key, list).unwrap_or_else(|| Self::Unknown(text(line))),
            Line::Text(words) => Self::of_words(words).unwrap_or_else(|| Self::Unknown(text(line))),
            Line::Final(_) | Line::ShutOk | Line::State(_) | Line::Row(_) => Self::Unknown(text(line)),
        }
    }

    /// Whether the line is known.
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    /// Whether the line proves that the module has started anew.
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
            | Self::Note(_)
            | Self::Unknown(_) => None,
        }
    }

    fn of_channel(channel: Option<ChannelId>, news: ChannelNews) -> Self {
        match news {
            ChannelNews::ConnectOk => Self::ConnectOk(channel),
            ChannelNews::ConnectFail => Self::ConnectFail(channel),
            ChannelNews::AlreadyConnect => Self::AlreadyConnect(channel),
            ChannelNews::SendOk => Self::SendOk(channel),
            ChannelNews::SendFail => Self::SendFail(channel),
            ChannelNews::DataAccept(len) => Self::DataAccept { channel, len },
            ChannelNews::CloseOk => Self::CloseOk(channel),
            ChannelNews::Closed => Self::Closed(channel),
            ChannelNews::TcpError(code) => Self::TcpError(channel, code.map(TcpError::new)),
            ChannelNews::UdpError(code) => Self::UdpError(channel, code.map(UdpError::new)),
        }
    }

    fn of_info(key: &[u8], list: &[u8]) -> Option<Self> {
        let key = std::str::from_utf8(key).ok()?;
        if key == "+CIPRXGET" {
            return data_waiting(list);
        }
        let words = || text(list).trim().to_owned();
        let fields = super::fields(list);
        let field = |index: usize| fields.get(index).and_then(super::Field::number);
        Some(match key {
            "+PDP" | "+SAPBR" if words() == "DEACT" => Self::PdpDeactivated,
            "+CGEV" | "*CGEV" => Self::Bearer(words()),
            "+CPIN" => Self::Sim(SimState::parse(list)),
            "^CARDMODE" => Self::CardMode(field(0)?),
            "^MODE" => Self::Mode(field(0)?, field(1)?),
            "+NITZ" | "+CTZE" => Self::NetworkTime(words()),
            "+CREG" | "+CGREG" | "+CEREG" => Self::Registration(
                Domain::of_key(key)?,
                registration_status(&fields, super::reply::Form::Unsolicited)?,
            ),
            "+CFUN" => Self::Started(format!("{key}: {}", words())),
            "+CDNSGIP" => resolved(&fields)?,
            "+CIPPING" => Self::Ping(PingReply::parse(&fields)?),
            key if NOTE_KEYS.contains(&key) => Self::Note(format!("{key}: {}", words())),
            _ => return None,
        })
    }

    fn of_words(words: &[u8]) -> Option<Self> {
        // Noise of a start may be glued in front of the last bytes of an old line.
        if words.starts_with(b"^boot.rom") {
            return Some(Self::BootRom);
        }
        Some(match std::str::from_utf8(words).ok()? {
            "RDY" => Self::Ready,
            "+PDP DEACT" => Self::PdpDeactivated,
            words if words.starts_with("+SAPBR ") && words.ends_with("DEACT") => Self::PdpDeactivated,
            "+E_UTRAN Service" => Self::Service(Access::Lte),
            "+GSM Service" => Self::Service(Access::Gsm),
            "+GPRS Service" => Self::Service(Access::Gprs),
            "+NO Service" => Self::Service(Access::None),
            // The sender of the data that follow, behind `AT+CIPSRIP=1` (protocol section 11; the vendor adds a `+`).
            words if words.trim_start_matches('+').starts_with("RECV FROM:") => Self::Note(words.to_owned()),
            words @ ("SMS READY" | "SMS Ready" | "Call Ready") => Self::Started(words.to_owned()),
            _ => return None,
        })
    }
}

impl fmt::Display for Urc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.luat_name() {
            Some(name) => write!(f, "{self:?} ({name})"),
            None => write!(f, "{self:?}"),
        }
    }
}

/// `+CIPRXGET: 1,<n>` and `+CIPRXGET: 1`; the vendor's `+CIPRXGET:<n>` cannot be told from the single connection's
/// `+CIPRXGET: 1`, so one field names a channel and the engine asks.
fn data_waiting(list: &[u8]) -> Option<Urc> {
    let mut fields = super::fields::each_field(list);
    let channel = match (fields.next()?, fields.next(), fields.next()) {
        (only, None, _) => only,
        (mode, Some(channel), None) if mode.number() == Some(1) => channel,
        (_, Some(_), _) => return None,
    };
    ChannelId::new(channel.number()?).map(|channel| Urc::DataWaiting(Some(channel)))
}

fn resolved(fields: &[super::Field<'_>]) -> Option<Urc> {
    match fields {
        [failed, code] if failed.number() == Some(0) => {
            Some(Urc::ResolveFailed(DnsError::new(code.number()?)))
        }
        [_, host, addresses @ ..] => {
            let addresses = addresses.iter().filter_map(|field| bare_address(field.bytes())).collect();
            Some(Urc::Resolved { host: host.text(), addresses })
        }
        _ => None,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_of_data_is_known_in_every_spelling() {
        for line in ["RECV FROM:1.2.3.4:80", "RECV FROM: 1.2.3.4:80", "+RECV FROM:1.2.3.4:80"] {
            assert_eq!(Urc::parse(line.as_bytes()), Urc::Note(line.to_owned()));
        }
        assert!(!Urc::parse(b"RECV FROM").is_known());
    }
}
