//! A connection that is being made.

use std::time::Duration;

use crate::at::{Protocol, Quotable, Refusal};
use crate::error::{Error, TlsFailure, TlsStep};
use crate::proto::Ticket;
use crate::proto::session::Finished;
use crate::time::Timestamp;
use crate::tls::TlsSettings;

use super::preparation::Preparation;
use super::security::Security;

/// A connection that is being made.
#[derive(Clone, Debug)]
pub(in crate::proto) struct Opening {
    /// The request that waits for it; `None` if it was answered.
    pub(super) ticket: Option<Ticket>,
    pub(super) protocol: Protocol,
    pub(super) host: Quotable,
    pub(super) port: u16,
    pub(super) deadline: Timestamp,
    pub(super) timeout: Duration,
    /// When the application requested it.
    pub(super) asked_at: Timestamp,
    /// When `AT+CIPSTART` was written; before that, when the connection was requested.
    pub(super) started_at: Timestamp,
    /// Whether it was tried before, on a channel that the module still used.
    pub(super) retried: bool,
    /// Data that came for the channel before the connection was confirmed.
    pub(super) strays: StrayData,
    /// The steps before it can be started. `None` for a plain connection, unless the module's TLS switch must be turned
    /// off for it.
    pub(super) preparation: Option<Preparation>,
}

/// Data for a channel without a confirmed connection. They are dropped. They belong to an earlier connection, or to
/// this one, if its `CONNECT OK` was late or lost. In that case this connection lacks data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StrayData {
    /// No such data came.
    None,
    /// Their connection is unknown.
    Doubtful {
        /// When the module was asked.
        asked_at: Timestamp,
        /// The number of the last question for its state that was written before the data came.
        question: u32,
    },
    /// They belong to an earlier connection: the module has reported after them that this one was not made yet. The
    /// value is the moment of the question.
    Earlier(Timestamp),
}

/// The least time between two questions about such data of one channel.
pub(super) const ASK_PAUSE: Duration = Duration::from_secs(1);

impl StrayData {
    /// Data came, after this question for the state of the module. Returns true if the module must be asked which
    /// connection they belong to.
    pub(super) fn came(&mut self, now: Timestamp, question: u32) -> bool {
        let before = match *self {
            Self::None => None,
            Self::Doubtful { asked_at, .. } | Self::Earlier(asked_at) => Some(asked_at),
        };
        let recent = before.filter(|asked_at| now < *asked_at + ASK_PAUSE);
        *self = Self::Doubtful { asked_at: recent.unwrap_or(now), question };
        recent.is_none()
    }

    /// The answer to this question was that the connection is not made yet. If data came after the question, the answer
    /// does not concern them, because it may have waited for the answer to a later command.
    pub(super) fn settle(&mut self, answered: u32) {
        *self = match *self {
            Self::Doubtful { asked_at, question } if question < answered => Self::Earlier(asked_at),
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

    /// The security of the connection.
    pub(super) fn security(&self) -> Security {
        self.preparation.as_ref().map_or(Security::Plain, Preparation::security)
    }

    /// The preparation begins again, on another channel or because files were removed.
    pub(super) fn prepare_again(&mut self) {
        if let Some(preparation) = &mut self.preparation {
            preparation.restart();
        }
    }

    /// True if a preparation has begun.
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

    /// The error of a connection that the module did not begin, with the time that the caller has waited.
    pub(super) fn unanswered(&self, now: Timestamp, finished: &Finished) -> Error {
        let (name, after) = (finished.command.name(), now - self.asked_at);
        match self.security() {
            Security::Plain => Error::timeout(name, after),
            Security::Tls { .. } => Error::Tls { step: TlsStep::Connect, why: TlsFailure::Timeout(after) },
        }
    }

    /// The error of a connection that was not made in time.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::transition_table;

    #[test]
    fn every_transition_of_early_data_is_as_the_table_says() {
        let asked_at = Timestamp::ZERO;
        transition_table::check::<StrayData, _>(
            "
            | input | none | doubtful | earlier |
            | data | doubtful | - | doubtful |
            | the answer to an earlier question | - | - | - |
            | the answer to a later question | - | earlier | - |",
            || {
                let doubtful = StrayData::Doubtful { asked_at, question: 5 };
                vec![StrayData::None, doubtful, StrayData::Earlier(asked_at)]
            },
            &[
                ("data", |it| {
                    let _ = it.came(Timestamp::ZERO, 5);
                }),
                ("the answer to an earlier question", |it| it.settle(5)),
                ("the answer to a later question", |it| it.settle(6)),
            ],
            |it| match it {
                StrayData::None => "none",
                StrayData::Doubtful { .. } => "doubtful",
                StrayData::Earlier(_) => "earlier",
            },
        );
    }

    #[test]
    fn data_are_those_of_an_earlier_connection_by_a_question_after_them() {
        let at = |millis| Timestamp::ZERO + Duration::from_millis(millis);
        let mut strays = StrayData::None;
        assert!(strays.came(at(0), 1));
        strays.settle(1);
        assert!(matches!(strays, StrayData::Doubtful { .. }), "the question was written before them");
        strays.settle(2);
        assert_eq!(strays, StrayData::Earlier(at(0)));
        assert!(!strays.came(at(999), 2), "the module was asked less than a second ago");
        assert_eq!(strays, StrayData::Doubtful { asked_at: at(0), question: 2 });
        assert!(strays.came(at(1000), 2));
    }
}
