//! Questions of the application, and what their answers become.

// Numbers from outside can be anything: no arithmetic on them overflows, no cast cuts them.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use crate::at::{ClockTime, Domain, Field, Line, PingReply, RegistrationStatus, SignalQuality, Urc};
use crate::error::Error;

use super::Response;

/// What an answer becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Lines,
    Signal,
    Registration(Domain),
    Clock,
    /// The answer comes as news, before or behind the command's final.
    Resolve,
    /// The same, several times.
    Ping,
    Done(Effect),
}

/// What a command that was done means for the rest of the core.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    None,
    RadioOff,
    RadioOn,
    Restart,
}

/// News that answer a request.
#[derive(Debug, Default)]
pub(super) struct Early {
    resolved: Option<Result<Response, Error>>,
    pings: Vec<PingReply>,
}

/// How many pings one command sends (capture a19: four).
const PINGS: usize = 4;

impl Kind {
    /// Whether the answer comes as news.
    pub(super) fn is_news(self) -> bool {
        matches!(self, Self::Resolve | Self::Ping)
    }

    pub(super) fn effect(self) -> Option<Effect> {
        match self {
            Self::Done(effect) => Some(effect),
            Self::Lines | Self::Signal | Self::Registration(_) | Self::Clock | Self::Resolve | Self::Ping => {
                None
            }
        }
    }
}

impl Early {
    /// Keeps news that this kind of request waits for.
    pub(super) fn take(&mut self, kind: Kind, urc: &Urc) {
        match (kind, urc) {
            (Kind::Resolve, Urc::Resolved { addresses, .. }) if !addresses.is_empty() => {
                self.resolved = Some(Ok(Response::Addresses(addresses.clone())));
            }
            (Kind::Resolve, Urc::ResolveFailed(code)) => {
                self.resolved = Some(Err(Error::ResolveFailed(*code)))
            }
            (Kind::Ping, Urc::Ping(reply)) if self.pings.len() < PINGS => self.pings.push(*reply),
            _ => {}
        }
    }

    /// Whether nothing more is to come.
    pub(super) fn is_complete(&self, kind: Kind) -> bool {
        match kind {
            Kind::Resolve => self.resolved.is_some(),
            Kind::Ping => self.pings.len() == PINGS,
            Kind::Lines | Kind::Signal | Kind::Registration(_) | Kind::Clock | Kind::Done(_) => true,
        }
    }

    /// What there is when time is up, if that is worth anything.
    pub(super) fn partial(&self, kind: Kind) -> Option<Response> {
        match kind {
            Kind::Ping if !self.pings.is_empty() => Some(Response::Pings(self.pings.clone())),
            _ => None,
        }
    }
}

/// The answer to a question.
pub(super) fn response(
    kind: Kind,
    lines: Vec<String>,
    early: Early,
    command: &str,
) -> Result<Response, Error> {
    let unexpected = || Error::Unexpected(format!("{command} was answered with {lines:?}").into());
    match kind {
        Kind::Lines => Ok(Response::Lines(lines)),
        Kind::Done(_) => Ok(Response::Done),
        Kind::Clock => ClockTime::of_reply(&lines).map(Response::Clock).ok_or_else(unexpected),
        Kind::Resolve => early.resolved.unwrap_or_else(|| Err(unexpected())),
        Kind::Ping => Ok(Response::Pings(early.pings)),
        Kind::Signal => {
            let list = fields_of(&lines, &["+CSQ"]).ok_or_else(unexpected)?;
            SignalQuality::parse(&list).map(Response::Signal).ok_or_else(unexpected)
        }
        Kind::Registration(domain) => {
            let keys: &[&str] = match domain {
                Domain::Circuit => &["+CREG"],
                Domain::Packet => &["+CGREG", "+CEREG"],
                Domain::Lte => &["+CEREG", "+CGREG"],
            };
            let list = fields_of(&lines, keys).ok_or_else(unexpected)?;
            let status = list.get(1).and_then(Field::number).and_then(RegistrationStatus::new);
            status.map(Response::Registration).ok_or_else(unexpected)
        }
    }
}

fn fields_of<'a>(lines: &'a [String], keys: &[&str]) -> Option<Vec<Field<'a>>> {
    lines.iter().find_map(|line| {
        let line = Line::parse(line.as_bytes());
        keys.iter().find_map(|key| line.info(key))
    })
}
