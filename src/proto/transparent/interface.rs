//! The inputs of the stream, the facts that it needs from the other parts of the core, and its outputs.

use std::time::Duration;

use crate::at::{Quotable, Refusal, Urc};
use crate::error::{Error, NotReady};
use crate::proto::bring_up::ConnectionMode;
use crate::proto::channels::{End, StreamSocket};
use crate::proto::{Event, Response, Ticket};

use super::Mode;

/// An input of the stream.
#[derive(Debug)]
pub(in crate::proto) enum StreamInput<'a> {
    /// The application requests a stream.
    Connect { ticket: Ticket, host: Quotable, port: u16, timeout: Duration },
    /// The application requests a mode of the open stream.
    Want { ticket: Ticket, mode: Mode, timeout: Duration },
    /// A socket was closed, or its last handle was dropped.
    Left,
    /// An unsolicited line.
    News(&'a [u8], &'a Urc),
    /// A line that no command waits for, while no late answer is expected.
    Stray(&'a [u8]),
    /// Bytes came that no module writes in command mode.
    Fault,
    /// The module has refused this command, which a stream requires.
    Unable(&'a str, Refusal),
    /// All connections of the module are lost.
    Lost(&'a End),
    /// The time-out of a request has passed.
    Expired,
}

/// The facts that the stream needs from the other parts of the core.
#[derive(Debug)]
pub(in crate::proto) struct Facts {
    pub(in crate::proto) socket: StreamSocket,
    /// Whether a channel is free for a stream.
    pub(in crate::proto) has_free_channel: bool,
    /// The connection mode that the module has, or is being given.
    pub(in crate::proto) set_up_for: ConnectionMode,
    /// The reason why the module is not ready.
    pub(in crate::proto) not_ready: Option<NotReady>,
    /// Whether all connections of the module were shut down.
    pub(in crate::proto) has_shut: bool,
    /// Whether the module does not echo commands.
    pub(in crate::proto) echo_is_off: bool,
    /// How long the module needs for its answers, if that is long.
    pub(in crate::proto) slowness: Duration,
    /// Whether commands of the application wait.
    pub(in crate::proto) has_commands: bool,
}

/// An output of the stream.
#[derive(Debug)]
pub(in crate::proto) enum StreamAction {
    Answer(Ticket, Result<Response, Error>),
    Event(Event),
    Write(Vec<u8>),
    Dtr(bool),
    /// Held payload for the socket.
    Payload(Vec<u8>),
    /// The stream occupies a channel.
    Occupy,
    /// The stream has a socket, which is the answer to this request.
    Open(Ticket),
    /// The socket ends.
    End(End),
    /// The stream leaves its channel.
    Vacate,
    /// Data mode has begun.
    GoOnline,
    /// Data mode has ended.
    GoOffline,
    /// The mode of the module is unknown: the driver searches for the module and sets it up for sockets.
    Search,
    /// The module is set up for sockets.
    SetUpSockets,
    /// The module has restarted.
    Restarted,
    /// Text of the module that is processed as if it came now.
    Read(Vec<u8>),
}

/// The action that follows a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum StepOutcome {
    /// Another step, with new facts.
    Again,
    /// Data can be written.
    Write,
    Nothing,
}
