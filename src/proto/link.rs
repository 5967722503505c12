//! What the module holds on one channel, and how that changes. All transitions are in this file.

use std::time::Duration;

use crate::at::{Protocol, Quotable};
use crate::time::Timestamp;

use super::Ticket;
use super::tls::Preparation;

/// The module's side of a channel.
///
/// | state | on | next |
/// |---|---|---|
/// | `Idle` | the application asks for a connection, or one waits for a channel ([`Queue`](super::queue::Queue)) | `Wanted` |
/// | `Wanted` | its turn: a command that prepares it is written | `Preparing` |
/// | `Preparing` | that has ended well | `Wanted` |
/// | `Preparing` | that has failed, or nobody waits any more | `Idle` |
/// | `Wanted` | its turn, and nothing is left to prepare: `AT+CIPSTART` is written | `Starting` |
/// | `Starting` | `OK` | `Connecting` |
/// | `Starting`, `Connecting` | `CONNECT OK` | `Up` |
/// | `Starting`, `Connecting` | refusal, `CONNECT FAIL`, `ALREADY CONNECT`, time-out | `Used` |
/// | `Up` | `CLOSED`, an error, the application closes | `Used`, or `Draining` if unread data wait in the module |
/// | `Draining` | nothing is left, or the module refuses | `Used` |
/// | `Used` | its turn: `AT+CIPCLOSE` is written | `Closing` |
/// | `Closing` | `CLOSE OK` or a refusal | `Idle` |
/// | `Closing` | no answer | `Used` |
/// | `Idle` | a transparent stream begins on this channel | `Stream` |
/// | `Stream` | it is over ([`Transparent`](super::transparent::Transparent)) | `Idle` |
/// | any | bearer lost, restart, port lost | `Idle` |
#[derive(Debug, Default)]
pub(super) enum Link {
    /// Nothing. A channel that timed out may still give a late result, so it is taken last until then.
    #[default]
    Idle,
    /// To be opened when its turn comes.
    Wanted(Opening),
    /// A command that prepares it is in flight.
    Preparing(Opening),
    /// `AT+CIPSTART` is in flight.
    Starting(Opening),
    /// The module is connecting.
    Connecting(Opening),
    /// Connected.
    Up,
    /// The peer has closed, but the module may still hold data (manual receive).
    Draining,
    /// The module holds something that is to be closed.
    Used,
    /// `AT+CIPCLOSE` is in flight.
    Closing,
    /// It stands for the one connection of a transparent stream, which has its own ways.
    Stream,
}

/// A connection on its way.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    /// Who waits; `None` when nobody does any more.
    pub(super) ticket: Option<Ticket>,
    pub(super) protocol: Protocol,
    pub(super) host: Quotable,
    pub(super) port: u16,
    pub(super) deadline: Timestamp,
    pub(super) timeout: Duration,
    /// When `AT+CIPSTART` was written, or asked for.
    pub(super) started_at: Timestamp,
    /// Whether the module has once said that it still holds the channel.
    pub(super) retried: bool,
    /// What is to be done before it can be started.
    pub(super) preparation: Preparation,
}

impl Link {
    /// The connection on its way, if there is one.
    pub(super) fn opening(&self) -> Option<&Opening> {
        match self {
            Self::Wanted(opening)
            | Self::Preparing(opening)
            | Self::Starting(opening)
            | Self::Connecting(opening) => Some(opening),
            Self::Idle | Self::Up | Self::Draining | Self::Used | Self::Closing | Self::Stream => None,
        }
    }

    /// Whether the module is making a connection, during which some firmware answers nothing else.
    pub(super) fn is_connecting(&self) -> bool {
        matches!(self, Self::Starting(_) | Self::Connecting(_))
    }

    /// Whether data can be sent.
    pub(super) fn can_send(&self) -> bool {
        matches!(self, Self::Up | Self::Stream)
    }

    /// Whether data can be fetched.
    pub(super) fn can_fetch(&self) -> bool {
        matches!(self, Self::Up | Self::Draining)
    }

    /// A command that prepares it is written.
    pub(super) fn preparing(&mut self) {
        *self = match std::mem::take(self) {
            Self::Wanted(opening) => Self::Preparing(opening),
            other => other,
        };
    }

    /// `AT+CIPSTART` is written.
    pub(super) fn started(&mut self, now: Timestamp) {
        *self = match std::mem::take(self) {
            Self::Wanted(opening) => Self::Starting(Opening { started_at: now, ..opening }),
            other => other,
        };
    }

    /// The module has begun to connect.
    pub(super) fn accepted(&mut self) {
        *self = match std::mem::take(self) {
            Self::Starting(opening) => Self::Connecting(opening),
            other => other,
        };
    }

    /// The connection stands, or its making has failed: gives back what was being made.
    pub(super) fn take_opening(&mut self, next: Self) -> Option<Opening> {
        match std::mem::take(self) {
            Self::Wanted(opening)
            | Self::Preparing(opening)
            | Self::Starting(opening)
            | Self::Connecting(opening) => {
                *self = next;
                Some(opening)
            }
            other => {
                *self = other;
                None
            }
        }
    }

    /// Who waits for the connection, to be told otherwise than by its result.
    pub(super) fn take_ticket(&mut self) -> Option<Ticket> {
        match self {
            Self::Wanted(opening)
            | Self::Preparing(opening)
            | Self::Starting(opening)
            | Self::Connecting(opening) => opening.ticket.take(),
            Self::Idle | Self::Up | Self::Draining | Self::Used | Self::Closing | Self::Stream => None,
        }
    }

    /// Nobody wants the channel any more.
    pub(super) fn release(&mut self) {
        *self = match std::mem::take(self) {
            Self::Idle | Self::Wanted(_) => Self::Idle,
            Self::Preparing(opening) => Self::Preparing(Opening { ticket: None, ..opening }),
            // A command is in flight: what it leaves behind is closed when it has ended.
            Self::Starting(opening) => Self::Starting(Opening { ticket: None, ..opening }),
            Self::Closing => Self::Closing,
            Self::Stream => Self::Stream,
            Self::Connecting(_) | Self::Up | Self::Draining | Self::Used => Self::Used,
        };
    }
}
