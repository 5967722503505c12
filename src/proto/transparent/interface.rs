//! The inputs of the stream, the facts that it needs of the rest of the core, and its outputs.

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
    /// The application wants a stream.
    Connect { ticket: Ticket, host: Quotable, port: u16, timeout: Duration },
    /// The application wants a mode of the one that is open.
    Want { ticket: Ticket, mode: Mode, timeout: Duration },
    /// The handle of a socket is gone, or it was closed.
    Left,
    /// A line that answers nothing.
    News(&'a [u8], &'a Urc),
    /// A line that no command waits for, while no answer of the module's is outstanding.
    Stray(&'a [u8]),
    /// Something came that no module says in command mode.
    Fault,
    /// The module has refused this command, without which it carries no stream.
    Unable(&'a str, Refusal),
    /// Everything that was open on the module is gone.
    Lost(&'a End),
    /// The time of a request is up.
    Expired,
}

/// The facts that the stream needs of the rest of the core.
#[derive(Debug)]
pub(in crate::proto) struct Facts {
    pub(in crate::proto) socket: StreamSocket,
    /// Whether a channel is free to stand for a stream.
    pub(in crate::proto) has_free_channel: bool,
    /// What the module is set up for, or is being set up for.
    pub(in crate::proto) set_up_for: ConnectionMode,
    /// Why it is not set up, if it is not.
    pub(in crate::proto) not_ready: Option<NotReady>,
    /// Whether what was open on the module is shut down.
    pub(in crate::proto) has_shut: bool,
    /// Whether the module does not send commands back.
    pub(in crate::proto) echo_is_off: bool,
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
    /// Payload for its socket, that was held back.
    Payload(Vec<u8>),
    /// A channel stands for the stream from now on.
    Occupy,
    /// It has a socket from now on, and this request is answered with it.
    Open(Ticket),
    /// The socket ends.
    End(End),
    /// The channel no longer stands for the stream.
    Vacate,
    /// Data mode has begun.
    GoOnline,
    /// Data mode is over.
    GoOffline,
    /// The mode of the module is unknown: the driver searches for it and sets it up for sockets.
    Search,
    /// The module is set up for sockets.
    CarrySockets,
    /// The module has restarted.
    Restarted,
    /// Text of the module's, to be read as if it came now.
    Read(Vec<u8>),
}

/// The continuation behind a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum Next {
    /// Another step, with new facts.
    Again,
    /// Data can be written.
    Write,
    Nothing,
}
