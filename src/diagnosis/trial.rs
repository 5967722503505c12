//! Attempts at connections with TLS, and their checks of the server.

use std::time::Duration;

use crate::at::{ChannelId, ChannelNews, Line, fields};

use super::finding::Proof;
use super::{Code, End, Exchange, Server};

/// The checks of the server. Without `verified` there are none, independent of the other fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Trust {
    /// The certificate must be from an authority (`seclevel` 1 or 2).
    pub(super) verified: bool,
    /// The dates of certificates are checked (`ignorelocaltime` 0).
    pub(super) dated: bool,
    /// The certificate must have a name (`hostname`).
    pub(super) named: bool,
}

impl Trust {
    /// The strictness: a higher number checks more.
    pub(super) fn rank(self) -> u8 {
        if self.verified { 4 | u8::from(self.dated) << 1 | u8::from(self.named) } else { 0 }
    }
}

/// One attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Trial {
    pub(super) server: Option<Server>,
    pub(super) trust: Trust,
    pub(super) end: TrialEnd,
    pub(super) proof: Proof,
}

/// The end of a trial.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TrialEnd {
    Connected,
    /// The module reports that there is no connection, without a reason.
    Failed,
    /// No result came.
    Silent,
    /// A step before the connection failed.
    Stopped(Code),
    /// It was not started, or the result is unknown.
    Unknown,
}

impl Trial {
    /// The trial of an `AT+CIPSTART`, with the checks that were set then.
    pub(super) fn of(trust: Trust, exchange: &Exchange) -> Self {
        let end = match &exchange.end {
            End::Silence => TrialEnd::Silent,
            End::NoFreeChannel | End::TlsOpen | End::NotShown | End::Other(_) => TrialEnd::Unknown,
            End::Final(line) => match Line::parse(line.as_bytes()) {
                Line::Channel { news: ChannelNews::ConnectOk | ChannelNews::AlreadyConnect, .. } => {
                    TrialEnd::Connected
                }
                Line::Channel { news: ChannelNews::ConnectFail, .. } => TrialEnd::Failed,
                _ if exchange.is_refused() => TrialEnd::Failed,
                _ => TrialEnd::Unknown,
            },
        };
        let proof = exchange.proof_after(Some(format!("(TLS: {})", trust.words())));
        Self { server: Server::of_command(&exchange.command), trust, end, proof }
    }
}

impl Trust {
    fn words(self) -> String {
        if !self.verified {
            return "the server is not verified (seclevel 0)".into();
        }
        let dates = if self.dated { "dates matter" } else { "dates do not matter (ignorelocaltime 1)" };
        let name = if self.named { "with a name (hostname)" } else { "without a name" };
        format!("the server is verified (seclevel), {name}, {dates}")
    }
}

impl Server {
    /// The server in `AT+CIPSTART=0,"TCP","host",80`, also without the channel and with or without quotes.
    pub(super) fn of_command(command: &str) -> Option<Self> {
        let (_, list) = command.split_once('=')?;
        let fields = fields(list.as_bytes());
        let protocol = fields.iter().position(|field| field.text().eq_ignore_ascii_case("TCP"))?;
        let host = fields.get(protocol.checked_add(1)?)?.text();
        let port = u16::try_from(fields.get(protocol.checked_add(2)?)?.number()?).ok()?;
        (!host.is_empty()).then_some(Self { host, port })
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.port == other.port && self.host.eq_ignore_ascii_case(&other.host)
    }
}

/// The module's switch between TLS and plain, and its contexts, as set by commands (protocol section 14).
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Secured {
    is_on: bool,
    contexts: [Context; ChannelId::COUNT],
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Context {
    level: u32,
    ignores_time: bool,
    is_named: bool,
}

impl Secured {
    /// The module has started: all settings are lost (assumption A51).
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Notes a command that was answered.
    pub(super) fn note(&mut self, exchange: &Exchange) {
        if exchange.is_refused() || exchange.end == End::Silence {
            return;
        }
        match exchange.command.trim().to_ascii_uppercase().as_str() {
            "AT+CIPSSL=1" => self.is_on = true,
            "AT+CIPSSL=0" => self.is_on = false,
            "AT+CIPSSL?" => {
                let state = exchange.info("+CIPSSL").and_then(|list| list.first()?.number());
                self.is_on = state.map_or(self.is_on, |state| state == 1);
            }
            _ if exchange.begins("AT+SSLCFG=") => {
                let _ = self.set(&exchange.command);
            }
            _ => {}
        }
    }

    /// `AT+SSLCFG="key",<context>,<value>`. Without a value after the comma it erases; without the comma it is a
    /// question.
    fn set(&mut self, command: &str) -> Option<()> {
        let (_, list) = command.split_once('=')?;
        let fields = fields(list.as_bytes());
        let [key, context, value] = fields.as_slice() else { return None };
        let context = self.contexts.get_mut(usize::try_from(context.number()?).ok()?)?;
        match key.text().to_ascii_lowercase().as_str() {
            "seclevel" => context.level = value.number().unwrap_or(0),
            "ignorelocaltime" => context.ignores_time = value.number() == Some(1),
            "hostname" => context.is_named = !value.text().is_empty(),
            _ => {}
        }
        Some(())
    }

    /// The checks of a connection that is started now; `None` if it is plain.
    pub(super) fn trust(&self, command: &str) -> Option<Trust> {
        let command = command.trim_start().to_ascii_uppercase();
        if !(self.is_on && command.starts_with("AT+CIPSTART=") && command.contains("TCP")) {
            return None;
        }
        let (_, list) = command.split_once('=')?;
        // A connection without a channel is the only one, and has context 0.
        let channel = fields(list.as_bytes()).first().and_then(|field| field.number()).unwrap_or(0);
        let context = usize::try_from(channel).ok().and_then(|channel| self.contexts.get(channel))?;
        Some(Trust { verified: context.level > 0, dated: !context.ignores_time, named: context.is_named })
    }
}

/// A failure before this time is an answer from the network; a later one is the module's own time-out (75 s; protocol
/// section 8). No source gives a limit; half a minute is an assumption far from both.
pub(super) const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
