//! The words in which the core and its shell talk.

use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::at::{ChannelId, Command, Fault, Payload, Protocol, Quotable, Urc};
use crate::error::{CloseReason, Error, NotReady};
use crate::query::Query;

use super::{Beat, BringUpStep, HeartbeatFailure, Response, SocketId};
use crate::tls::TlsSettings;

/// An input of the core, from the shell.
#[derive(Debug)]
pub enum Input<'a> {
    /// Bytes came from the port.
    Received(&'a [u8]),
    /// The application asks for something. Each ticket is used once; its answer carries it.
    Asked(Ticket, Request),
    /// The deadline has come. Harmless at any other time.
    Tick,
    /// The port has taken every byte of every [`Output::Write`] so far. Told when [`Engine::awaits_port`](super::Engine::awaits_port)
    /// asks for it; harmless at any other time.
    Written,
    /// The port is gone, for this reason, and is expected back: what is in flight fails, every socket ends; what waits for
    /// readiness goes on waiting.
    PortAway(&'a str),
    /// The port is gone for good, for this reason: every request fails, every socket ends.
    PortLost(&'a str),
    /// The port is there again: bring-up begins from the start.
    PortBack,
}

/// An output of the core, for the shell. Drain [`Engine::poll`](super::Engine::poll) before waiting for anything.
pub enum Output {
    /// Bytes for the port, in order.
    Write(Vec<u8>),
    /// The answer to a request.
    Answered(Ticket, Result<Response, Error>),
    /// News for every subscriber.
    Event(Event),
    /// Data or the end can be read from a socket, where there was nothing to read before.
    Readable(SocketId),
    /// A socket has room for what is [written](super::Engine::write) again, or has ended, where there was none.
    Writable(SocketId),
    /// A socket's heartbeat is due, and the shell knows what it says: the heartbeat's number, from 1. The shell asks for it
    /// with [`Request::Beat`].
    Beat(SocketId, u64),
    /// The port's DTR line is to be on or off; it begins on. A port without one ignores this.
    Dtr(bool),
}

/// Shows how much is to be written, not what: it may hold a key or a password.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(bytes) => write!(f, "Write({} bytes)", bytes.len()),
            Self::Answered(ticket, result) => write!(f, "Answered({ticket:?}, {result:?})"),
            Self::Event(event) => write!(f, "Event({event:?})"),
            Self::Readable(socket) => write!(f, "Readable({socket:?})"),
            Self::Writable(socket) => write!(f, "Writable({socket:?})"),
            Self::Beat(socket, count) => write!(f, "Beat({socket:?}, {count})"),
            Self::Dtr(on) => write!(f, "Dtr({on})"),
        }
    }
}

/// Names a request until it is answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub u64);

/// A request of the application. Every request is answered within its time-out.
#[derive(Debug)]
#[non_exhaustive]
pub enum Request {
    /// Wait until sockets can be opened. Answered with [`Response::Ready`] or [`Error::NotReady`].
    WaitReady {
        /// How long.
        timeout: Duration,
    },
    /// Open a socket, waiting for readiness if need be.
    Connect {
        /// What it speaks.
        protocol: Protocol,
        /// Name or address of the peer.
        host: Quotable,
        /// Its port, not zero.
        port: u16,
        /// How long.
        timeout: Duration,
    },
    /// Open a TLS connection, which the module makes: what it needs is uploaded first. Answered as
    /// [`Connect`](Self::Connect) is; [`Error::Tls`] says where it failed.
    ConnectTls {
        /// What it needs, for this host.
        tls: TlsSettings,
        /// Name or address of the peer.
        host: Quotable,
        /// Its port, not zero.
        port: u16,
        /// How long.
        timeout: Duration,
    },
    /// Open a transparent stream, waiting for readiness if need be: one connection that has the whole line. Answered
    /// with [`Response::Connected`]; [`Error::InUse`] while sockets are open or another stream lasts.
    Transparent {
        /// Name or address of the peer.
        host: Quotable,
        /// Its port, not zero.
        port: u16,
        /// How long.
        timeout: Duration,
    },
    /// Leave data mode and keep the connection, so that commands can be run. Answered with [`Response::Done`].
    Escape {
        /// Which stream.
        socket: SocketId,
        /// How long.
        timeout: Duration,
    },
    /// Go back to data mode. Answered with [`Response::Done`].
    Resume {
        /// Which stream.
        socket: SocketId,
        /// How long.
        timeout: Duration,
    },
    /// Send data, in order with earlier sends of the socket. Answered with [`Response::Sent`] as soon as the module
    /// has all of it; after the time-out with what it has accepted, or [`Error::Timeout`] if that is nothing. What was on
    /// its way to the module by then is no part of the answer: it counts as sent when the module accepts it later.
    /// [`Error::InvalidInput`] for an empty datagram.
    Send {
        /// Where to.
        socket: SocketId,
        /// The data; the buffer comes back with the answer.
        data: Vec<u8>,
        /// How long.
        timeout: Duration,
    },
    /// Send data without waiting, in order with other sends. Answered at once with [`Response::Done`], or
    /// [`Error::QueueFull`].
    Queue {
        /// Where to.
        socket: SocketId,
        /// The data.
        data: Vec<u8>,
    },
    /// The words of a heartbeat that [`Output::Beat`] asked for. Answered at once: with [`Response::Done`], also if the
    /// heartbeat was ended or changed meanwhile; with [`Error::QueueFull`] or [`Error::InvalidInput`] if it can't be sent,
    /// which is an [`Event::HeartbeatFailed`] as well.
    Beat {
        /// Whose.
        socket: SocketId,
        /// Its number and its words.
        beat: Beat,
    },
    /// Wait until the peer has acknowledged everything that was sent; [`Error::DeliveryUnknown`] at once where that is
    /// unknown.
    Flush {
        /// Which.
        socket: SocketId,
        /// How long.
        timeout: Duration,
    },
    /// Wait until the module has accepted everything that was sent or queued.
    Drain {
        /// Which.
        socket: SocketId,
        /// How long.
        timeout: Duration,
    },
    /// Ask how many bytes the peer has not acknowledged; [`Error::DeliveryUnknown`] as for [`Flush`](Self::Flush).
    Unacknowledged {
        /// Which.
        socket: SocketId,
        /// How long.
        timeout: Duration,
    },
    /// Wait until sockets that were closed have given the module what was written.
    WaitLeft {
        /// How long.
        timeout: Duration,
    },
    /// Give up a request that still waits for a connection or for readiness: it is answered with [`Error::Closed`], and its
    /// channel is free again when the module has closed what was begun on it. Any other request goes on. Answered at once.
    #[cfg_attr(
        not(any(feature = "async", feature = "unstable-core")),
        expect(dead_code, reason = "a future that is dropped asks for it")
    )]
    Cancel {
        /// Which request.
        ticket: Ticket,
    },
    /// Close a socket and wait until the module has done so. What was [written](super::Engine::write) goes out first, for at
    /// most 30 s.
    Close {
        /// Which.
        socket: SocketId,
        /// How long.
        timeout: Duration,
    },
    /// Close a socket whose handle is gone. Answered at once.
    Forget {
        /// Which.
        socket: SocketId,
    },
    /// Run a command, of the application ([`Command::of_user`]) or of a question ([`Query::command`]); its time-out is the
    /// request's. Answered with [`Response::Reply`].
    Run(Command),
    /// Run a command that waits for payload ([`Command::with_payload`]).
    RunWithPayload {
        /// Which.
        command: Command,
        /// What it waits for.
        payload: Payload,
        /// How long.
        timeout: Duration,
    },
    /// Remove a file from the module. A connection that is being prepared begins with its first step.
    RemoveFile(Quotable),
    /// Switch the radio on or off (flight mode). Off ends every socket.
    Radio {
        /// Whether it is to be on.
        on: bool,
    },
    /// Take the bearer down and up again. Ends every socket; answered at once.
    ResetBearer,
    /// Restart the module. Ends every socket.
    Restart,
}

impl Request {
    /// A question with a typed answer, which [`Query::read`] reads of the [`Response::Reply`].
    pub fn query<Q: Query>(query: &Q) -> Self {
        Self::Run(query.command())
    }

    /// Whether it makes sense while there is no port: it waits until sockets can be opened, or needs no module.
    pub(crate) fn needs_no_port(&self) -> bool {
        matches!(
            self,
            Self::WaitReady { .. }
                | Self::Connect { .. }
                | Self::ConnectTls { .. }
                | Self::Cancel { .. }
                | Self::Forget { .. }
        )
    }

    /// The request in a few words for logs and captures: no payload, no secret.
    pub fn summary(&self) -> String {
        match self {
            Self::WaitReady { timeout } => format!("wait until ready, at most {timeout:?}"),
            Self::Connect { protocol, host, port, timeout } => {
                format!("connect {protocol:?} {host}:{port}, at most {timeout:?}")
            }
            Self::ConnectTls { host, port, timeout, .. } => {
                format!("connect TLS {host}:{port}, at most {timeout:?}")
            }
            Self::Transparent { host, port, timeout } => {
                format!("connect transparently {host}:{port}, at most {timeout:?}")
            }
            Self::Escape { socket, .. } => format!("escape {socket:?}"),
            Self::Resume { socket, .. } => format!("resume {socket:?}"),
            Self::Send { socket, data, timeout } => {
                format!("send {} bytes on {socket:?}, at most {timeout:?}", data.len())
            }
            Self::Queue { socket, data } => format!("queue {} bytes on {socket:?}", data.len()),
            Self::Beat { socket, beat } => {
                format!("heartbeat of {} bytes on {socket:?}", beat.words.as_ref().map_or(0, Vec::len))
            }
            Self::Flush { socket, timeout } => format!("flush {socket:?}, at most {timeout:?}"),
            Self::Drain { socket, timeout } => format!("drain {socket:?}, at most {timeout:?}"),
            Self::Unacknowledged { socket, .. } => format!("unacknowledged of {socket:?}"),
            Self::WaitLeft { timeout } => format!("wait for what was written, at most {timeout:?}"),
            Self::Cancel { ticket } => format!("cancel request {}", ticket.0),
            Self::Close { socket, timeout } => format!("close {socket:?}, at most {timeout:?}"),
            Self::Forget { socket } => format!("forget {socket:?}"),
            Self::Run(command) => {
                format!("run {}, at most {:?}", command.name(), command.answer_timeout())
            }
            Self::RunWithPayload { command, payload, timeout } => {
                format!("run {} with {payload:?}, at most {timeout:?}", command.name())
            }
            Self::RemoveFile(name) => format!("remove file {name}"),
            Self::Radio { on: true } => "radio on".to_owned(),
            Self::Radio { on: false } => "radio off".to_owned(),
            Self::ResetBearer => "reset the bearer".to_owned(),
            Self::Restart => "restart".to_owned(),
        }
    }
}

/// The identity of the module.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Identity {
    /// Model and firmware as the module prints them: `AirM2M_720U_V401881_LTE_AT`.
    pub firmware: String,
    /// IMEI, 15 digits; empty if the module did not say.
    pub imei: String,
}

/// An event that no request asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The module said something unasked.
    Urc(Urc),
    /// The line of the [`Urc`](Self::Urc) that follows, as written, if the configuration [wants it](crate::Config::urc_lines). Passwords
    /// are masked, and of text of people all but the key. Headers of payload have none.
    Line(String),
    /// Bring-up has begun a step.
    Step(BringUpStep),
    /// Sockets can be opened; the module's own address, if it said one.
    Ready(Option<Ipv4Addr>),
    /// Sockets can't be opened (any more).
    NotReady(NotReady),
    /// A socket is open.
    Connected(SocketId),
    /// A socket has ended; `None` if it was overrun or the module restarted (the socket's own error says which).
    Closed(SocketId, Option<CloseReason>),
    /// A socket has this many bytes more to read.
    Received(SocketId, usize),
    /// The module has all of one send, of this number of bytes; of what was written, one piece.
    Sent(SocketId, usize),
    /// A socket ended with this number of queued or written bytes that the module never had; or the module refused a datagram of that
    /// length, or did not confirm it.
    Unsent(SocketId, usize),
    /// A number of heartbeats in a row had no answer.
    HeartbeatMissed(SocketId, u32),
    /// A heartbeat was not sent, and why.
    HeartbeatFailed(SocketId, HeartbeatFailure),
    /// Bytes, and their number, came for a channel whose connection is not confirmed (yet): they are no socket's, and were
    /// dropped.
    Stray(ChannelId, usize),
    /// The module restarted.
    Restarted,
    /// Nothing answers on the port. The core goes on trying.
    Unresponsive,
    /// A late or stray answer was dropped, as written.
    Dropped(String),
    /// The modem broke its grammar; the decoder has passed over it.
    Fault(Fault),
    /// A deadline came.
    Expired(Deadline),
    /// The port is gone. A modem that [reopens](crate::Config::reopen) its port looks for it from now on.
    PortLost,
    /// The port is there again, and the module is brought up again.
    PortBack,
    /// Another module answers than before: its IMEI is not the one that was read `before`. A path leads to whatever is
    /// plugged in there; a search (`imei:`, `auto`) goes on for the module that it has found.
    OtherModule {
        /// The IMEI of the module before.
        before: String,
    },
    /// The [capture](crate::Config::capture) has ended early, and why. What comes from now on is not recorded.
    CaptureEnded(String),
    /// This subscriber was too slow and missed this number of events, which came before the next one.
    Missed(u64),
}

/// The reason why the core wants to be woken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Deadline {
    /// The command in flight should have been answered.
    Answer,
    /// The prompt should have come.
    Prompt,
    /// Something came in place of what was awaited, and is believed if nothing else follows.
    Doubt,
    /// The question that tells old answers from new ones should have been answered.
    Barrier,
    /// The next attempt to wake the module.
    Wake,
    /// The next step of bring-up.
    BringUp,
    /// A request of the application should have been answered.
    Request,
    /// A line has stood unfinished long enough to be whole.
    PartialLine,
    /// Announced payload has stopped coming.
    PartialData,
    /// Payload that ends like a header may be whole, because nothing has followed.
    FrameEnd,
    /// A line that no module writes has stood unfinished for too long.
    StrangeLine,
    /// The next step on the way back to trust, behind damage on the line.
    Resync,
    /// A silent channel in manual mode is asked for data.
    ReceivePoll,
    /// A send that the module was too full for is tried again.
    SendRetry,
    /// A connection is closed again of whose close the module has said nothing clear.
    CloseRetry,
    /// The module is asked what the peer has acknowledged.
    Acknowledgement,
    /// The module is asked whether it still has a bearer: a connection failed, or something else hints at that.
    Bearer,
    /// A socket has been silent for the span of its heartbeat, which is due.
    Heartbeat,
    /// Transparent data have stopped, and may end with words of the module's own.
    EndDetector,
    /// The silence before `+++` is over, or payload that would be one may go on.
    Guard,
    /// `+++` should have been answered.
    Escape,
}
