//! What the module holds on one channel, and how that changes. All transitions are in this file.

use std::time::Duration;

use crate::at::{Protocol, Quotable};
use crate::error::CloseReason;
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
/// | `Starting`, `Connecting` | `CONNECT OK` | `Up`, or `Used` if data came before of which nothing proves that they are old |
/// | `Starting`, `Connecting` | refusal, `CONNECT FAIL`, `ALREADY CONNECT`, time-out | `Used` |
/// | `Up` | `CLOSED`, an error, the application closes | `Used`, or `Draining` if unread data wait in the module |
/// | `Draining` | nothing is left, or the module refuses | `Used` |
/// | `Used` | its turn: `AT+CIPCLOSE` is written | `Closing` |
/// | `Closing` | `CLOSE OK` or a refusal | `Idle` |
/// | `Closing` | no answer | `Used` |
/// | `Idle` | a transparent stream begins on this channel | `Stream` |
/// | `Stream` | it is over ([`Transparent`](super::transparent::Transparent)) | `Idle` |
/// | any | bearer lost, restart | `Idle` |
/// | `Starting`, `Connecting`, `Up`, `Draining`, `Closing` | the module or the port is lost sight of, or all is to be shut down | `Used` |
/// | `Used` | `AT+CIPSHUT` is answered | `Idle` |
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
    /// The connection has ended, for this reason, but the module may still hold data (manual receive).
    Draining(CloseReason),
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
    /// When the application has asked for it.
    pub(super) asked_at: Timestamp,
    /// When `AT+CIPSTART` was written, or asked for.
    pub(super) started_at: Timestamp,
    /// Whether the module has once said that it still holds the channel.
    pub(super) retried: bool,
    /// Data that came for the channel before the connection was confirmed.
    pub(super) strays: Strays,
    /// What is to be done before it can be started.
    pub(super) preparation: Preparation,
}

/// Data for a channel whose connection is not confirmed. They are dropped: they are an earlier connection's, or this one's
/// whose `CONNECT OK` was late or lost, and then there is a hole in what it has brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Strays {
    /// There were none.
    None,
    /// It is not known whose they are. The module was asked at this moment.
    Doubtful(Timestamp),
    /// They were an earlier connection's: the module has said behind them that this one did not stand yet.
    Earlier(Timestamp),
}

/// The least time between two questions whose the data of one channel are.
const ASK_PAUSE: Duration = Duration::from_secs(1);

impl Strays {
    /// Data have come; whether the module is to be asked whose they are.
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

/// What the module holds when everything on it has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Remains {
    /// Nothing: it has said so.
    Nothing,
    /// What it held before, perhaps: it is to be closed when the module can be asked to.
    Unknown,
}

impl Link {
    /// The connection on its way, if there is one.
    pub(super) fn opening(&self) -> Option<&Opening> {
        match self {
            Self::Wanted(opening)
            | Self::Preparing(opening)
            | Self::Starting(opening)
            | Self::Connecting(opening) => Some(opening),
            Self::Idle | Self::Up | Self::Draining(_) | Self::Used | Self::Closing | Self::Stream => None,
        }
    }

    /// The same, to be changed.
    pub(super) fn opening_mut(&mut self) -> Option<&mut Opening> {
        match self {
            Self::Wanted(opening)
            | Self::Preparing(opening)
            | Self::Starting(opening)
            | Self::Connecting(opening) => Some(opening),
            Self::Idle | Self::Up | Self::Draining(_) | Self::Used | Self::Closing | Self::Stream => None,
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
        matches!(self, Self::Up | Self::Draining(_))
    }

    /// Why nothing can be sent, where the connection was there.
    pub(super) fn ended(&self) -> CloseReason {
        match self {
            Self::Draining(reason) => *reason,
            Self::Idle | Self::Wanted(_) | Self::Preparing(_) | Self::Starting(_) | Self::Connecting(_) => {
                CloseReason::Peer
            }
            Self::Up | Self::Used | Self::Closing | Self::Stream => CloseReason::Peer,
        }
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
            Self::Idle | Self::Up | Self::Draining(_) | Self::Used | Self::Closing | Self::Stream => None,
        }
    }

    /// Everything on the module has ended, or is to end.
    pub(super) fn cut(&mut self, remains: Remains) {
        *self = match (remains, std::mem::take(self)) {
            (Remains::Nothing, _) => Self::Idle,
            (Remains::Unknown, Self::Idle | Self::Wanted(_) | Self::Preparing(_) | Self::Stream) => {
                Self::Idle
            }
            (
                Remains::Unknown,
                Self::Starting(_)
                | Self::Connecting(_)
                | Self::Up
                | Self::Draining(_)
                | Self::Used
                | Self::Closing,
            ) => Self::Used,
        };
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
            Self::Connecting(_) | Self::Up | Self::Draining(_) | Self::Used => Self::Used,
        };
    }
}
