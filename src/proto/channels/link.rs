//! The module's side of a channel. All its transitions are in this file.

use crate::error::CloseReason;
use crate::proto::Ticket;
use crate::time::Timestamp;

use super::opening::Opening;

/// The module's side of a channel.
///
/// | state | on | next |
/// |---|---|---|
/// | `Idle` | the application asks for a connection, or one waits for a channel ([`Queue`](super::queue::Queue)) | `Wanted` |
/// | `Wanted` | its turn: a command that prepares it is written | `Preparing` |
/// | `Preparing` | that has ended well | `Wanted` |
/// | `Preparing` | that has failed, or its request is gone | `Idle` |
/// | `Wanted` | its turn, and nothing is left to prepare: `AT+CIPSTART` is written | `Starting` |
/// | `Starting` | `OK` | `Connecting` |
/// | `Starting`, `Connecting` | `CONNECT OK` | `Up`, or `Used` if data came before it that may belong to this connection |
/// | `Starting`, `Connecting` | refusal, `CONNECT FAIL`, `ALREADY CONNECT`, time-out | `Used` |
/// | `Up` | `CLOSED`, an error, the application closes | `Used`, or `Draining` if unread data wait in the module |
/// | `Draining` | nothing is left, or the module refuses | `Used` |
/// | `Used` | its turn: `AT+CIPCLOSE` is written | `Closing` |
/// | `Closing` | `CLOSE OK`, or a refusal after the module has reported the end | `Idle` |
/// | `Closing` | another refusal, or no answer | `Used` |
/// | `Used` | after the refusal the status shows no connection | `Idle` |
/// | `Idle` | a transparent stream begins on this channel | `Stream` |
/// | `Stream` | it is over ([`Transparent`](crate::proto::transparent::Transparent)) | `Idle` |
/// | any | bearer lost, restart | `Idle` |
/// | `Starting`, `Connecting`, `Up`, `Draining`, `Closing` | contact with the module or the port is lost, or everything is to be shut down | `Used` |
/// | `Used` | `AT+CIPSHUT` is answered | `Idle` |
#[derive(Debug, Default)]
pub(super) enum Link {
    /// No connection. A channel whose connect timed out may still have a late result. Until then other channels are
    /// used first.
    #[default]
    Idle,
    /// A connection that will be made when its turn comes.
    Wanted(Opening),
    /// A command that prepares the connection is in flight.
    Preparing(Opening),
    /// `AT+CIPSTART` is in flight.
    Starting(Opening),
    /// The module is connecting.
    Connecting(Opening),
    /// Connected.
    Up,
    /// The connection has ended for this reason. In manual receive mode the module may still have data.
    Draining(CloseReason),
    /// The module may have a connection that must be closed.
    Used,
    /// `AT+CIPCLOSE` is in flight.
    Closing,
    /// The connection of a transparent stream, which is made and closed by other commands.
    Stream,
}

/// The module's side of a connection that has ended for the driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum ModuleSide {
    /// The module has no connection, as its lines show.
    Released,
    /// The module may have the connection. It is closed when commands are possible.
    Unknown,
}

impl Link {
    /// The connection that is being made, if there is one.
    pub(super) fn opening(&self) -> Option<&Opening> {
        match self {
            Self::Wanted(opening)
            | Self::Preparing(opening)
            | Self::Starting(opening)
            | Self::Connecting(opening) => Some(opening),
            Self::Idle | Self::Up | Self::Draining(_) | Self::Used | Self::Closing | Self::Stream => None,
        }
    }

    /// The connection that is being made, to be changed.
    pub(super) fn opening_mut(&mut self) -> Option<&mut Opening> {
        match self {
            Self::Wanted(opening)
            | Self::Preparing(opening)
            | Self::Starting(opening)
            | Self::Connecting(opening) => Some(opening),
            Self::Idle | Self::Up | Self::Draining(_) | Self::Used | Self::Closing | Self::Stream => None,
        }
    }

    /// Whether the scheduler can have a command for the channel.
    pub(super) fn may_have_command(&self) -> bool {
        matches!(self, Self::Wanted(_) | Self::Up | Self::Draining(_) | Self::Used)
    }

    /// True while the module is making a connection. Some firmware answers no other command meanwhile.
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

    /// The reason why nothing can be sent, if there was a connection before.
    pub(super) fn ended(&self) -> CloseReason {
        match self {
            Self::Draining(reason) => *reason,
            Self::Idle | Self::Wanted(_) | Self::Preparing(_) | Self::Starting(_) | Self::Connecting(_) => {
                CloseReason::Peer
            }
            Self::Up | Self::Used | Self::Closing | Self::Stream => CloseReason::Peer,
        }
    }

    /// A command that prepares the connection was written.
    pub(super) fn preparing(&mut self) {
        *self = match std::mem::take(self) {
            Self::Wanted(opening) => Self::Preparing(opening),
            other => other,
        };
    }

    /// `AT+CIPSTART` was written.
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

    /// A connection has been given this channel, or its preparation continues.
    pub(super) fn wanted(&mut self, opening: Opening) {
        *self = Self::Wanted(opening);
    }

    /// The command that prepares the connection has ended. The caller decides what follows.
    pub(super) fn prepared(&mut self) -> Option<Opening> {
        if matches!(self, Self::Preparing(_)) { self.take_opening(Self::Idle) } else { None }
    }

    /// The request leaves the channel before a connection was started on it.
    pub(super) fn withdrawn(&mut self) -> Option<Opening> {
        if matches!(self, Self::Wanted(_)) { self.take_opening(Self::Idle) } else { None }
    }

    /// The connection was made.
    pub(super) fn connected(&mut self) -> Option<Opening> {
        if self.is_connecting() { self.take_opening(Self::Up) } else { None }
    }

    /// The connection could not be made.
    pub(super) fn failed(&mut self) -> Option<Opening> {
        self.take_opening(Self::Used)
    }

    /// The module has made a connection that no request waits for.
    pub(super) fn made_late(&mut self) {
        if matches!(self, Self::Idle) {
            *self = Self::Used;
        }
    }

    /// Nothing more can be sent, but the module may still have data.
    pub(super) fn drains(&mut self, reason: CloseReason) {
        *self = Self::Draining(reason);
    }

    /// `AT+CIPCLOSE` was written.
    pub(super) fn closing(&mut self) {
        if matches!(self, Self::Used) {
            *self = Self::Closing;
        }
    }

    /// `AT+CIPCLOSE` has ended.
    pub(super) fn closed(&mut self, module_side: ModuleSide) {
        *self = match module_side {
            ModuleSide::Released => Self::Idle,
            ModuleSide::Unknown => Self::Used,
        };
    }

    /// The module has a connection on this channel that belongs to no socket.
    pub(super) fn found_in_use(&mut self) {
        if matches!(self, Self::Idle) {
            *self = Self::Used;
        }
    }

    /// All connections of the module were shut down. Returns true if this channel still had one to be closed.
    pub(super) fn shut_down(&mut self) -> bool {
        let was_left = matches!(self, Self::Used | Self::Closing);
        if was_left {
            *self = Self::Idle;
        }
        was_left
    }

    /// A transparent stream begins on this channel.
    pub(super) fn stream_begins(&mut self) {
        *self = Self::Stream;
    }

    /// The stream has ended. Returns true if it was on this channel.
    pub(super) fn stream_is_over(&mut self) -> bool {
        let was_stream = matches!(self, Self::Stream);
        if was_stream {
            *self = Self::Idle;
        }
        was_stream
    }

    /// Takes the connection that was being made, if any, and sets the next state.
    fn take_opening(&mut self, next: Self) -> Option<Opening> {
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

    /// Takes the request that waits for the connection. The caller answers it.
    pub(super) fn take_ticket(&mut self) -> Option<Ticket> {
        match self {
            Self::Wanted(opening)
            | Self::Preparing(opening)
            | Self::Starting(opening)
            | Self::Connecting(opening) => opening.ticket.take(),
            Self::Idle | Self::Up | Self::Draining(_) | Self::Used | Self::Closing | Self::Stream => None,
        }
    }

    /// All connections of the module have ended, or will be ended.
    pub(super) fn cut(&mut self, module_side: ModuleSide) {
        *self = match (module_side, std::mem::take(self)) {
            (ModuleSide::Released, _) => Self::Idle,
            (ModuleSide::Unknown, Self::Idle | Self::Wanted(_) | Self::Preparing(_) | Self::Stream) => {
                Self::Idle
            }
            (
                ModuleSide::Unknown,
                Self::Starting(_)
                | Self::Connecting(_)
                | Self::Up
                | Self::Draining(_)
                | Self::Used
                | Self::Closing,
            ) => Self::Used,
        };
    }

    /// The channel is not needed any more.
    pub(super) fn release(&mut self) {
        *self = match std::mem::take(self) {
            Self::Idle | Self::Wanted(_) => Self::Idle,
            Self::Preparing(opening) => Self::Preparing(Opening { ticket: None, ..opening }),
            // A command is in flight. When it has ended, the connection that it may have made is closed.
            Self::Starting(opening) => Self::Starting(Opening { ticket: None, ..opening }),
            Self::Closing => Self::Closing,
            Self::Stream => Self::Stream,
            Self::Connecting(_) | Self::Up | Self::Draining(_) | Self::Used => Self::Used,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::Protocol;
    use crate::proto::transition_table;

    fn opening() -> Opening {
        let host = crate::at::Quotable::host("a.test").unwrap();
        let (now, timeout) = (Timestamp::ZERO, std::time::Duration::from_secs(1));
        Opening::new(Ticket(1), Protocol::Tcp, host, 80, now, timeout)
    }

    /// Every state, by its name.
    fn states() -> Vec<Link> {
        vec![
            Link::Idle,
            Link::Wanted(opening()),
            Link::Preparing(opening()),
            Link::Starting(opening()),
            Link::Connecting(opening()),
            Link::Up,
            Link::Draining(CloseReason::Peer),
            Link::Used,
            Link::Closing,
            Link::Stream,
        ]
    }

    fn name(link: &Link) -> &'static str {
        match link {
            Link::Idle => "idle",
            Link::Wanted(_) => "wanted",
            Link::Preparing(_) => "preparing",
            Link::Starting(_) => "starting",
            Link::Connecting(_) => "connecting",
            Link::Up => "up",
            Link::Draining(_) => "draining",
            Link::Used => "used",
            Link::Closing => "closing",
            Link::Stream => "stream",
        }
    }

    #[test]
    fn every_transition_is_as_the_table_says() {
        let table = "
            | input | idle | wanted | preparing | starting | connecting | up | draining | used | closing | stream |
            | a preparing command is written | - | preparing | - | - | - | - | - | - | - | - |
            | it has ended | - | - | idle | - | - | - | - | - | - | - |
            | the request is withdrawn | - | idle | - | - | - | - | - | - | - | - |
            | AT+CIPSTART is written | - | starting | - | - | - | - | - | - | - | - |
            | a connection is given | wanted | - | wanted | wanted | wanted | wanted | wanted | wanted | wanted | wanted |
            | unread data remain | draining | draining | draining | draining | draining | draining | - | draining | draining | draining |
            | a stream begins | stream | stream | stream | stream | stream | stream | stream | stream | stream | - |
            | OK | - | - | - | connecting | - | - | - | - | - | - |
            | connected | - | - | - | up | up | - | - | - | - | - |
            | failed | - | used | used | used | used | - | - | - | - | - |
            | connected without a request | used | - | - | - | - | - | - | - | - | - |
            | found in use | used | - | - | - | - | - | - | - | - | - |
            | AT+CIPCLOSE is written | - | - | - | - | - | - | - | closing | - | - |
            | the end of AT+CIPCLOSE, released | - | idle | idle | idle | idle | idle | idle | idle | idle | idle |
            | the end of AT+CIPCLOSE, unknown | used | used | used | used | used | used | used | - | used | used |
            | the end of AT+CIPSHUT | - | - | - | - | - | - | - | idle | idle | - |
            | the end of a stream | - | - | - | - | - | - | - | - | - | idle |
            | the request is answered otherwise | - | - | - | - | - | - | - | - | - | - |
            | the socket is not needed any more | - | idle | - | - | used | used | used | - | - | - |
            | cut, and released by the module | - | idle | idle | idle | idle | idle | idle | idle | idle | idle |
            | cut, with an unknown module side | - | idle | idle | used | used | used | used | - | used | idle |";
        transition_table::check(
            table,
            states,
            &[
                ("a preparing command is written", Link::preparing),
                ("it has ended", |link| drop(link.prepared())),
                ("the request is withdrawn", |link| drop(link.withdrawn())),
                ("AT+CIPSTART is written", |link| link.started(Timestamp::ZERO)),
                ("a connection is given", |link| link.wanted(opening())),
                ("unread data remain", |link| link.drains(CloseReason::Peer)),
                ("a stream begins", Link::stream_begins),
                ("OK", Link::accepted),
                ("connected", |link| drop(link.connected())),
                ("failed", |link| drop(link.failed())),
                ("connected without a request", Link::made_late),
                ("found in use", Link::found_in_use),
                ("AT+CIPCLOSE is written", Link::closing),
                ("the end of AT+CIPCLOSE, released", |link| link.closed(ModuleSide::Released)),
                ("the end of AT+CIPCLOSE, unknown", |link| link.closed(ModuleSide::Unknown)),
                ("the end of AT+CIPSHUT", |link| _ = link.shut_down()),
                ("the end of a stream", |link| _ = link.stream_is_over()),
                ("the request is answered otherwise", |link| _ = link.take_ticket()),
                ("the socket is not needed any more", Link::release),
                ("cut, and released by the module", |link| link.cut(ModuleSide::Released)),
                ("cut, with an unknown module side", |link| link.cut(ModuleSide::Unknown)),
            ],
            name,
        );
    }
}
