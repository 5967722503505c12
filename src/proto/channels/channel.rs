//! A channel: the link of the module, and the socket that uses it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::at::{ChannelId, ChannelNews, Command, Refusal};
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
use super::question_pace::QuestionPace;
use super::security::Security;
use super::window::Window;
use super::written::Writes;

/// A connection slot of the module, and the socket that uses it.
#[derive(Debug)]
pub(in crate::proto) struct Channel {
    pub(super) id: ChannelId,
    pub(super) link: Link,
    /// The security of the link, while there is one.
    pub(super) security: Security,
    /// The number of sockets that have used the channel.
    generation: u32,
    pub(super) socket: Option<Socket>,
    /// Until this moment late lines of an earlier connection may come.
    pub(super) stale_until: Timestamp,
    /// Until this moment a second or late `CLOSE OK` of a close that was asked for may come.
    pub(super) late_close_until: Timestamp,
    /// The connection that was started last, if the module may be making it.
    pub(super) pending_connect: Option<PendingConnect>,
    /// A line that is held until the module has answered a question about it.
    pub(super) doubt: Option<Doubt>,
    pub(super) question_pace: QuestionPace,
    /// The doubt that the question in flight is about. Its answer does not concern later doubts.
    pub(super) asked: Option<Doubt>,
    /// The length of the last piece that was sent, by this socket or an earlier one.
    pub(super) last_piece: usize,
    /// When the last data came, or when the link was closed.
    pub(super) last_data_at: Timestamp,
    /// The earliest moment of the next close. The module's answer to the last one was not clear.
    pub(super) close_at: Timestamp,
    /// The earliest moment of the next close of a connection without a request.
    pub(super) unasked_close_at: Timestamp,
    /// The number of closes in a row that the module has refused without having said that the connection has ended.
    pub(super) close_refusals: u32,
    /// Whether the module has reported the end of the connection that was started last.
    pub(super) has_reported_end: bool,
}

/// The reason for a question about the state of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Doubt {
    /// A line that may belong to another connection. It is accepted unless the status contradicts it.
    News(ChannelNews),
    /// A line that the module has perhaps not written: it may be text of people, or it was lost. It is accepted in the
    /// same way, but nothing else confirms it.
    Suspicion(ChannelNews),
    /// The connection that is being made may exist already. Only the status can prove that.
    Standing,
    /// The close of the channel was refused. Only the status shows whether it was closed before.
    RefusedClose(Refusal),
}

impl Doubt {
    /// The line that is in doubt, if there is one.
    pub(super) fn news(self) -> Option<ChannelNews> {
        match self {
            Self::News(news) | Self::Suspicion(news) => Some(news),
            Self::Standing | Self::RefusedClose(_) => None,
        }
    }
}

/// For this span after the end of a connection its data may still come. An assumption.
const LATE_DATA: Duration = Duration::from_secs(10);

/// The pause before a close is repeated, if the answer of the module was not clear.
pub(super) const CLOSE_PAUSE: Duration = Duration::from_secs(1);

/// The application's side.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) window: Window,
    /// The reason why no more data will come. Data in the window can still be read.
    pub(super) end: Option<End>,
    pub(super) sends: VecDeque<Send>,
    pub(super) closers: Vec<Closer>,
    /// Whether the module has announced data that were not fetched yet.
    pub(super) waiting: bool,
    /// Whether the last answer to a fetch said that the module holds more data.
    pub(super) counted: bool,
    /// The same for the answer before.
    pub(super) was_counted: bool,
    /// The number of bytes that the module held by that answer.
    pub(super) left: usize,
    /// Whether the module has announced data since the fetch in flight was written.
    pub(super) announced: bool,
    /// Whether the fetch in flight was written because of such an announcement.
    pub(super) was_announced: bool,
    /// The number of fetches in a row that brought nothing although the module had announced data.
    pub(super) empty_fetches: u32,
    /// In manual mode, when a silent channel is asked for data.
    pub(super) poll_at: Timestamp,
    /// Whether the next command is a fetch and not a send.
    pub(super) fetch_next: bool,
    /// The length of the send in flight, if its request is answered already.
    pub(super) abandoned: Option<usize>,
    /// Whether the module accepts data at the moment.
    pub(super) pressure: Pressure,
    /// The heartbeat of the socket.
    pub(super) heartbeat: Option<SocketHeartbeat>,
    /// The requests that wait for the peer's acknowledgement.
    pub(super) delivery: Delivery,
    /// The number of refused fetches in a row.
    pub(super) refusals: u32,
    /// The number of bytes that the last fetch asked for.
    pub(super) fetch_len: usize,
    /// Data that were written without waiting, and the error that no call has returned yet.
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

/// Data that are being sent.
#[derive(Debug)]
pub(super) struct Send {
    pub(super) origin: Origin,
    /// Counts the sends of the socket.
    pub(super) number: u64,
    pub(super) data: Vec<u8>,
    /// Bytes that the module has accepted.
    pub(super) accepted: usize,
    /// Bytes of the command in flight.
    pub(super) in_flight: usize,
    pub(super) asked_at: Timestamp,
    pub(super) deadline: Timestamp,
    pub(super) timeout: Duration,
}

/// The way in which data were given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// By a request that waits until the module has accepted them.
    Asked(Ticket),
    /// Queued.
    Queued,
    /// Written without waiting. Data that are written next may be appended.
    Written,
}

/// A request that waits for the close.
#[derive(Debug)]
pub(super) struct Closer {
    pub(super) ticket: Ticket,
    pub(super) asked_at: Timestamp,
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
            late_close_until: Timestamp::ZERO,
            pending_connect: None,
            doubt: None,
            question_pace: QuestionPace::new(),
            asked: None,
            last_piece: 0,
            last_data_at: Timestamp::ZERO,
            close_at: Timestamp::ZERO,
            unasked_close_at: Timestamp::ZERO,
            close_refusals: 0,
            has_reported_end: false,
        }
    }

    /// True if the module can't have any data of the channel, because it was not used for a while.
    pub(super) fn is_long_unused(&self, now: Timestamp) -> bool {
        let is_unused = matches!(self.link, Link::Idle) && self.socket.is_none();
        is_unused && (self.generation == 0 || now >= self.last_data_at + LATE_DATA)
    }

    /// True if the line may be about an earlier connection of the channel.
    pub(super) fn may_be_late(&self, now: Timestamp, news: ChannelNews) -> bool {
        self.stale_until > now || (news == ChannelNews::CloseOk && self.late_close_until > now)
    }

    /// The news of its end that the module is still to be asked about.
    pub(super) fn doubtful_end(&self) -> Option<ChannelNews> {
        match self.doubt {
            Some(Doubt::News(news)) => Some(news),
            Some(Doubt::Suspicion(_) | Doubt::Standing | Doubt::RefusedClose(_)) | None => None,
        }
    }

    /// True if a new socket can use the channel.
    pub(super) fn is_free(&self) -> bool {
        self.socket.is_none() && matches!(self.link, Link::Idle)
    }

    /// True if the channel will be free without a further request: its socket has ended, and the module has still to
    /// close it.
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

    /// The identifier of its present or last socket.
    pub(super) fn socket_id(&self) -> SocketId {
        SocketId { channel: self.id, generation: self.generation }
    }

    /// Begins a new socket.
    pub(super) fn occupy(&mut self, window: Window) -> SocketId {
        self.doubt = None;
        self.question_pace = QuestionPace::new();
        self.asked = None;
        self.generation = self.generation.wrapping_add(1);
        self.socket = Some(Socket {
            window,
            end: None,
            sends: VecDeque::new(),
            closers: Vec::new(),
            waiting: false,
            counted: false,
            was_counted: false,
            left: 0,
            announced: false,
            was_announced: false,
            empty_fetches: 0,
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

    /// The socket, if the identifier is not that of an earlier one.
    pub(super) fn socket_of(&mut self, id: SocketId) -> Option<&mut Socket> {
        if id.generation == self.generation { self.socket.as_mut() } else { None }
    }

    pub(super) fn has_open_socket(&self) -> bool {
        self.socket.as_ref().is_some_and(|socket| socket.end.is_none())
    }

    /// True if its open socket is a stream of bytes.
    pub(super) fn has_stream_of_bytes(&self) -> bool {
        self.socket.as_ref().is_some_and(|socket| socket.end.is_none() && !socket.window.keeps_boundaries())
    }

    /// The socket, if it is open in both directions.
    pub(super) fn open_socket(&mut self) -> Option<&mut Socket> {
        self.socket.as_mut().filter(|socket| socket.end.is_none())
    }
}

impl Socket {
    /// True if the module has accepted all data.
    pub(super) fn is_drained(&self) -> bool {
        self.sends.is_empty() && self.abandoned.is_none()
    }

    /// The answers to the requests that wait until the module has accepted all data.
    pub(super) fn answers_when_drained(&mut self) -> Vec<RequestResult> {
        let first = match self.abandoned {
            Some(_) => 0,
            None => self.sends.front().map_or(u64::MAX, |send| send.number),
        };
        self.delivery.accepted(first)
    }

    /// `len` bytes came from the peer.
    pub(super) fn received(&mut self, now: Timestamp, len: usize) {
        self.statistics.received += len as u64;
        self.statistics.receives += 1;
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.received(now);
        }
    }

    /// The number of bytes that the module has not accepted yet.
    pub(super) fn queued(&self) -> usize {
        let waiting: usize = self.sends.iter().map(|send| send.data.len() - send.accepted).sum();
        waiting + self.abandoned.unwrap_or(0)
    }

    /// The error of a read or a send after the socket has ended, or while it is being closed.
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
    /// True if `len` bytes can be sent: a datagram can't be split.
    pub(super) fn carries(&self, len: usize) -> bool {
        !self.window.keeps_boundaries() || len <= Command::MAX_CHUNK
    }
}

/// The message about a datagram that can't be sent.
pub(super) fn too_long(what: &'static str) -> Error {
    Error::invalid(what, format_args!("is longer than {} bytes", Command::MAX_CHUNK))
}
