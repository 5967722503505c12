//! The errors, divided by the actions that a caller can take.

mod timeout;
mod tls;

use std::fmt;
use std::io;
use std::time::Duration;

use crate::at::{Ending, RegistrationStatus};
use crate::query::SignalQuality;

pub use crate::at::{
    CmeError, CmsError, DnsError, InvalidCommand, InvalidText, Refusal, TcpError, TlsKey, UdpError,
};
use timeout::{AcceptedBefore, Awaited, TIMED_OUT};
pub(crate) use timeout::{READ, WRITE};
pub use tls::{TlsFailure, TlsPart, TlsStep};

/// The result of every call of this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// The reason why a call failed. It never contains a password, a PIN or payload.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No answer within the time-out. Try again, or test the line with `command("AT", ..)`.
    #[error("{} within {after:?}{}", Awaited(command), AcceptedBefore(*accepted))]
    Timeout {
        /// The name of the command, or the event that the call waited for.
        command: Box<str>,
        /// The span that the caller waited.
        after: Duration,
        /// For a send, the number of bytes that the module has accepted, from the front. At most 1460 bytes after them
        /// were in flight and may still be accepted; all others are not sent. Zero for other calls.
        accepted: u32,
    },
    /// The module refused a command.
    #[error("{command} was refused: {code}")]
    Refused {
        /// The command's name.
        command: Box<str>,
        /// The refusal, with the text of its number.
        code: Refusal,
    },
    /// The answer does not have the form that the module's grammar requires.
    #[error("unexpected answer: {0}")]
    Unexpected(Box<str>),
    /// The module has no network connection.
    #[error("not ready: {0}")]
    NotReady(NotReady),
    /// All channels are in use, and none is being released for this connection. Close a socket first.
    #[error("all channels of the module are in use")]
    NoFreeChannel,
    /// The module has either sockets or one transparent stream, and has the other one now. Close that first.
    #[error("the module is in use: {0}")]
    InUse(InUse),
    /// The queue has no room for these data. Try again when [`Socket::queued`](crate::Socket::queued) is less.
    #[error("the send queue has room for {room} bytes only")]
    QueueFull {
        /// The number of bytes that the queue has room for.
        room: usize,
    },
    /// The connection could not be made.
    #[error("the connection failed: {0}")]
    ConnectFailed(Refusal),
    /// A TLS connection could not be made, or a plain one beside it.
    #[error("TLS failed at {step}: {why}")]
    Tls {
        /// The step that failed.
        step: TlsStep,
        /// The reason.
        why: TlsFailure,
    },
    /// The data that the peer has received are unknown on such a socket.
    #[error("delivery can't be known: {0}")]
    DeliveryUnknown(DeliveryUnknown),
    /// The name could not be resolved.
    #[error("the name can't be resolved: {0}")]
    ResolveFailed(DnsError),
    /// The socket is closed.
    #[error("the socket is closed: {0}")]
    Closed(CloseReason),
    /// Data came faster than they were read, and the window was full: the socket is closed. With a larger
    /// [`Config::receive_window`](crate::Config::receive_window) a reader may pause for longer;
    /// [`ReceiveMode::Manual`](crate::ReceiveMode::Manual) slows the peer down.
    #[error(
        "the receive window was full: {lost} bytes are lost (read sooner, set a larger Config::receive_window, or use \
         ReceiveMode::Manual, which holds the peer back)"
    )]
    Overrun {
        /// The number of bytes that could not be kept.
        lost: u64,
    },
    /// A [`ReconnectingSocket`](crate::supervisor::ReconnectingSocket) lost its connection while data were being sent.
    /// They are not sent again. The gap of this number, which [`recv`](crate::supervisor::ReconnectingSocket::recv)
    /// returns, contains the data that the peer may lack and the reason. The socket stays usable.
    #[error("the connection ended while data were being sent: gap {number} says what may be missing")]
    Gap {
        /// [`Gap::number`](crate::supervisor::Gap::number).
        number: u64,
    },
    /// The module restarted. All its connections are gone.
    #[error("the module restarted")]
    ModemRestarted,
    /// The port was lost (unplugged, hung up), or closed by [`Modem::close`](crate::Modem::close).
    #[error("the port is lost: {0}")]
    PortLost(Box<str>),
    /// An argument that can't be sent to the module.
    #[error("invalid {what}: it {why}")]
    InvalidInput {
        /// The argument.
        what: &'static str,
        /// The reason why it is invalid.
        why: Box<str>,
    },
    /// The password of a private key is wrong, or the key is damaged; the two can't be distinguished. Feature
    /// `encrypted-keys`.
    #[error("the password of the private key is wrong, or the key is damaged")]
    WrongPassword,
    /// The port could not be opened or set up, or a file could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The present use of the module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum InUse {
    /// Sockets are open: close them, or wait until they have ended.
    Sockets,
    /// A transparent stream is open. Close it, or leave data mode with
    /// [`TransparentStream::escape`](crate::TransparentStream::escape) to run a command.
    Transparent,
}

/// The step that is missing before sockets can be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NotReady {
    /// Nothing answers on the port: wrong port or baud rate, or no power.
    NoAnswer,
    /// The port is lost and expected back: unplugged, without power, or the module restarts on USB.
    NoPort,
    /// The module answers and is being set up.
    Starting,
    /// No SIM card is found.
    NoSim,
    /// The SIM asks for its PIN and none is configured.
    PinRequired,
    /// The configured PIN was refused. It is not tried again: three wrong PINs lock the card.
    PinRefused,
    /// The SIM is locked by wrong PINs.
    PukRequired,
    /// The SIM card does not work.
    SimFailure,
    /// There is no signal.
    NoSignal,
    /// Not registered with the network, and the signal is below the vendor's recommendation of 18, which may be the
    /// cause. A weak signal is no cause if the module is registered, or if a network has refused it.
    WeakSignal(SignalQuality),
    /// Not registered with the network.
    NotRegistered(RegistrationStatus),
    /// 2G has registered the card, 4G has not, and there is no packet service: the sign of arrears.
    OnlyTwoG,
    /// Registered, but not attached to packet service.
    NotAttached,
    /// The network or the module refuses the bearer: wrong access point, no data plan, arrears.
    BearerRefused(Refusal),
    /// The bearer was lost and is being brought up again.
    BearerLost,
    /// The module has just restarted.
    Restarting,
    /// The radio is switched off (flight mode): [`Modem::flight_mode`](crate::Modem::flight_mode). A radio that is off
    /// when the modem is opened is switched on if [`Config::switch_radio_on`](crate::Config::switch_radio_on) is true.
    RadioOff,
    /// The module is in transparent mode, which has no sockets.
    Transparent,
    /// The module changes between sockets and transparent mode.
    Switching,
}

/// The reason why the data that the peer has received are unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DeliveryUnknown {
    /// UDP: datagrams are not acknowledged.
    Datagrams,
    /// TLS: no source shows whether the module counts the bytes of the application or the encrypted ones, which include
    /// the handshake.
    Tls,
}

/// The reason why a socket is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CloseReason {
    /// The application closed it.
    Local,
    /// The application shut down this direction.
    ShutDown,
    /// The peer closed it (`MSG_SOCK_CLOSE_IND`). All earlier data can be read.
    Peer,
    /// The peer closed it, and the module then destroyed data that were not fetched (manual receive).
    PeerWithDataLost,
    /// The peer or the network reset it.
    Reset,
    /// The bearer was lost (`MSG_PDP_DEACT_IND`).
    BearerLost,
    /// The module did not answer any more, so the state of its connections is unknown. The driver searches for the
    /// module and sets it up again.
    ModuleSilent,
    /// Too many heartbeats in a row had no answer.
    HeartbeatLost,
    /// The module refused data: `SEND FAIL` or an error in place of the prompt.
    SendRefused(Refusal),
    /// The module did not confirm data in time, so it is unknown whether it has them.
    SendUnconfirmed,
    /// The module repeatedly refused to deliver announced data (manual receive).
    ReceiveRefused(Refusal),
    /// The module did not answer a fetch, so data may be lost (manual receive).
    ReceiveUnconfirmed,
    /// The module did not answer `+++` or DTR, so it is unknown whether it is in data mode (transparent mode).
    EscapeUnanswered,
    /// The module did not answer `ATO`, so it is unknown whether it has entered data mode (transparent mode).
    ResumeUnanswered,
    /// The connection has ended. The last bytes may be data of the peer or text of the module, and are not delivered
    /// (transparent mode).
    EndUncertain {
        /// The number of these bytes.
        held: usize,
    },
    /// Bytes came in command mode that no module writes there. They may be data, which can't be distinguished from
    /// answers (transparent mode).
    DataInCommandMode,
    /// Bytes from the module were damaged on the serial line, and bytes of this socket may be lost.
    Damaged,
    /// Received data were incomplete on the line between module and host.
    Truncated {
        /// The number of announced bytes in the incomplete frame.
        lost: usize,
    },
}

impl Error {
    pub(crate) fn invalid(what: &'static str, why: impl fmt::Display) -> Self {
        Self::InvalidInput { what, why: why.to_string().into() }
    }

    /// The error of a wait without a result within this span.
    pub(crate) fn timeout(command: impl Into<Box<str>>, after: Duration) -> Self {
        Self::Timeout { command: command.into(), after, accepted: 0 }
    }

    pub(crate) fn invalid_text(what: &'static str, why: InvalidText) -> Self {
        Self::invalid(what, why)
    }

    /// The kind that [`std::net::TcpStream`] would report on this system: the time-out of a read or a write is
    /// [`WouldBlock`](io::ErrorKind::WouldBlock), on Windows [`TimedOut`](io::ErrorKind::TimedOut).
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Timeout { command, .. } if matches!(&**command, READ | WRITE) => TIMED_OUT,
            Self::Timeout { .. } => io::ErrorKind::TimedOut,
            Self::Refused { .. } | Self::Unexpected(_) => io::ErrorKind::InvalidData,
            Self::NotReady(_) => io::ErrorKind::NetworkDown,
            Self::NoFreeChannel => io::ErrorKind::AddrInUse,
            Self::InUse(_) => io::ErrorKind::ResourceBusy,
            Self::QueueFull { .. } => io::ErrorKind::WouldBlock,
            Self::ConnectFailed(_) => io::ErrorKind::ConnectionRefused,
            Self::Tls { step, why } => tls_kind(*step, *why),
            Self::ResolveFailed(_) => io::ErrorKind::NotFound,
            Self::Closed(reason) => reason.kind(),
            Self::Overrun { .. } | Self::ModemRestarted | Self::Gap { .. } => {
                io::ErrorKind::ConnectionAborted
            }
            Self::PortLost(_) => io::ErrorKind::BrokenPipe,
            Self::DeliveryUnknown(_) => io::ErrorKind::Unsupported,
            Self::InvalidInput { .. } | Self::WrongPassword => io::ErrorKind::InvalidInput,
            Self::Io(error) => error.kind(),
        }
    }
}

fn tls_kind(step: TlsStep, why: TlsFailure) -> io::ErrorKind {
    match (step, why) {
        (_, TlsFailure::Timeout(_)) => io::ErrorKind::TimedOut,
        (_, TlsFailure::TlsOpen) => io::ErrorKind::ResourceBusy,
        (_, why) if why.is_out_of_memory() => io::ErrorKind::OutOfMemory,
        (TlsStep::Connect, TlsFailure::Refused(_)) => io::ErrorKind::ConnectionRefused,
        (_, TlsFailure::Refused(_) | TlsFailure::NotSwitched) => io::ErrorKind::InvalidData,
    }
}

impl From<Ending> for CloseReason {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Peer => Self::Peer,
            Ending::Reset => Self::Reset,
            Ending::Bearer => Self::BearerLost,
        }
    }
}

/// The error of a query with invalid text ([`Modem::query`](crate::Modem::query)).
impl From<InvalidText> for Error {
    fn from(why: InvalidText) -> Self {
        Self::invalid("text", why)
    }
}

impl From<InvalidCommand> for Error {
    fn from(why: InvalidCommand) -> Self {
        Self::invalid("command", why)
    }
}

/// Keeps the error as the source of the [`io::Error`], with the kind that `std::net` would report.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error,
            other => Self::new(other.kind(), other),
        }
    }
}

impl CloseReason {
    fn kind(self) -> io::ErrorKind {
        match self {
            Self::Local => io::ErrorKind::NotConnected,
            Self::Peer | Self::ShutDown => io::ErrorKind::BrokenPipe,
            Self::Reset | Self::PeerWithDataLost => io::ErrorKind::ConnectionReset,
            Self::BearerLost => io::ErrorKind::NetworkDown,
            Self::HeartbeatLost | Self::ModuleSilent => io::ErrorKind::TimedOut,
            Self::SendRefused(_)
            | Self::SendUnconfirmed
            | Self::ReceiveRefused(_)
            | Self::ReceiveUnconfirmed
            | Self::EscapeUnanswered
            | Self::ResumeUnanswered
            | Self::EndUncertain { .. }
            | Self::DataInCommandMode
            | Self::Damaged
            | Self::Truncated { .. } => io::ErrorKind::ConnectionAborted,
        }
    }
}

impl fmt::Display for DeliveryUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Datagrams => f.write_str("datagrams are not acknowledged"),
            Self::Tls => f.write_str("the module's count of a TLS connection has no known meaning"),
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("by the application"),
            Self::ShutDown => f.write_str("the application shut this direction down"),
            Self::Peer => f.write_str("by the peer"),
            Self::PeerWithDataLost => {
                f.write_str("by the peer, and the module destroyed data that were not yet fetched")
            }
            Self::Reset => f.write_str("reset by the peer or the network"),
            Self::HeartbeatLost => f.write_str("the peer did not answer heartbeats"),
            Self::BearerLost => f.write_str("the network connection (PDP) was lost"),
            Self::ModuleSilent => f.write_str("the module did not answer any more"),
            Self::SendRefused(refusal) => write!(f, "the module refused data ({refusal})"),
            Self::SendUnconfirmed => f.write_str("the module did not confirm data in time"),
            Self::ReceiveRefused(refusal) => {
                write!(f, "the module refused to give received data ({refusal})")
            }
            Self::ReceiveUnconfirmed => f.write_str("received data may be lost: the module did not answer"),
            Self::EscapeUnanswered => f.write_str("the module did not leave transparent mode on command"),
            Self::ResumeUnanswered => f.write_str("the module did not enter transparent mode on command"),
            Self::EndUncertain { held } => write!(
                f,
                "the connection is over, and the last {held} bytes may be the peer's data or the module's own words"
            ),
            Self::DataInCommandMode => {
                f.write_str("received data may be lost: the module sent some while it was in command mode")
            }
            Self::Damaged => f.write_str("received data may be lost: the serial line damaged some"),
            Self::Truncated { lost } => write!(f, "{lost} received bytes were cut short on the serial line"),
        }
    }
}

impl fmt::Display for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sockets => "sockets are open (close them first)",
            Self::Transparent => "a transparent stream lasts (close it, or escape before a command)",
        })
    }
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer => f.write_str("nothing answers on the port (check port, baud rate, power)"),
            Self::NoPort => f.write_str(
                "the port is gone (is the module plugged in and powered, and a serial server in between on?)",
            ),
            Self::Starting => f.write_str("the module is being set up"),
            Self::NoSim => {
                f.write_str("no SIM card is found (a card put in later needs a restart of the module)")
            }
            Self::PinRequired => f.write_str("the SIM asks for its PIN, and none is given"),
            Self::PinRefused => f.write_str("the PIN was refused and will not be tried again"),
            Self::PukRequired => f.write_str("the SIM is locked and asks for its PUK"),
            Self::SimFailure => f.write_str("the SIM card does not work"),
            Self::NoSignal => f.write_str("no signal (check the antenna)"),
            Self::WeakSignal(quality) => write!(
                f,
                "not registered with the network, and the signal is weak: {quality}, {} are recommended (check the \
                 antenna)",
                SignalQuality::RECOMMENDED
            ),
            Self::OnlyTwoG => f.write_str("2G has registered the card, 4G has not: the sign of arrears"),
            Self::NotRegistered(status) => write!(f, "not registered with the network ({status})"),
            Self::NotAttached => f.write_str("registered, but not attached to packet service"),
            Self::BearerRefused(refusal) => {
                write!(f, "the bearer was refused ({refusal}; check APN and data plan)")
            }
            Self::BearerLost => f.write_str("the bearer was lost and is being brought up again"),
            Self::RadioOff => f.write_str("the radio is switched off (flight mode)"),
            Self::Transparent => f.write_str("the module is in transparent mode (close the stream first)"),
            Self::Switching => f.write_str("the module changes between sockets and transparent mode"),
            Self::Restarting => f.write_str("the module has just restarted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_small_enough_to_return() {
        assert!(size_of::<Error>() <= 40, "{}", size_of::<Error>());
    }

    #[test]
    fn an_io_error_keeps_its_source() {
        let error = io::Error::from(Error::Overrun { lost: 7 });
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
        let source = error.get_ref().and_then(|source| source.downcast_ref::<Error>());
        assert!(matches!(source, Some(Error::Overrun { lost: 7 })));
    }
}
