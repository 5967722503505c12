//! The facts of a run, with which checks compare the output of the engine.

use air724ug::proto::{Event, Response, SocketId, Ticket};
use air724ug::sim::{Direction, Link};
use air724ug::time::Timestamp;
use air724ug::{CloseReason, Error};

use super::host_bytes::HostBytes;
use super::payload::{Payload, Sender, Style};
use super::script::{Far, Script, Wanted};

/// All facts that checks may use.
#[derive(Debug)]
pub struct Facts {
    pub now: Timestamp,
    pub script: Script,
    pub connections: Vec<Connection>,
    /// The requests without an answer.
    pub waiting: Vec<PendingRequest>,
    pub port_is_there: bool,
    /// The IMEI of the module at the port.
    pub imei: String,
    /// The IMEI that the driver has read last.
    pub identified: String,
    /// Whether the faults have ended.
    pub healed: bool,
    /// Whether the modem has lost its port for ever.
    pub hung_up: bool,
    /// The directions in which bytes were damaged on the line.
    pub damaged: Vec<Direction>,
    /// Whether damage on the way to the host may have hurt any connection. A changed byte of payload hurts only the
    /// connection of the payload.
    pub may_hurt_all: bool,
    /// Whether the modem may have cut the body of received data short.
    pub may_cut_bodies: bool,
    /// Whether the line may have behaved as no sound line does: it paused in a frame for seconds, or an answer came
    /// twice, or after later ones.
    pub may_mislead: bool,
    /// Whether lines of the modem may have been lost.
    pub may_lose_lines: bool,
    /// Whether the modem may not have reported the end of a connection.
    pub may_lose_news: bool,
    /// Whether the modem may have lost bytes of the host.
    pub may_be_deaf: bool,
    /// Whether the result of a send may be lost or late for another reason than lost bytes of the host.
    pub may_lose_results: bool,
    /// Whether an answer may have come twice.
    pub may_double_answers: bool,
    /// Whether bytes of the host may have reached the modem seconds late.
    pub may_delay_commands: bool,
    /// Whether answers may have come seconds late.
    pub may_delay_answers: bool,
    /// Whether connections may have been reset in the network.
    pub may_reset: bool,
    /// Whether a fault of the modem may still close a connection.
    pub may_still_close: bool,
    pub card_is_out: bool,
    pub network_is_down: bool,
    /// The number of faults of the modem or its surroundings.
    pub faults: usize,
    /// The bytes that have reached the host.
    pub host_bytes: HostBytes,
    /// Words that no event and no error may contain.
    pub secrets: [&'static str; 2],
}

/// A request.
#[derive(Clone, Debug)]
pub struct PendingRequest {
    pub ticket: Ticket,
    pub what: RequestKind,
    pub asked_at: Timestamp,
    /// The time by which the request has to be answered.
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

/// An event of the run.
#[derive(Debug)]
pub enum Observation<'a> {
    Answered(&'a PendingRequest, &'a Result<Response, Error>),
    Event(&'a Event),
    /// The host wrote these bytes.
    Wrote(&'a [u8]),
    /// The transfer goes on: the modem accepted or delivered payload.
    Progress,
    /// The application made a request.
    Asked,
    /// An application read bytes.
    Read {
        connection: usize,
        bytes: &'a [u8],
    },
    /// Nothing more happens at this time. The values are the readable bytes and the unsent bytes of each socket.
    Quiet {
        unread: usize,
        queued: usize,
    },
    PortLost,
    /// The port is lost and expected back.
    PortAway,
    /// The result of a clean exchange after the faults, with the reason of a failure.
    Recovered(Result<(), &'a str>),
    /// The run is over. The value is the bytes that the peer of each connection received.
    End {
        got: &'a [Vec<u8>],
    },
}

/// A connection with both of its ends.
#[derive(Debug)]
pub struct Connection {
    pub number: u16,
    pub wanted: Wanted,
    pub far: Far,
    pub style: Style,
    /// The socket, once it exists.
    pub id: Option<SocketId>,
    /// The modem's links for the connection; several if the connect was repeated.
    pub links: Vec<Link>,
    /// The sends of the application.
    pub sends: Vec<Send>,
    /// Whether the network has made the connection.
    pub is_up: bool,
    /// The pieces of payload that the host has written after `AT+CIPSEND`.
    pub pieces: Vec<Vec<u8>>,
    /// The number of bytes that the modem has accepted on its links.
    pub taken: usize,
    /// The lengths of the data that the peer has sent, a datagram each for UDP.
    pub pushed: Vec<usize>,
    /// The bytes that the application has read.
    pub read: Vec<u8>,
    pub datagrams: Vec<usize>,
    /// The number of bytes that had reached the host when the modem reported the connection.
    pub received_at_begin: usize,
    /// The end of the socket, as reported to the application.
    pub ended: Option<Error>,
    /// The time of that report.
    pub ended_at: Option<Timestamp>,
    /// The number of bytes that had reached the host at that time, or up to the line that reported the peer's close.
    pub received_at_end: Option<usize>,
    /// Whether the network has no such connection at the end of the run.
    pub is_gone: bool,
    /// Whether the application has dropped the socket.
    pub left: bool,
    /// Whether the connection could not be made.
    pub failed: bool,
    /// Whether the peer has closed or reset the connection.
    pub peer_left: bool,
    pub peer_reset: bool,
    /// The number of bytes that an echo had received when it left. It echoes no more.
    pub echoed: Option<usize>,
    /// Whether the network, or a restart of the module, may have reset the connection.
    pub may_be_reset: bool,
    /// Whether the connection may have died without a report.
    pub may_be_dead: bool,
    /// The undetectable effects of damage.
    pub hurt: Hurt,
}

/// Effects of damage that no driver can detect.
#[derive(Clone, Copy, Default, Debug)]
pub struct Hurt {
    /// The number of changed bytes in received payload, not counting lost or doubled ones.
    pub changed: usize,
    /// Whether payload went to or came from another channel, or lost bytes are no longer announced by any line.
    pub received: bool,
    /// Whether payload was changed on its way to the modem.
    pub sent: bool,
    /// Whether the length in the command of a send was changed.
    pub length: bool,
}

/// A send.
#[derive(Clone, Copy, Debug)]
pub struct Send {
    /// The place in the payload at which the send begins.
    pub from: usize,
    pub len: usize,
    pub outcome: Outcome,
}

/// The known result of a send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The send is not answered, or is queued.
    Open,
    /// This number of bytes was accepted, and it is final.
    Accepted(usize),
    /// At least this number of bytes was accepted.
    Unknown(usize),
    /// No byte was given to the modem.
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
            received_at_begin: 0,
            received_at_end: None,
            is_gone: false,
            left: false,
            failed: false,
            peer_left: false,
            peer_reset: false,
            echoed: None,
            may_be_reset: false,
            may_be_dead: false,
            hurt: Hurt::default(),
        }
    }

    /// The payload that the application sends.
    pub fn outgoing(&self) -> Payload {
        Payload { sender: Sender::Application, connection: self.number, style: self.style }
    }

    /// The payload that the peer sends, if it does not echo.
    pub fn incoming(&self) -> Payload {
        Payload { sender: Sender::Peer, connection: self.number, style: self.style }
    }

    /// The number of bytes that the application has given.
    pub fn given(&self) -> usize {
        self.sends.last().map_or(0, |send| send.from + send.len)
    }

    /// The number of bytes that were reported to the application as accepted.
    pub fn reported_accepted(&self) -> usize {
        self.sends
            .iter()
            .map(|send| match send.outcome {
                Outcome::Accepted(count) | Outcome::Unknown(count) => count,
                Outcome::Open | Outcome::Refused => 0,
            })
            .sum()
    }

    /// The number of bytes that the peer has sent, if it does not echo.
    pub fn pushed_bytes(&self) -> usize {
        self.pushed.iter().sum()
    }

    /// Whether the application uses the connection.
    pub fn is_in_use(&self) -> bool {
        self.id.is_some() && !self.left
    }

    /// Whether the application got an error other than a close by the peer or by itself.
    pub fn has_typed_error(&self) -> bool {
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
    /// The index of the connection with this number.
    pub fn numbered(&self, number: u16) -> Option<usize> {
        self.connections.iter().position(|connection| connection.number == number)
    }

    /// The index of the connection of this socket.
    pub fn of_socket(&self, id: SocketId) -> Option<usize> {
        self.connections.iter().rposition(|connection| connection.id == Some(id))
    }

    /// The connections that something can still happen to.
    pub fn unended(&mut self) -> impl Iterator<Item = &mut Connection> {
        self.connections.iter_mut().filter(|connection| connection.ended.is_none())
    }

    /// From now on connections may be reset.
    pub fn resets_begin(&mut self) {
        self.may_reset = true;
        self.unended().for_each(|connection| connection.may_be_reset = true);
    }

    /// Whether damage may have changed what this connection receives, in a way that is not known at once.
    pub fn may_be_hurt(&self, connection: &Connection) -> bool {
        let hurt = connection.hurt;
        hurt.received || hurt.changed > 0 || self.may_hurt_all || self.may_cut_bodies
    }

    /// Whether bytes were damaged in this direction.
    pub fn is_damaged(&self, way: Direction) -> bool {
        self.damaged.contains(&way)
    }
}
