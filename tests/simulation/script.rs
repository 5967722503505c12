//! A scenario as data: its settings and its steps. It can be printed and shortened.

use std::time::Duration;

use air724ug::ReceiveMode;
use air724ug::sim::{Control, Fault};

use super::Kind;
use super::line::Damage;
use super::payload::Style;

/// Everything that determines a run.
#[derive(Clone, Debug)]
pub struct Script {
    /// The kind of the run.
    pub kind: Kind,
    /// The seed of the script.
    pub seed: u64,
    /// The settings, which do not change during the run.
    pub world: World,
    /// The steps of the run.
    pub steps: Vec<Step>,
}

/// The settings of both sides.
#[derive(Clone, Debug)]
pub struct World {
    pub mode: ReceiveMode,
    pub window: usize,
    /// The index of the modem's dialect.
    pub profile: usize,
    pub cold: bool,
    /// Whether the card needs its PIN.
    pub pin: bool,
    pub latency_ms: u64,
    pub baud: Option<u32>,
    pub network_ms: u64,
    /// The most bytes of one read of the port; 0 is no limit.
    pub chunk: usize,
    /// Whether the line to the host pauses between bytes.
    pub pauses: bool,
    /// Whether the module refuses to switch its echo off.
    pub keeps_echo: bool,
    /// Whether the applications read at once.
    pub eager: bool,
    /// Whether sends wait for the module's prompt.
    pub send_prompt: bool,
    /// The number of applications that connect again after the end of their connection.
    pub reconnecting: u16,
}

/// An event, and the time between the step before and this one.
#[derive(Clone, Debug)]
pub struct Step {
    pub after: Duration,
    pub act: Act,
}

/// The behaviour of a connection's peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Far {
    /// Echoes all bytes.
    Echo,
    /// Sends the data of the steps.
    Pushes,
    /// Does not read.
    NeverReads,
    /// Closes after this number of received bytes.
    ClosesAfter(u64),
    /// Resets the connection after this number of received bytes.
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

/// A step of a script. A connection is named by the number of its `Connect`. A step about a connection that does not
/// exist has no effect.
#[derive(Clone, Debug)]
pub enum Act {
    /// Time passes.
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
    /// The application drops its last handle.
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
    /// The peer sends bytes.
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
    /// An application that connects again sends bytes.
    AppSends {
        app: u16,
        len: usize,
        timeout: Duration,
    },
    Control(Control),
    Fault(Fault),
    Damage(Damage),
    /// The applications start or stop to read at once.
    Eager(bool),
    PortLost,
    PortBack,
    /// The port stops to accept bytes, or accepts them again.
    PortStands(bool),
}

impl Act {
    /// The name of the fault, if the step is one.
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
