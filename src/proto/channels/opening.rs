//! A connection on its way.

use std::time::Duration;

use crate::at::{Protocol, Quotable, Refusal};
use crate::error::{Error, TlsFailure, TlsStep};
use crate::proto::Ticket;
use crate::proto::session::Finished;
use crate::time::Timestamp;
use crate::tls::TlsSettings;

use super::preparation::Preparation;
use super::security::Security;

/// A connection on its way.
#[derive(Clone, Debug)]
pub(in crate::proto) struct Opening {
    /// The request that waits; `None` when it is answered.
    pub(super) ticket: Option<Ticket>,
    pub(super) protocol: Protocol,
    pub(super) host: Quotable,
    pub(super) port: u16,
    pub(super) deadline: Timestamp,
    pub(super) timeout: Duration,
    /// When the application has asked for it.
    pub(super) asked_at: Timestamp,
    /// When `AT+CIPSTART` was written, or asked for.
    pub(super) started_at: Timestamp,
    /// Whether the module has once said that it still holds the channel.
    pub(super) retried: bool,
    /// Data that came for the channel before the connection was confirmed.
    pub(super) strays: StrayData,
    /// The steps before it can be started; `None` for a plain connection, unless the module's switch is to be put off for it.
    pub(super) preparation: Option<Preparation>,
}

/// Data for a channel whose connection is not confirmed. They are dropped. They belong to an earlier connection, or to this
/// one, whose `CONNECT OK` was late or lost; then its data have a hole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StrayData {
    /// There were none.
    None,
    /// It is unknown which connection they belong to. The module was asked at this moment.
    Doubtful(Timestamp),
    /// They were an earlier connection's: the module has said behind them that this one did not stand yet.
    Earlier(Timestamp),
}

/// The least time between two questions about the data of one channel.
pub(super) const ASK_PAUSE: Duration = Duration::from_secs(1);

impl StrayData {
    /// Data have come. Returns whether the module is to be asked which connection they belong to.
    pub(super) fn came(&mut self, now: Timestamp) -> bool {
        let asked_at = match *self {
            Self::None => None,
            Self::Doubtful(at) | Self::Earlier(at) => Some(at),
        };
        let asks = asked_at.is_none_or(|at| now >= at + ASK_PAUSE);
        *self = Self::Doubtful(asked_at.filter(|_| !asks).unwrap_or(now));
        asks
    }

    /// The module has said that the connection does not stand yet.
    pub(super) fn settle(&mut self) {
        *self = match *self {
            Self::Doubtful(at) => Self::Earlier(at),
            other => other,
        };
    }
}

impl Opening {
    pub(in crate::proto) fn new(
        ticket: Ticket,
        protocol: Protocol,
        host: Quotable,
        port: u16,
        now: Timestamp,
        timeout: Duration,
    ) -> Self {
        Self {
            ticket: Some(ticket),
            protocol,
            host,
            port,
            deadline: now + timeout,
            timeout,
            asked_at: now,
            started_at: now,
            retried: false,
            strays: StrayData::None,
            preparation: None,
        }
    }
}

impl Opening {
    /// The same connection with TLS.
    pub(in crate::proto) fn secured(self, tls: TlsSettings) -> Self {
        Self { preparation: Some(Preparation::of(tls)), ..self }
    }

    /// What the connection will be.
    pub(super) fn security(&self) -> Security {
        self.preparation.as_ref().map_or(Security::Plain, Preparation::security)
    }

    /// Everything is to be prepared again: on another channel, or because files were removed.
    pub(super) fn prepare_again(&mut self) {
        if let Some(preparation) = &mut self.preparation {
            preparation.restart();
        }
    }

    /// Whether a preparation has begun.
    pub(super) fn is_under_way(&self) -> bool {
        self.preparation.as_ref().is_some_and(Preparation::is_under_way)
    }

    /// The error of a connection that the module did not make.
    pub(super) fn refused(&self, refusal: Refusal) -> Error {
        match self.security() {
            Security::Plain => Error::ConnectFailed(refusal),
            Security::Tls { .. } => Error::Tls { step: TlsStep::Connect, why: TlsFailure::Refused(refusal) },
        }
    }

    /// The error of one that the module did not begin, and how long the caller has waited for it.
    pub(super) fn unanswered(&self, now: Timestamp, finished: &Finished) -> Error {
        let (name, after) = (finished.command.name(), now - self.asked_at);
        match self.security() {
            Security::Plain => Error::timeout(name, after),
            Security::Tls { .. } => Error::Tls { step: TlsStep::Connect, why: TlsFailure::Timeout(after) },
        }
    }

    /// The error of one that was not made in time.
    pub(super) fn late(&self) -> Error {
        match self.security() {
            Security::Plain => Error::timeout("connect", self.timeout),
            Security::Tls { .. } => {
                let step = self.preparation.as_ref().map_or(TlsStep::Turn, Preparation::step);
                Error::Tls { step, why: TlsFailure::Timeout(self.timeout) }
            }
        }
    }
}
