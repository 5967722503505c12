//! The form of an unsolicited line in logs: the whole line, but only the length of text of people.

use std::fmt;

use super::urc::Urc;

impl fmt::Debug for Urc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message { header, text } => {
                let (key, len) = hidden(header, text);
                f.debug_struct("Message").field("key", &key).field("len", &len).finish()
            }
            Self::ConnectOk(value) => f.debug_tuple("ConnectOk").field(value).finish(),
            Self::ConnectFail(value) => f.debug_tuple("ConnectFail").field(value).finish(),
            Self::AlreadyConnect(value) => f.debug_tuple("AlreadyConnect").field(value).finish(),
            Self::SendOk(value) => f.debug_tuple("SendOk").field(value).finish(),
            Self::SendFail(value) => f.debug_tuple("SendFail").field(value).finish(),
            Self::DataAccept { channel, len } => {
                f.debug_struct("DataAccept").field("channel", channel).field("len", len).finish()
            }
            Self::CloseOk(value) => f.debug_tuple("CloseOk").field(value).finish(),
            Self::Closed(value) => f.debug_tuple("Closed").field(value).finish(),
            Self::TcpError(first, second) => f.debug_tuple("TcpError").field(first).field(second).finish(),
            Self::UdpError(first, second) => f.debug_tuple("UdpError").field(first).field(second).finish(),
            Self::Received { channel, len } => {
                f.debug_struct("Received").field("channel", channel).field("len", len).finish()
            }
            Self::DataWaiting(value) => f.debug_tuple("DataWaiting").field(value).finish(),
            Self::PdpDeactivated => f.write_str("PdpDeactivated"),
            Self::Bearer(value) => f.debug_tuple("Bearer").field(value).finish(),
            Self::Ready => f.write_str("Ready"),
            Self::BootRom => f.write_str("BootRom"),
            Self::Sim(value) => f.debug_tuple("Sim").field(value).finish(),
            Self::Started(value) => f.debug_tuple("Started").field(value).finish(),
            Self::CardMode(value) => f.debug_tuple("CardMode").field(value).finish(),
            Self::Mode(first, second) => f.debug_tuple("Mode").field(first).field(second).finish(),
            Self::Service(value) => f.debug_tuple("Service").field(value).finish(),
            Self::NetworkTime(value) => f.debug_tuple("NetworkTime").field(value).finish(),
            Self::Registration(first, second) => {
                f.debug_tuple("Registration").field(first).field(second).finish()
            }
            Self::Resolved { host, addresses } => {
                f.debug_struct("Resolved").field("host", host).field("addresses", addresses).finish()
            }
            Self::ResolveFailed(value) => f.debug_tuple("ResolveFailed").field(value).finish(),
            Self::Ping(value) => f.debug_tuple("Ping").field(value).finish(),
            Self::Note(value) => f.debug_tuple("Note").field(value).finish(),
            Self::Unknown(value) => f.debug_tuple("Unknown").field(value).finish(),
        }
    }
}

/// The key of text of people and the length of what follows it. The header may contain text after the key, as that of
/// `+CUSD` does.
pub(super) fn hidden<'a>(header: &'a str, text: &str) -> (&'a str, usize) {
    let key = header.split_once(':').map_or("", |(key, _)| key);
    (key, header.len().saturating_sub(key.len()).saturating_add(text.len()))
}

impl Urc {
    /// The header of text of people with its key only, at the same length; `None` for other lines.
    pub(crate) fn without_text(&self) -> Option<String> {
        let Self::Message { header, .. } = self else { return None };
        let key = header.split_once(':').map_or("", |(key, _)| key);
        let hidden = header.chars().count().saturating_sub(key.chars().count());
        Some(format!("{key}:{}", "*".repeat(hidden.saturating_sub(1))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_text_of_people_the_length_alone_is_shown() {
        let message = Urc::Message {
            header: "+CMT: \"+8613800000000\",,\"24/07/23,08:35:01+32\"".to_owned(),
            text: "Your code is 123456".to_owned(),
        };
        for shown in [format!("{message:?}"), format!("{message}"), format!("{message:#?}")] {
            assert!(!shown.contains("123456") && !shown.contains("86138"), "{shown}");
        }
        assert_eq!(format!("{message:?}"), "Message { key: \"+CMT\", len: 61 }");
        let shown = format!("{:?}", Urc::parse(b"+CUSD: 0,\"Your code is 123456\",15"));
        assert_eq!(shown, "Message { key: \"+CUSD\", len: 28 }");
    }

    #[test]
    fn everything_else_is_shown_whole() {
        for (line, shown) in [
            ("0, CONNECT OK", "ConnectOk(Some(channel 0))"),
            ("RDY", "Ready"),
            ("^MODE: 17,17", "Mode(17, 17)"),
            ("DATA ACCEPT:0,5", "DataAccept { channel: Some(channel 0), len: 5 }"),
            ("hello", "Unknown(\"hello\")"),
        ] {
            assert_eq!(format!("{:?}", Urc::parse(line.as_bytes())), shown);
        }
    }
}
