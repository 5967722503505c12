//! Attempts to connect, and their outcomes.

use crate::at::{ChannelId, ChannelNews, Final, Line};

use super::super::evidence::Evidence;
use super::super::trial::ANSWERED_WITHIN;
use super::super::{Code, End, Exchange};

/// The outcome of the last attempt to connect.
pub(super) enum Outcome {
    Connected,
    Failed { code: Code, summary: &'static str },
    Unknown,
}

/// True if any server was connected.
pub(super) fn is_connected_once(evidence: &Evidence) -> bool {
    evidence.exchanges().any(is_connected)
}

/// True for an attempt that succeeded.
pub(super) fn is_connected(exchange: &Exchange) -> bool {
    is_attempt(exchange) && matches!(outcome(exchange), Outcome::Connected)
}

/// True if the module has taken the data of a send on such a channel.
pub(super) fn is_accepted(exchange: &Exchange, is_channel: impl Fn(Option<ChannelId>) -> bool) -> bool {
    exchange.all_lines().any(|line| match Line::parse(line.as_bytes()) {
        Line::Channel { channel, news: ChannelNews::SendOk | ChannelNews::DataAccept(_) } => {
            is_channel(channel)
        }
        _ => false,
    })
}

/// True for a plain TCP connection, in either mode. `AT+CIPSTART=?` and UDP are no attempts.
pub(super) fn is_attempt(exchange: &Exchange) -> bool {
    exchange.begins("AT+CIPSTART=") && exchange.command.to_ascii_uppercase().contains("TCP")
}

pub(super) fn outcome(exchange: &Exchange) -> Outcome {
    let line = match &exchange.end {
        End::Final(line) => line,
        End::Silence => {
            return Outcome::Failed { code: Code::ServerSilent, summary: "the server does not answer" };
        }
        End::NoFreeChannel => {
            return Outcome::Failed {
                code: Code::NoFreeChannel,
                summary: "all channels of the module are in use",
            };
        }
        End::TlsOpen => {
            return Outcome::Failed { code: Code::TlsOpen, summary: "a plain connection was not tried" };
        }
        End::NotShown | End::Other(_) => return Outcome::Unknown,
    };
    match (Line::parse(line.as_bytes()), exchange.took) {
        (Line::Channel { news: ChannelNews::ConnectOk | ChannelNews::AlreadyConnect, .. }, _) => {
            Outcome::Connected
        }
        (Line::Channel { news: ChannelNews::ConnectFail, .. }, Some(took)) if took < ANSWERED_WITHIN => {
            Outcome::Failed { code: Code::ServerRefuses, summary: "the server refuses the connection" }
        }
        (Line::Channel { news: ChannelNews::ConnectFail, .. }, Some(_)) => {
            Outcome::Failed { code: Code::ServerSilent, summary: "the server does not answer" }
        }
        (Line::Channel { news: ChannelNews::ConnectFail, .. }, None) => {
            Outcome::Failed { code: Code::ConnectFailed, summary: "the connection to the server failed" }
        }
        (Line::Final(Final::Connect), _) => Outcome::Connected,
        (_, _) if exchange.is_refused() => {
            Outcome::Failed { code: Code::ConnectFailed, summary: "the module refuses to connect" }
        }
        (_, _) => Outcome::Unknown,
    }
}
