//! The inputs and outputs of the simulator.

use std::fmt;
use std::time::Duration;

use super::fault::{Fault, Rule};
use super::network::{ConnectFailure, Target};

/// An input of the simulator.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// The host wrote these bytes.
    Host(&'a [u8]),
    /// The world is changed.
    Control(Control),
    /// Time has passed, or the network woke us.
    Tick,
}

/// An output of the simulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// These bytes have crossed the line to the host.
    Host(Vec<u8>),
    /// For logs: what went on inside.
    Happened(Happening),
    /// The port is gone for the host; the modem lives on.
    Unplugged,
    /// The port is there again, under this name if one was given.
    PluggedIn(Option<String>),
    /// The port is gone. Nothing follows.
    HangUp,
}

/// A change of the simulated world.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Control {
    /// The reset pin: everything is forgotten, the boot begins.
    Reset,
    /// The card is pulled out.
    SimRemove,
    /// A card is put in.
    SimInsert,
    /// The cell is gone: no service, the bearer is lost.
    NetworkDown,
    /// The cell is back.
    NetworkUp,
    /// The network ends the bearer: `+PDP: DEACT`.
    PdpLost,
    /// The modem prints this unsolicited line.
    Urc(String),
    /// The host's DTR line is switched on or off; at the beginning it is off, as the pull-up of a pin that is not wired
    /// makes it. Off ends transparent data as `AT&D` says, and lets the modem sleep under `AT+CSCLK=1`.
    Dtr(bool),
    /// The port vanishes, as when the plug of a serial adapter is pulled: the modem lives on.
    Unplug,
    /// The port is back, under this name if one is given: for a pseudo-terminal that of its link.
    Replug(Option<String>),
    /// The modem restarts, and its USB port is gone for this long.
    UsbRestart(Duration),
    /// The port vanishes, and another module of the same kind with this IMEI is put in place of this one; [`Control::Replug`]
    /// brings its port.
    Replace(String),
    /// The port vanishes for good, and the modem ends.
    HangUp,
    /// Something goes wrong at the next opportunity.
    Fault(Fault),
    /// Something goes wrong as the rule says; a moment counts from now.
    Rule(Rule),
    /// The peer of this channel closes.
    PeerClose(u8),
}

impl Control {
    /// Something goes wrong at the next opportunity: `Control::fault(fault::LostPrompt)`.
    pub fn fault(fault: impl Into<Fault>) -> Self {
        Self::Fault(fault.into())
    }
}

/// Something that went on inside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
    /// The modem began to boot.
    Booting,
    /// A command line was taken.
    Command(String),
    /// Service came (`true`) or went.
    Service(bool),
    /// The bearer came up (`true`) or was lost.
    Bearer(bool),
    /// A connect began.
    Connecting {
        /// The channel.
        channel: u8,
        /// Where to.
        target: Target,
    },
    /// It ended well.
    Connected {
        /// The channel.
        channel: u8,
    },
    /// It did not.
    ConnectFailed {
        /// The channel.
        channel: u8,
        /// Why.
        why: ConnectFailure,
    },
    /// The host sent this many bytes to the network.
    Sent {
        /// The channel.
        channel: u8,
        /// How many.
        bytes: usize,
    },
    /// A handshake failed.
    Tls {
        /// The channel.
        channel: u8,
        /// Why, in words.
        why: String,
    },
    /// A channel ended.
    Closed {
        /// The channel.
        channel: u8,
        /// Bytes that the host did not read, destroyed.
        lost: usize,
    },
    /// The host wrote faster than the modem took: this many bytes are lost.
    Overrun(usize),
    /// The host read slower than the modem sent: this many bytes are lost.
    HostOverrun(usize),
    /// The modem fell asleep (`true`: `AT+CSCLK`) or woke.
    Asleep(bool),
    /// An upper-case `AT` has told the modem the rate of the line.
    RateFound,
    /// A fault struck.
    Fault(String),
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Booting => f.write_str("booting"),
            Self::Command(line) => write!(f, "command {line}"),
            Self::Service(true) => f.write_str("in service"),
            Self::Service(false) => f.write_str("service lost"),
            Self::Bearer(true) => f.write_str("bearer up"),
            Self::Bearer(false) => f.write_str("bearer lost"),
            Self::Connecting { channel, target } => write!(f, "channel {channel} connects to {target}"),
            Self::Connected { channel } => write!(f, "channel {channel} is connected"),
            Self::ConnectFailed { channel, why } => write!(f, "channel {channel} failed to connect: {why:?}"),
            Self::Sent { channel, bytes } => write!(f, "channel {channel} sent {bytes} bytes"),
            Self::Tls { channel, why } => write!(f, "channel {channel}, TLS: {why}"),
            Self::Closed { channel, lost: 0 } => write!(f, "channel {channel} is closed"),
            Self::Closed { channel, lost } => {
                write!(f, "channel {channel} is closed, {lost} unread bytes destroyed")
            }
            Self::Overrun(bytes) => write!(f, "overrun: {bytes} bytes from the host lost"),
            Self::HostOverrun(bytes) => write!(f, "overrun: {bytes} bytes to the host lost"),
            Self::Asleep(true) => f.write_str("asleep"),
            Self::Asleep(false) => f.write_str("awake"),
            Self::RateFound => f.write_str("found the rate of the line"),
            Self::Fault(text) => write!(f, "fault: {text}"),
        }
    }
}
