//! One channel: the module's link and the socket on it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::at::{ChannelId, ChannelNews, Command};
use crate::error::{CloseReason, Error};
use crate::proto::outbox::RequestResult;
use crate::proto::statistics::SocketStatistics;
use crate::proto::{SocketId, Ticket};
use crate::time::Timestamp;

use super::acknowledgements::Delivery;
use super::heartbeat::SocketHeartbeat;
use super::link::Link;
use super::pending_connect::PendingConnect;
use super::pressure::Pressure;
use super::security::Security;
use super::window::Window;
use super::written::Writes;

/// A slot of the module, and the socket that uses it.
#[derive(Debug)]
pub(in crate::proto) struct Channel {
    pub(super) id: ChannelId,
    pub(super) link: Link,
    /// What the link is, while there is one.
    pub(super) security: Security,
    /// Counts the sockets that the channel has carried.
    generation: u32,
    pub(super) socket: Option<Socket>,
    /// Until then late news of an earlier connection may come.
    pub(super) stale_until: Timestamp,
    /// The connection that was started last, if the module may be making it.
    pub(super) pending_connect: Option<PendingConnect>,
    /// What the module is to be asked about before it is believed.
    pub(super) doubt: Option<Doubt>,
    /// The doubt that it has been asked about. The answer settles no doubt that has come since.
    pub(super) asked: Option<Doubt>,
    /// When data came last, or the link was closed.
    pub(super) heard_at: Timestamp,
    /// Not before then is it closed: the module has said nothing clear of a close just before.
    pub(super) close_at: Timestamp,
}

/// The reason why the module is asked how a channel stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Doubt {
    /// News that may be of another connection. What the status does not contradict is believed.
    News(ChannelNews),
    /// The connection that is being made may stand already. Only the status can prove that.
    Standing,
}

/// How long data of a connection may still come behind its end. An assumption: they were under way.
const LATE_DATA: Duration = Duration::from_secs(10);

/// The pause before a close of which the module has said nothing clear is repeated.
pub(super) const CLOSE_PAUSE: Duration = Duration::from_secs(1);

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
    /// The length of the send in flight, if its request is answered already.
    pub(super) abandoned: Option<usize>,
    /// Whether the module takes data at the moment.
    pub(super) pressure: Pressure,
    /// What keeps it alive.
    pub(super) heartbeat: Option<SocketHeartbeat>,
    /// The requests that wait for the peer's acknowledgement.
    pub(super) delivery: Delivery,
    /// How often in a row data were refused that the module holds.
    pub(super) refusals: u32,
    /// How many bytes the last fetch has asked for.
    pub(super) fetch_len: usize,
    /// What is written without waiting, and what is still to be told of it.
    pub(super) writes: Writes,
    pub(super) statistics: SocketStatistics,
}

/// The end of a socket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::proto) enum End {
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
    pub(super) origin: Origin,
    /// Counts the sends of the socket.
    pub(super) number: u64,
    pub(super) data: Vec<u8>,
    /// Bytes that the module has.
    pub(super) accepted: usize,
    /// Bytes that the module is being given.
    pub(super) in_flight: usize,
    pub(super) asked_at: Timestamp,
    pub(super) deadline: Timestamp,
    pub(super) timeout: Duration,
}

/// The way in which data were given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// With a request that waits until the module has them.
    Asked(Ticket),
    /// Queued.
    Queued,
    /// Written: what is written next may join them.
    Written,
}

/// A request that waits for the close.
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
            pending_connect: None,
            doubt: None,
            asked: None,
            heard_at: Timestamp::ZERO,
            close_at: Timestamp::ZERO,
        }
    }

    /// Whether the module can't have any data of it: it has carried nothing for a while.
    pub(super) fn is_long_unused(&self, now: Timestamp) -> bool {
        let is_unused = matches!(self.link, Link::Idle) && self.socket.is_none();
        is_unused && (self.generation == 0 || now >= self.heard_at + LATE_DATA)
    }

    /// The news of its end that the module is still to be asked about.
    pub(super) fn doubtful_end(&self) -> Option<ChannelNews> {
        match self.doubt.or(self.asked) {
            Some(Doubt::News(news)) => Some(news).filter(|news| news.ends()),
            Some(Doubt::Standing) | None => None,
        }
    }

    /// Whether a new socket can have it.
    pub(super) fn is_free(&self) -> bool {
        self.socket.is_none() && matches!(self.link, Link::Idle)
    }

    /// Whether it will be free without a further request: its user is done with it, and only the module is not.
    pub(super) fn is_being_released(&self) -> bool {
        let is_left =
            self.socket.as_ref().is_none_or(|socket| !socket.closers.is_empty() || socket.is_leaving());
        is_left
            && match &self.link {
                Link::Used | Link::Closing => true,
                Link::Preparing(opening) | Link::Starting(opening) | Link::Connecting(opening) => {
                    opening.ticket.is_none()
                }
                Link::Up => self.socket.as_ref().is_some_and(Socket::is_leaving),
                Link::Idle | Link::Wanted(_) | Link::Draining(_) | Link::Stream => false,
            }
    }

    /// The socket that it carries now, or would carry.
    pub(super) fn socket_id(&self) -> SocketId {
        SocketId { channel: self.id, generation: self.generation }
    }

    /// Begins a new socket.
    pub(super) fn occupy(&mut self, window: Window) -> SocketId {
        self.doubt = None;
        self.asked = None;
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
            heartbeat: None,
            delivery: Delivery::default(),
            refusals: 0,
            fetch_len: Command::MAX_CHUNK + 1,
            writes: Writes::default(),
            statistics: SocketStatistics::default(),
        });
        self.socket_id()
    }

    /// The socket, if the handle is not of an earlier one.
    pub(super) fn socket_of(&mut self, id: SocketId) -> Option<&mut Socket> {
        if id.generation == self.generation { self.socket.as_mut() } else { None }
    }

    pub(super) fn has_open_socket(&self) -> bool {
        self.socket.as_ref().is_some_and(|socket| socket.end.is_none())
    }

    /// Whether its open socket is one of a stream of bytes.
    pub(super) fn has_stream_of_bytes(&self) -> bool {
        self.socket.as_ref().is_some_and(|socket| socket.end.is_none() && !socket.window.keeps_boundaries())
    }

    /// The socket, if it is open for data both ways.
    pub(super) fn open_socket(&mut self) -> Option<&mut Socket> {
        self.socket.as_mut().filter(|socket| socket.end.is_none())
    }
}

impl Socket {
    /// Whether the module has everything.
    pub(super) fn is_drained(&self) -> bool {
        self.sends.is_empty() && self.abandoned.is_none()
    }

    /// The answers to the requests that wait for what the module has by now.
    pub(super) fn answers_when_drained(&mut self) -> Vec<RequestResult> {
        let first = match self.abandoned {
            Some(_) => 0,
            None => self.sends.front().map_or(u64::MAX, |send| send.number),
        };
        self.delivery.accepted(first)
    }

    /// `len` bytes have come from the peer.
    pub(super) fn heard(&mut self, now: Timestamp, len: usize) {
        self.statistics.received += len as u64;
        self.statistics.receives += 1;
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.received(now);
        }
    }

    /// The number of bytes that the module does not have yet.
    pub(super) fn queued(&self) -> usize {
        let waiting: usize = self.sends.iter().map(|send| send.data.len() - send.accepted).sum();
        waiting + self.abandoned.unwrap_or(0)
    }

    /// The error that a read or a send gets once the socket has ended, or is being closed.
    pub(super) fn error(&self) -> Option<Error> {
        let leaving = || self.is_leaving().then_some(Error::Closed(CloseReason::Local));
        self.end.as_ref().map(End::error).or_else(leaving)
    }
}

impl End {
    pub(in crate::proto) fn error(&self) -> Error {
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

impl Socket {
    /// Whether `len` bytes can be sent at once: a datagram can't be cut.
    pub(super) fn carries(&self, len: usize) -> bool {
        !self.window.keeps_boundaries() || len <= Command::MAX_CHUNK
    }
}

/// The message about a datagram that can't be sent.
pub(super) fn too_long(what: &'static str) -> Error {
    Error::invalid(what, format_args!("is longer than {} bytes", Command::MAX_CHUNK))
}
