//! The inputs and outputs of the simulator.

use std::fmt;
use std::time::Duration;

use super::fault::{Fault, Rule};
use super::network::{ConnectFailure, Target};

/// An input of the simulator.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The host wrote these bytes.
    Host(&'a [u8]),
    /// A change of the modem's environment.
    Control(Control),
    /// Time has passed, or the network has an event.
    Tick,
}

/// An output of the simulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// These bytes have been transmitted to the host.
    Host(Vec<u8>),
    /// An event inside the modem, for logs.
    Happened(ModemEvent),
    /// The port is gone for the host; the modem continues.
    Unplugged,
    /// The port is back, with this name if one was given.
    PluggedIn(Option<String>),
    /// The port is gone, and there is no further output.
    HangUp,
}

/// A change of the modem's environment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Control {
    /// The reset pin: all settings are lost, and the boot begins.
    Reset,
    /// The card is removed.
    SimRemove,
    /// A card is inserted.
    SimInsert,
    /// The cell is gone: no service, the bearer is lost.
    NetworkDown,
    /// The cell is back.
    NetworkUp,
    /// The network ends the bearer: `+PDP: DEACT`.
    PdpLost,
    /// The modem prints this unsolicited line.
    Urc(String),
    /// The host's DTR line is switched on or off. It is off at the beginning, like a pin that is not connected and has
    /// a pull-up. Off ends transparent data as `AT&D` is set, and lets the modem sleep under `AT+CSCLK=1`.
    Dtr(bool),
    /// The port vanishes, as when the plug of a serial adapter is pulled; the modem continues.
    Unplug,
    /// The port is back, with this name if one is given: for a pseudo-terminal that of its link.
    Replug(Option<String>),
    /// The modem restarts, and its USB port is gone for this time.
    UsbRestart(Duration),
    /// The port vanishes, and another module of the same kind with this IMEI replaces this one; [`Control::Replug`]
    /// brings its port back.
    Replace(String),
    /// The port vanishes for good, and the modem ends.
    HangUp,
    /// The fault strikes at the next opportunity.
    Fault(Fault),
    /// The fault strikes as the rule says; its time counts from now.
    Rule(Rule),
    /// The peer of this channel closes.
    PeerClose(u8),
}

impl Control {
    /// The fault strikes at the next opportunity: `Control::fault(fault::LostPrompt)`.
    pub fn fault(fault: impl Into<Fault>) -> Self {
        Self::Fault(fault.into())
    }
}

/// An event inside the modem.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModemEvent {
    /// The modem began to boot.
    Booting,
    /// The modem accepted a command line.
    Command(String),
    /// The modem has service (`true`) or lost it.
    Service(bool),
    /// The bearer is active (`true`) or lost.
    Bearer(bool),
    /// A connect began.
    Connecting {
        /// The channel.
        channel: u8,
        /// The remote end.
        target: Target,
    },
    /// The connect succeeded.
    Connected {
        /// The channel.
        channel: u8,
    },
    /// The connect failed.
    ConnectFailed {
        /// The channel.
        channel: u8,
        /// The reason.
        why: ConnectFailure,
    },
    /// The host sent bytes to the network.
    Sent {
        /// The channel.
        channel: u8,
        /// Their number.
        bytes: usize,
    },
    /// A handshake failed.
    Tls {
        /// The channel.
        channel: u8,
        /// The reason, in words.
        why: String,
    },
    /// A channel ended.
    Closed {
        /// The channel.
        channel: u8,
        /// The number of bytes that the host had not read. They are lost.
        lost: usize,
    },
    /// The host wrote faster than the modem read: this number of bytes is lost.
    Overrun(usize),
    /// The host read more slowly than the modem wrote: this number of bytes is lost.
    HostOverrun(usize),
    /// The modem sleeps (`true`: `AT+CSCLK`) or woke.
    Asleep(bool),
    /// The modem has detected the rate of the line by an upper-case `AT`.
    RateFound,
    /// A fault struck.
    Fault(String),
}

impl fmt::Display for ModemEvent {
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
            Self::ConnectFailed { channel, why } => write!(f, "channel {channel} failed to connect: {why}"),
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
