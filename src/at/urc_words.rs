//! An unsolicited line in words, for people.

use std::fmt;

use super::channel_id::ChannelId;
use super::internet::PingReply;
use super::reply::{AccessTechnology, SimState};
use super::urc::Urc;
use super::urc_debug::hidden;

/// The meaning, with the name of the message of LuatOS if it has one: `channel 0: closed by the peer
/// (MSG_SOCK_CLOSE_IND)`. Of text of people the length alone is shown.
impl fmt::Display for Urc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_meaning(f)?;
        self.luat_name().map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

impl Urc {
    fn write_meaning(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConnectOk(channel) => write!(f, "{}connected", On(*channel)),
            Self::ConnectFail(channel) => write!(f, "{}connect failed", On(*channel)),
            Self::AlreadyConnect(channel) => write!(f, "{}already connected", On(*channel)),
            Self::SendOk(channel) => write!(f, "{}data accepted", On(*channel)),
            Self::SendFail(channel) => write!(f, "{}send failed", On(*channel)),
            Self::DataAccept { channel, len } => write!(f, "{}{len} bytes accepted", On(*channel)),
            Self::CloseOk(channel) => write!(f, "{}closed by this side", On(*channel)),
            Self::Closed(channel) => write!(f, "{}closed by the peer", On(*channel)),
            Self::TcpError(channel, Some(error)) => write!(f, "{}TCP error {error}", On(*channel)),
            Self::TcpError(channel, None) => write!(f, "{}TCP error without a number", On(*channel)),
            Self::UdpError(channel, Some(error)) => write!(f, "{}UDP error {error}", On(*channel)),
            Self::UdpError(channel, None) => write!(f, "{}UDP error without a number", On(*channel)),
            Self::Received { channel, len } => write!(f, "{}{len} bytes received", On(Some(*channel))),
            Self::DataWaiting(channel) => write!(f, "{}data wait in the module", On(*channel)),
            Self::PdpDeactivated => {
                f.write_str("the network connection (PDP) is lost, and every socket with it")
            }
            Self::Bearer(change) => write!(f, "a bearer has changed: {change}"),
            Self::Ready => f.write_str("the module has started"),
            Self::BootRom => f.write_str("the module boots"),
            Self::Sim(state) => write!(f, "SIM card: {}", sim(state)),
            Self::Started(line) => write!(f, "{line} (a step of the module's start)"),
            Self::CardMode(mode) => write!(f, "mode of the SIM card: {mode}"),
            Self::Mode(0, _) => f.write_str("no radio service"),
            Self::Mode(mode, submode) => write!(f, "radio service: mode {mode}, {submode}"),
            Self::Service(technology) => f.write_str(service(*technology)),
            Self::NetworkTime(time) => write!(f, "the network's time: {time}"),
            Self::Registration(domain, status) => write!(f, "{domain} registration: {status}"),
            Self::Resolved { host, addresses } => {
                let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                write!(f, "{host} is {}", addresses.join(", "))
            }
            Self::ResolveFailed(error) => write!(f, "the name can't be resolved: {error}"),
            Self::Ping(PingReply { sequence, time: Some(time), .. }) => {
                write!(f, "ping {sequence}: a reply after {time}")
            }
            Self::Ping(PingReply { sequence, time: None, .. }) => write!(f, "ping {sequence}: no reply"),
            Self::Message { header, text } => {
                let (key, len) = hidden(header, text);
                write!(f, "{key}: {len} bytes of text, which is not shown")
            }
            Self::Note(line) => write!(f, "{line} (needs no action)"),
            Self::Unknown(line) => write!(f, "{line} (an unknown line)"),
        }
    }
}

/// The channel before the news about it; nothing if the line names none.
struct On(Option<ChannelId>);

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |channel| write!(f, "channel {channel}: "))
    }
}

fn sim(state: &SimState) -> &str {
    match state {
        SimState::Ready => "ready",
        SimState::PinRequired => "asks for its PIN",
        SimState::PukRequired => "asks for its PUK",
        SimState::Removed => "not found",
        SimState::NotReady => "not ready",
        SimState::Other(state) => state,
    }
}

fn service(technology: AccessTechnology) -> &'static str {
    match technology {
        AccessTechnology::Lte => "LTE service",
        AccessTechnology::Gprs => "2G service with packets",
        AccessTechnology::Gsm => "2G service",
        AccessTechnology::None => "no service",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shown_in_words() {
        for (line, shown) in [
            ("+CUSD: 0,\"Your code is 123456\",15", "+CUSD: 28 bytes of text, which is not shown"),
            ("RDY", "the module has started"),
            ("0, CONNECT FAIL", "channel 0: connect failed (MSG_SOCK_CONN_CNF)"),
            ("CLOSED", "closed by the peer (MSG_SOCK_CLOSE_IND)"),
            ("DATA ACCEPT:0,5", "channel 0: 5 bytes accepted (MSG_SOCK_SEND_CNF)"),
            ("TCP ERROR:12", "TCP error 12 (time out) (MSG_SOCK_CLOSE_IND)"),
            ("+CPIN: SIM PIN", "SIM card: asks for its PIN"),
            ("+CEREG: 2", "LTE registration: searching"),
            ("^MODE: 0,0", "no radio service"),
            ("+NO Service", "no service"),
            ("+CDNSGIP: 1,\"a.test\",\"1.2.3.4\"", "a.test is 1.2.3.4"),
            ("+CIPPING: 1,\"1.2.3.4\",600,255", "ping 1: no reply"),
            ("+CSCON: 0", "+CSCON: 0 (needs no action)"),
            ("hello", "hello (an unknown line)"),
        ] {
            assert_eq!(Urc::parse(line.as_bytes()).to_string(), shown);
        }
    }
}
