//! The facts of a run: the truth that checks compare with what the engine says.

use air724ug::proto::{Event, Response, SocketId, Ticket};
use air724ug::sim::{Direction, Link};
use air724ug::time::Timestamp;
use air724ug::{CloseReason, Error};

use super::host_bytes::HostBytes;
use super::payload::{Payload, Sender, Style};
use super::script::{Far, Script, Wanted};

/// Everything that checks may look at.
#[derive(Debug)]
pub struct Facts {
    pub now: Timestamp,
    pub script: Script,
    pub connections: Vec<Connection>,
    /// Requests without an answer.
    pub waiting: Vec<PendingRequest>,
    pub port_is_there: bool,
    /// The IMEI of the module that is behind the port.
    pub imei: String,
    /// The IMEI that the driver has read last.
    pub identified: String,
    /// No more faults come.
    pub healed: bool,
    /// The modem lost its port for ever.
    pub hung_up: bool,
    /// Bytes were damaged on the line, this way.
    pub damaged: Vec<Direction>,
    /// The modem may have cut the body of received data short.
    pub may_cut_bodies: bool,
    /// Behaviour of no sound line: it stood still in the middle of a frame for seconds, or an answer came twice, or
    /// behind later ones.
    pub may_mislead: bool,
    /// Lines of the modem may have been lost.
    pub may_lose_lines: bool,
    /// The modem may have said nothing of the end of a connection.
    pub may_lose_news: bool,
    /// The modem may have lost what the host wrote.
    pub may_be_deaf: bool,
    /// Something besides deafness is at work, so that the result of a send may be lost or late.
    pub may_lose_results: bool,
    /// An answer may have come twice.
    pub may_double_answers: bool,
    /// Answers may have come seconds late.
    pub may_delay_answers: bool,
    /// Connections may have broken in the network.
    pub may_reset: bool,
    /// Connections may have died unnoticed.
    pub may_stall: bool,
    pub card_is_out: bool,
    pub network_is_down: bool,
    /// How many faults the modem or the world has been given.
    pub faults: usize,
    /// What has reached the host.
    pub heard: HostBytes,
    /// Words that must not show.
    pub secrets: [&'static str; 2],
}

/// A request.
#[derive(Clone, Debug)]
pub struct PendingRequest {
    pub ticket: Ticket,
    pub what: RequestKind,
    pub asked_at: Timestamp,
    /// When it must be answered.
    pub due: Timestamp,
}

/// The kind of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestKind {
    Connect {
        connection: usize,
    },
    Send {
        connection: usize,
        send: usize,
    },
    Queue {
        connection: usize,
        send: usize,
    },
    Close {
        connection: usize,
    },
    /// A command of the application.
    Command,
    Other,
}

/// Something that has just happened.
#[derive(Debug)]
pub enum Observation<'a> {
    Answered(&'a PendingRequest, &'a Result<Response, Error>),
    Event(&'a Event),
    /// The host wrote this.
    Wrote(&'a [u8]),
    /// The modem took this number of bytes of payload, or gave some: the transfer goes on.
    Progress,
    /// A request was asked.
    Asked,
    /// An application read this.
    Read {
        connection: usize,
        bytes: &'a [u8],
    },
    /// Nothing more happens at this moment; how many bytes can be read of each socket, and how many wait to be sent.
    Quiet {
        unread: usize,
        queued: usize,
    },
    PortLost,
    /// The port is gone and expected back.
    PortAway,
    /// A clean exchange after the faults: whether it worked, what it said if not.
    Recovered(Result<(), &'a str>),
    /// The run is over. What the peer of each connection has got.
    End {
        got: &'a [Vec<u8>],
    },
}

/// One connection, both of its ends.
#[derive(Debug)]
pub struct Connection {
    pub number: u16,
    pub wanted: Wanted,
    pub far: Far,
    pub style: Style,
    /// The socket, once it is there.
    pub id: Option<SocketId>,
    /// The modem's links that were made for it; more than one if a connect was tried again.
    pub links: Vec<Link>,
    /// What the application has given.
    pub sends: Vec<Send>,
    /// The network has made it.
    pub is_up: bool,
    /// The pieces of payload that the host has written behind `AT+CIPSEND`.
    pub pieces: Vec<Vec<u8>>,
    /// Bytes that the modem has taken on its links.
    pub taken: usize,
    /// Bytes that the peer has sent, a datagram each for UDP.
    pub pushed: Vec<usize>,
    /// What the application has read, a datagram each for UDP.
    pub read: Vec<u8>,
    pub datagrams: Vec<usize>,
    /// How much had reached the host when the modem said that it is connected.
    pub heard_at_begin: usize,
    /// How the socket ended, as the application was told.
    pub ended: Option<Error>,
    /// When that was.
    pub ended_at: Option<Timestamp>,
    /// How many bytes the host had heard then.
    pub heard_at_end: Option<usize>,
    /// The network has no such connection any more, when everything is over.
    pub is_gone: bool,
    /// The application has dropped it.
    pub left: bool,
    /// The connection could not be made.
    pub failed: bool,
    /// The peer has closed or reset the connection.
    pub peer_left: bool,
    pub peer_reset: bool,
    /// How many bytes an echo had got when it left: it sends back no more.
    pub echoed: Option<usize>,
    /// Harm by damage of the line that can't be seen.
    pub hurt: Hurt,
}

/// The harm that no driver can see.
#[derive(Clone, Copy, Default, Debug)]
pub struct Hurt {
    /// Bytes of received payload that were changed, not lost or doubled.
    pub changed: usize,
    /// Payload went to or came from another channel, or bytes were lost that no line announces any more.
    pub received: bool,
    /// Payload was changed on its way to the modem.
    pub sent: bool,
    /// The length in the command of a send was.
    pub length: bool,
}

/// One send.
#[derive(Clone, Copy, Debug)]
pub struct Send {
    /// Where in the payload it begins.
    pub from: usize,
    pub len: usize,
    pub outcome: Outcome,
}

/// The application's knowledge of a send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Not answered, or queued.
    Open,
    /// This number of bytes was accepted, and no more ever will be.
    Accepted(usize),
    /// At least this number of bytes was accepted.
    Unknown(usize),
    /// None was given to the modem.
    Refused,
}

impl Connection {
    pub fn new(number: u16, wanted: Wanted, far: Far, style: Style) -> Self {
        Self {
            number,
            wanted,
            far,
            style,
            id: None,
            links: Vec::new(),
            is_up: false,
            sends: Vec::new(),
            pieces: Vec::new(),
            taken: 0,
            pushed: Vec::new(),
            read: Vec::new(),
            datagrams: Vec::new(),
            ended: None,
            ended_at: None,
            heard_at_begin: 0,
            heard_at_end: None,
            is_gone: false,
            left: false,
            failed: false,
            peer_left: false,
            peer_reset: false,
            echoed: None,
            hurt: Hurt::default(),
        }
    }

    /// What the application sends.
    pub fn outgoing(&self) -> Payload {
        Payload { sender: Sender::Application, connection: self.number, style: self.style }
    }

    /// What the peer sends, if it does not echo.
    pub fn incoming(&self) -> Payload {
        Payload { sender: Sender::Peer, connection: self.number, style: self.style }
    }

    /// Bytes that the application has given.
    pub fn given(&self) -> usize {
        self.sends.last().map_or(0, |send| send.from + send.len)
    }

    /// Bytes that were reported to the application as accepted.
    pub fn told_accepted(&self) -> usize {
        self.sends
            .iter()
            .map(|send| match send.outcome {
                Outcome::Accepted(count) | Outcome::Unknown(count) => count,
                Outcome::Open | Outcome::Refused => 0,
            })
            .sum()
    }

    /// Bytes that the peer has sent, if it does not echo.
    pub fn pushed_bytes(&self) -> usize {
        self.pushed.iter().sum()
    }

    /// Whether the application uses it.
    pub fn is_in_use(&self) -> bool {
        self.id.is_some() && !self.left
    }

    /// Whether the application was told that something went wrong, beyond the peer's or its own close.
    pub fn is_told(&self) -> bool {
        match &self.ended {
            None => false,
            Some(Error::Closed(CloseReason::Local | CloseReason::Peer | CloseReason::ShutDown)) => false,
            Some(_) => true,
        }
    }

    pub fn is_udp(&self) -> bool {
        self.wanted == Wanted::Udp
    }
}

impl Facts {
    /// The connection with this number.
    pub fn numbered(&self, number: u16) -> Option<usize> {
        self.connections.iter().position(|connection| connection.number == number)
    }

    /// The connection of this socket.
    pub fn of_socket(&self, id: SocketId) -> Option<usize> {
        self.connections.iter().rposition(|connection| connection.id == Some(id))
    }

    /// Whether bytes were damaged this way.
    pub fn is_damaged(&self, way: Direction) -> bool {
        self.damaged.contains(&way)
    }
}
