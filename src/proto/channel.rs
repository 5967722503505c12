//! One channel: the module's link and the socket on it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::at::{ChannelId, ChannelNews, Command};
use crate::error::{CloseReason, Error};
use crate::time::Timestamp;

use super::delivery::Delivery;
use super::heartbeat::Heart;
use super::link::Link;
use super::outbox::Outbox;
use super::pressure::Pressure;
use super::statistics::SocketStatistics;
use super::tls::Security;
use super::window::Window;
use super::{SocketId, Ticket};

/// A slot of the module, and the socket that uses it.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) id: ChannelId,
    pub(super) link: Link,
    /// What the link is, while there is one.
    pub(super) security: Security,
    /// Counts the sockets that the channel has carried.
    generation: u32,
    pub(super) socket: Option<Socket>,
    /// Until then late news of an earlier connection may come.
    pub(super) stale_until: Timestamp,
    /// What the module is asked about before it is believed.
    pub(super) doubt: Option<Doubt>,
    /// When data came last, or the link was closed.
    pub(super) heard_at: Timestamp,
}

/// Why the module is asked how a channel stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Doubt {
    /// News that may be of another connection. What the status does not contradict is believed.
    News(ChannelNews),
    /// The connection that is being made may stand already. It does only if the status says so.
    Standing,
}

/// How long data of a connection may still come behind its end. An assumption: they were under way.
const LATE_DATA: Duration = Duration::from_secs(10);

/// The application's side.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) window: Window,
    /// Why no more data will come; what is in the window can still be read.
    pub(super) end: Option<End>,
    pub(super) sends: VecDeque<Send>,
    pub(super) closers: Vec<Closer>,
    /// Whether the module has announced data that were not fetched.
    pub(super) waiting: bool,
    /// When a silent channel is asked for data, in manual mode.
    pub(super) poll_at: Timestamp,
    /// Whether a fetch goes before the next send.
    pub(super) fetch_next: bool,
    /// The length of the send in flight, if it is one that nobody waits for any more.
    pub(super) abandoned: Option<usize>,
    /// Whether the module takes data at the moment.
    pub(super) pressure: Pressure,
    /// What keeps it alive.
    pub(super) heart: Option<Heart>,
    /// Who waits for the peer's acknowledgement.
    pub(super) delivery: Delivery,
    /// How often in a row data were refused that the module holds.
    pub(super) refusals: u32,
    /// How many bytes the last fetch has asked for.
    pub(super) fetch_len: usize,
    pub(super) statistics: SocketStatistics,
}

/// How a socket ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum End {
    Closed(CloseReason),
    Overrun {
        lost: u64,
    },
    Restarted,
    /// The port is gone, for this reason.
    PortLost(Box<str>),
}

/// Data on their way out.
#[derive(Debug)]
pub(super) struct Send {
    /// Who waits; `None` for queued data.
    pub(super) ticket: Option<Ticket>,
    pub(super) data: Vec<u8>,
    /// Bytes that the module has.
    pub(super) accepted: usize,
    /// Bytes that the module is being given.
    pub(super) in_flight: usize,
    pub(super) asked_at: Timestamp,
    pub(super) deadline: Timestamp,
    pub(super) timeout: Duration,
}

/// Somebody who waits for the close.
#[derive(Debug)]
pub(super) struct Closer {
    pub(super) ticket: Ticket,
    pub(super) deadline: Timestamp,
    pub(super) timeout: Duration,
}

impl Channel {
    pub(super) fn new(id: ChannelId) -> Self {
        Self {
            id,
            link: Link::Idle,
            security: Security::Plain,
            generation: 0,
            socket: None,
            stale_until: Timestamp::ZERO,
            doubt: None,
            heard_at: Timestamp::ZERO,
        }
    }

    /// Whether the module can't have any data of it: it has carried nothing for a while.
    pub(super) fn is_long_unused(&self, now: Timestamp) -> bool {
        let is_unused = matches!(self.link, Link::Idle) && self.socket.is_none();
        is_unused && (self.generation == 0 || now >= self.heard_at + LATE_DATA)
    }

    /// Whether a new socket can have it.
    pub(super) fn is_free(&self) -> bool {
        self.socket.is_none() && matches!(self.link, Link::Idle)
    }

    /// Whether it will be free without anybody's doing: its user is done with it, and only the module is not.
    pub(super) fn is_being_released(&self) -> bool {
        let is_left = self.socket.as_ref().is_none_or(|socket| !socket.closers.is_empty());
        is_left
            && match &self.link {
                Link::Used | Link::Closing => true,
                Link::Preparing(opening) | Link::Starting(opening) | Link::Connecting(opening) => {
                    opening.ticket.is_none()
                }
                Link::Idle | Link::Wanted(_) | Link::Up | Link::Draining(_) | Link::Stream => false,
            }
    }

    /// The socket that it carries now, or would carry.
    pub(super) fn socket_id(&self) -> SocketId {
        SocketId { channel: self.id, generation: self.generation }
    }

    /// Begins a new socket.
    pub(super) fn occupy(&mut self, window: Window) -> SocketId {
        self.doubt = None;
        self.generation = self.generation.wrapping_add(1);
        self.socket = Some(Socket {
            window,
            end: None,
            sends: VecDeque::new(),
            closers: Vec::new(),
            waiting: false,
            poll_at: Timestamp::MAX,
            fetch_next: false,
            abandoned: None,
            pressure: Pressure::None,
            heart: None,
            delivery: Delivery::default(),
            refusals: 0,
            fetch_len: Command::MAX_CHUNK + 1,
            statistics: SocketStatistics::default(),
        });
        self.socket_id()
    }

    /// The socket, if the handle is not of an earlier one.
    pub(super) fn socket_of(&mut self, id: SocketId) -> Option<&mut Socket> {
        if id.generation == self.generation { self.socket.as_mut() } else { None }
    }

    /// Whether the socket is open for data both ways.
    pub(super) fn open_socket(&mut self) -> Option<&mut Socket> {
        self.socket.as_mut().filter(|socket| socket.end.is_none())
    }
}

impl Send {
    /// Data that are given now, for a caller that waits at most for `timeout`.
    pub(super) fn new(ticket: Ticket, data: Vec<u8>, now: Timestamp, timeout: Duration) -> Self {
        Self {
            ticket: Some(ticket),
            data,
            accepted: 0,
            in_flight: 0,
            asked_at: now,
            deadline: now + timeout,
            timeout,
        }
    }

    /// Data without a caller that waits.
    pub(super) fn queued(data: Vec<u8>) -> Self {
        Self {
            ticket: None,
            data,
            accepted: 0,
            in_flight: 0,
            asked_at: Timestamp::ZERO,
            deadline: Timestamp::MAX,
            timeout: Duration::MAX,
        }
    }
}

impl Socket {
    /// Puts data behind those that wait already.
    pub(super) fn push(&mut self, send: Send, out: &mut Outbox) {
        self.statistics.given += send.data.len() as u64;
        self.sends.push_back(send);
        let queued = self.queued();
        out.statistics.queued(&mut self.statistics, queued);
    }

    /// The module has accepted so many bytes.
    pub(super) fn accepted(&mut self, len: usize, out: &mut Outbox) {
        self.statistics.sent += len as u64;
        self.statistics.sends += 1;
        out.statistics.sent += len as u64;
    }

    /// Whether the module has everything.
    pub(super) fn is_drained(&self) -> bool {
        self.sends.is_empty() && self.abandoned.is_none()
    }

    /// If so, whoever waits for that is told.
    pub(super) fn tell_drained(&mut self, out: &mut Outbox) {
        if self.is_drained() {
            self.delivery.accepted(out);
        }
    }

    /// So many bytes have come from the peer.
    pub(super) fn heard(&mut self, now: Timestamp, len: usize) {
        self.statistics.received += len as u64;
        self.statistics.receives += 1;
        if let Some(heart) = &mut self.heart {
            heart.received(now);
        }
    }

    /// How many bytes the module does not have yet.
    pub(super) fn queued(&self) -> usize {
        let waiting: usize = self.sends.iter().map(|send| send.data.len() - send.accepted).sum();
        waiting + self.abandoned.unwrap_or(0)
    }

    /// The error that a read or a send gets once the socket has ended.
    pub(super) fn error(&self) -> Option<Error> {
        self.end.as_ref().map(End::error)
    }
}

impl End {
    pub(super) fn error(&self) -> Error {
        match self {
            Self::Closed(reason) => Error::Closed(*reason),
            Self::Overrun { lost } => Error::Overrun { lost: *lost },
            Self::Restarted => Error::ModemRestarted,
            Self::PortLost(reason) => Error::PortLost(reason.clone()),
        }
    }

    pub(super) fn reason(&self) -> Option<CloseReason> {
        match self {
            Self::Closed(reason) => Some(*reason),
            Self::Overrun { .. } | Self::Restarted | Self::PortLost(_) => None,
        }
    }
}
