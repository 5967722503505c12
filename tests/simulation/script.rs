//! A scenario as data: what the world is like, and what happens in it, step by step. It can be printed and made shorter.

use std::time::Duration;

use air724ug::ReceiveMode;
use air724ug::sim::{Control, Fault};

use super::Kind;
use super::line::Damage;
use super::payload::Style;

/// Everything that a run depends on.
#[derive(Clone, Debug)]
pub struct Script {
    /// What is simulated.
    pub kind: Kind,
    /// The seed that it was made of.
    pub seed: u64,
    /// What does not change.
    pub world: World,
    /// What happens.
    pub steps: Vec<Step>,
}

/// The settings of both sides.
#[derive(Clone, Debug)]
pub struct World {
    pub mode: ReceiveMode,
    pub window: usize,
    /// Index of the modem's dialect.
    pub profile: usize,
    pub cold: bool,
    /// The card asks for its PIN.
    pub pin: bool,
    pub latency_ms: u64,
    pub baud: Option<u32>,
    pub network_ms: u64,
    /// The most bytes of one read of the port, 0: as they come.
    pub chunk: usize,
    /// The applications read at once.
    pub eager: bool,
    /// Applications that connect again when their connection has ended.
    pub reconnecting: u16,
}

/// Something that happens, and how long after the step before.
#[derive(Clone, Debug)]
pub struct Step {
    pub after: Duration,
    pub act: Act,
}

/// The habits of a connection's peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Far {
    /// Sends back what it gets.
    Echo,
    /// Sends what the steps say.
    Pushes,
    /// Does not read.
    NeverReads,
    /// Closes when it has this number of bytes.
    ClosesAfter(u64),
    /// Resets when it has this number of bytes.
    ResetsAfter(u64),
    /// Does not answer the connect.
    Silent,
    /// Refuses the connect.
    Refuses,
}

/// The kind of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    Tcp,
    Udp,
    Transparent,
}

/// A step of a script. Connections are named by the number of their `Connect`; a step about one that is not there does nothing.
#[derive(Clone, Debug)]
pub enum Act {
    /// Nothing: time passes.
    Wait,
    Connect {
        connection: u16,
        wanted: Wanted,
        far: Far,
        style: Style,
        timeout: Duration,
    },
    Send {
        connection: u16,
        len: usize,
        timeout: Duration,
    },
    Queue {
        connection: u16,
        len: usize,
    },
    Read {
        connection: u16,
        most: usize,
    },
    Close {
        connection: u16,
        timeout: Duration,
    },
    /// The last handle is dropped.
    Forget {
        connection: u16,
    },
    Flush {
        connection: u16,
        timeout: Duration,
    },
    Drain {
        connection: u16,
        timeout: Duration,
    },
    Unacknowledged {
        connection: u16,
        timeout: Duration,
    },
    Escape {
        connection: u16,
        timeout: Duration,
    },
    Resume {
        connection: u16,
        timeout: Duration,
    },
    Command {
        text: &'static str,
        timeout: Duration,
    },
    Signal,
    WaitReady {
        timeout: Duration,
    },
    ResetBearer,
    /// The peer sends.
    Push {
        connection: u16,
        len: usize,
    },
    PeerCloses {
        connection: u16,
    },
    PeerResets {
        connection: u16,
    },
    PeerReads {
        connection: u16,
        reads: bool,
    },
    /// One of the applications that connect again sends.
    AppSends {
        app: u16,
        len: usize,
        timeout: Duration,
    },
    Control(Control),
    Fault(Fault),
    Damage(Damage),
    /// The applications begin or stop to read at once.
    Eager(bool),
    PortLost,
    PortBack,
    /// The port takes no bytes, or takes them again.
    PortStands(bool),
}

impl Act {
    /// The name of a fault, if it is one.
    pub fn fault(&self) -> Option<String> {
        let name = |text: &str| text.split(['=', '(', ' ', '{']).next().unwrap_or(text).to_owned();
        Some(match self {
            Self::Fault(fault) => format!("modem {}", name(&fault.to_string())),
            Self::Control(control) => format!("world {}", name(&format!("{control:?}"))),
            Self::Damage(damage) => format!("line {}", damage.name()),
            Self::PortLost => "host port-lost".to_owned(),
            Self::PortStands(true) => "host port-stands".to_owned(),
            Self::Eager(false) => "host slow-reader".to_owned(),
            Self::Forget { .. } => "host handle-dropped".to_owned(),
            Self::PeerResets { .. } => "peer reset".to_owned(),
            _ => return None,
        })
    }
}
