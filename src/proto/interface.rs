//! The inputs and outputs of the core: requests, answers and events.

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
    /// A request of the application. Each ticket is used once; the answer has the same ticket.
    Asked(Ticket, Request),
    /// The deadline has passed. It has no effect at any other time.
    Tick,
    /// The port has accepted every byte of every [`Output::Write`] so far. The engine needs this input while
    /// [`Engine::awaits_port`](super::Engine::awaits_port) is true; it has no effect at any other time.
    Written,
    /// The port is gone, for this reason, and is expected back. Requests in flight fail and every socket ends. Requests
    /// that wait for readiness go on waiting.
    PortAway(&'a str),
    /// The port is gone for good, for this reason. Every request fails and every socket ends.
    PortLost(&'a str),
    /// The port is there again. Bring-up begins from the start.
    PortBack,
}

/// An output of the core, for the shell. Call [`Engine::poll`](super::Engine::poll) until it returns `None` before you
/// wait for anything.
pub enum Output {
    /// Bytes for the port, in order.
    Write(Vec<u8>),
    /// The answer to a request.
    Answered(Ticket, Result<Response, Error>),
    /// An event for every subscriber.
    Event(Event),
    /// Data or the end of a socket can be read, where there was nothing to read before.
    Readable(SocketId),
    /// A socket has room for [written](super::Engine::write) data again, or has ended, where there was no room before.
    Writable(SocketId),
    /// A heartbeat of a socket is due whose payload the shell makes. The number counts the heartbeats from 1. The shell
    /// answers with [`Request::Beat`].
    Beat(SocketId, u64),
    /// The new state of the port's DTR line, which is on at first. A port without DTR ignores this.
    Dtr(bool),
}

/// Shows the number of bytes to be written only, because they may hold a key or a password.
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

/// Identifies a request until it is answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub u64);

/// A request of the application. Every request is answered within its time-out.
#[derive(Debug)]
#[non_exhaustive]
pub enum Request {
    /// Wait until sockets can be opened. The answer is [`Response::Ready`] or [`Error::NotReady`].
    WaitReady {
        /// The time-out.
        timeout: Duration,
    },
    /// Open a socket. The request waits for readiness.
    Connect {
        /// TCP or UDP.
        protocol: Protocol,
        /// Name or address of the peer.
        host: Quotable,
        /// Its port, not zero.
        port: u16,
        /// The time-out.
        timeout: Duration,
    },
    /// Open a TLS connection of the module. Its files are uploaded first. The answer is that of
    /// [`Connect`](Self::Connect); [`Error::Tls`] names the step that failed.
    ConnectTls {
        /// Its files and settings, for this host.
        tls: TlsSettings,
        /// Name or address of the peer.
        host: Quotable,
        /// Its port, not zero.
        port: u16,
        /// The time-out.
        timeout: Duration,
    },
    /// Open a transparent stream: one connection that uses the whole line. The request waits for readiness. The answer
    /// is [`Response::Connected`], or [`Error::InUse`] while sockets or another stream are open.
    Transparent {
        /// Name or address of the peer.
        host: Quotable,
        /// Its port, not zero.
        port: u16,
        /// The time-out.
        timeout: Duration,
    },
    /// Leave data mode and keep the connection, so that commands are possible. The answer is [`Response::Done`].
    Escape {
        /// The stream.
        socket: SocketId,
        /// The time-out.
        timeout: Duration,
    },
    /// Go back to data mode. The answer is [`Response::Done`].
    Resume {
        /// The stream.
        socket: SocketId,
        /// The time-out.
        timeout: Duration,
    },
    /// Send data, in order with earlier sends of the socket. The answer is [`Response::Sent`] as soon as the module has
    /// accepted all of it. After the time-out the answer has the number of bytes accepted so far, or is
    /// [`Error::Timeout`] if there are none. Bytes in flight at that moment are not part of the answer; they count as
    /// sent when the module accepts them later. [`Error::InvalidInput`] for an empty datagram.
    Send {
        /// The socket.
        socket: SocketId,
        /// The data. The answer returns the buffer.
        data: Vec<u8>,
        /// The time-out.
        timeout: Duration,
    },
    /// Send data without waiting, in order with other sends. The answer comes at once: [`Response::Done`] or
    /// [`Error::QueueFull`].
    Queue {
        /// The socket.
        socket: SocketId,
        /// The data.
        data: Vec<u8>,
    },
    /// The payload of a heartbeat that [`Output::Beat`] asked for. The answer comes at once: [`Response::Done`], also
    /// if the heartbeat was ended or changed meanwhile; [`Error::QueueFull`] or [`Error::InvalidInput`] if it can't be
    /// sent. In that case an [`Event::HeartbeatFailed`] follows as well.
    Beat {
        /// The socket.
        socket: SocketId,
        /// The number and the payload.
        beat: Beat,
    },
    /// Wait until the peer has acknowledged all data that were sent. [`Error::DeliveryUnknown`] at once where the
    /// module does not know.
    Flush {
        /// The socket.
        socket: SocketId,
        /// The time-out.
        timeout: Duration,
    },
    /// Wait until the module has accepted all data that were sent or queued.
    Drain {
        /// The socket.
        socket: SocketId,
        /// The time-out.
        timeout: Duration,
    },
    /// Ask for the number of bytes that the peer has not acknowledged. [`Error::DeliveryUnknown`] as for
    /// [`Flush`](Self::Flush).
    Unacknowledged {
        /// The socket.
        socket: SocketId,
        /// The time-out.
        timeout: Duration,
    },
    /// Wait until closed sockets have sent their written data.
    WaitLeft {
        /// The time-out.
        timeout: Duration,
    },
    /// Cancel a request that waits for a connection or for readiness. That request is answered with [`Error::Closed`].
    /// Its channel is free after the module has closed a connection that was begun. Other requests are not affected.
    /// The answer comes at once.
    #[cfg_attr(
        not(any(feature = "async", feature = "unstable-core")),
        expect(dead_code, reason = "a future that is dropped asks for it")
    )]
    Cancel {
        /// The request to cancel.
        ticket: Ticket,
    },
    /// Close a socket and wait until the module has closed it. [Written](super::Engine::write) data are sent first, for
    /// at most 30 s.
    Close {
        /// The socket.
        socket: SocketId,
        /// The time-out.
        timeout: Duration,
    },
    /// Close a socket whose last handle was dropped. The answer comes at once.
    Forget {
        /// The socket.
        socket: SocketId,
    },
    /// Run a command of the application ([`Command::of_user`]) or of a query ([`Query::command`]). The time-out of the
    /// command is that of the request. The answer is [`Response::Reply`].
    Run(Command),
    /// Run a command that waits for payload ([`Command::with_payload`]).
    RunWithPayload {
        /// The command.
        command: Command,
        /// The payload.
        payload: Payload,
        /// The time-out.
        timeout: Duration,
    },
    /// Remove a file from the module. The preparation of a connection begins again.
    RemoveFile(Quotable),
    /// Switch the radio on or off (flight mode). Switching it off ends every socket.
    Radio {
        /// The new state.
        on: bool,
    },
    /// Take the bearer down and up again, which ends every socket. The answer comes at once.
    ResetBearer,
    /// Restart the module, which ends every socket.
    Restart,
}

impl Request {
    /// A query. [`Query::read`] makes its typed answer of the [`Response::Reply`].
    pub fn query<Q: Query>(query: &Q) -> Self {
        Self::Run(query.command())
    }

    /// True if the request is possible without a port: it waits until sockets can be opened, or needs no module.
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

    /// A short text for logs and captures, without payload and secrets.
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
#[non_exhaustive]
pub struct Identity {
    /// Model and firmware as the module writes them: `AirM2M_720U_V401881_LTE_AT`.
    pub firmware: String,
    /// The IMEI, 15 digits; empty if the module has not reported it.
    pub imei: String,
}

/// An event of the driver or the module.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The module wrote an unsolicited line.
    Urc(Urc),
    /// The text of the line of the following [`Urc`](Self::Urc), if [configured](crate::Config::urc_lines). Passwords
    /// are masked, and so is everything but the key of text of people. Headers of payload have no such event.
    Line(String),
    /// Bring-up has begun this step.
    Step(BringUpStep),
    /// Sockets can be opened. The value is the module's own address, if it has reported one.
    Ready(Option<Ipv4Addr>),
    /// Sockets can't be opened, for this reason.
    NotReady(NotReady),
    /// A socket is open.
    Connected(SocketId),
    /// A socket has ended. The reason is `None` if its window was full or the module restarted; calls on the socket
    /// return which.
    Closed(SocketId, Option<CloseReason>),
    /// A socket has this number of new bytes to read.
    Received(SocketId, usize),
    /// The module has accepted a complete send of this number of bytes, or one piece of written data.
    Sent(SocketId, usize),
    /// This number of queued or written bytes was lost, because the socket ended before the module accepted them; or a
    /// datagram of that length was refused or not confirmed.
    Unsent(SocketId, usize),
    /// This number of heartbeats in a row had no answer.
    HeartbeatMissed(SocketId, u32),
    /// A heartbeat was not sent, for this reason.
    HeartbeatFailed(SocketId, HeartbeatFailure),
    /// This number of bytes came for a channel without a confirmed connection. They belong to no socket and were
    /// dropped.
    Stray(ChannelId, usize),
    /// The module restarted.
    Restarted,
    /// Nothing answers on the port. The driver goes on trying.
    Unresponsive,
    /// This late or stray line was dropped.
    Dropped(String),
    /// The module wrote something that its grammar does not allow, or the line was damaged.
    Fault(Fault),
    /// A deadline has passed.
    Expired(Deadline),
    /// The port is gone. If [`Config::reopen`](crate::Config::reopen) is set, the driver tries to open it again.
    PortLost,
    /// The port is open again, and bring-up begins.
    PortBack,
    /// Another module answers: its IMEI differs from the one that was read before. A path opens whatever is plugged in
    /// there; a search (`imei:`, `auto`) continues for the module that it had found.
    OtherModule {
        /// The IMEI of the module before.
        before: String,
    },
    /// Sends wait for the module's prompt from now on, although [`Config::send_prompt`](crate::Config::send_prompt) is
    /// false: the module refused `AT+CIPSPRT=0`, printed a prompt nevertheless, or echoes commands after `ATE0` too.
    SendPromptKept,
    /// The [capture](crate::Config::capture) has ended early, for this reason. Nothing is recorded from now on.
    CaptureEnded(String),
    /// This subscriber was too slow and missed this number of events before the next one.
    Missed(u64),
}

/// The reason of a deadline of the core.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Deadline {
    /// The time-out of the command in flight.
    Answer,
    /// The time-out of a prompt.
    Prompt,
    /// A line came in place of the expected one. It is accepted if nothing else follows until this deadline.
    Doubt,
    /// The time-out of the question that separates late answers from new ones.
    Barrier,
    /// The next attempt to wake the module.
    Wake,
    /// The next step of bring-up.
    BringUp,
    /// The time-out of a request of the application.
    Request,
    /// An unfinished line counts as complete.
    PartialLine,
    /// Announced payload counts as lost.
    PartialData,
    /// Payload that ends like a header counts as complete, because nothing has followed.
    FrameEnd,
    /// An unfinished line that no module writes counts as damage.
    StrangeLine,
    /// The next step of the resynchronisation after damage on the line.
    Resync,
    /// The next poll of a silent channel in manual receive mode.
    ReceivePoll,
    /// The next attempt of a send that the full buffer of the module has refused.
    SendRetry,
    /// The next attempt of a close that the module has not answered clearly.
    CloseRetry,
    /// The next question about the peer's acknowledgements.
    Acknowledgement,
    /// The next question about the bearer, after a failed connection or another sign of its loss.
    Bearer,
    /// The next heartbeat of a silent socket.
    Heartbeat,
    /// Transparent data have stopped and may end with text of the module.
    EndDetector,
    /// The end of the silence before `+++`, or of the pause within payload that looks like an escape.
    Guard,
    /// The time-out of `+++`.
    Escape,
}
