//! The errors, by what the caller can do about them.

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

/// The reason why a call failed. Never holds a password, a PIN or payload.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No answer within the time-out: try again, or look at the line with `command("AT", ..)`.
    #[error("{} within {after:?}{}", Awaited(command), AcceptedBefore(*accepted))]
    Timeout {
        /// The command's name, or what was waited for.
        command: Box<str>,
        /// How long the caller waited.
        after: Duration,
        /// Of a send: how many of its bytes, from the front, the module had accepted by then. At most 1460 bytes behind
        /// them may still be accepted, if they were on their way when time was up; all others are not sent. Zero of
        /// everything else.
        accepted: u32,
    },
    /// The module said no.
    #[error("{command} was refused: {code}")]
    Refused {
        /// The command's name.
        command: Box<str>,
        /// How it said no, with the text of the number.
        code: Refusal,
    },
    /// The module broke its grammar: the answer can't be believed.
    #[error("unexpected answer: {0}")]
    Unexpected(Box<str>),
    /// The module has no network connection (yet).
    #[error("not ready: {0}")]
    NotReady(NotReady),
    /// All channels are taken, and none is being released for this connection: close a socket first.
    #[error("all channels of the module are in use")]
    NoFreeChannel,
    /// The module can carry sockets or one transparent stream, and carries the other: close that first.
    #[error("the module is in use: {0}")]
    InUse(InUse),
    /// More data wait to be sent than leave room for these: try again when [`Socket::queued`](crate::Socket::queued) is less.
    #[error("the send queue has room for {room} bytes only")]
    QueueFull {
        /// How many bytes would be taken now.
        room: usize,
    },
    /// The connection could not be made.
    #[error("the connection failed: {0}")]
    ConnectFailed(Refusal),
    /// A TLS connection could not be made, or a plain one beside it.
    #[error("TLS failed at {step}: {why}")]
    Tls {
        /// Where.
        step: TlsStep,
        /// Why.
        why: TlsFailure,
    },
    /// What the peer has received can't be known on such a socket.
    #[error("delivery can't be known: {0}")]
    DeliveryUnknown(DeliveryUnknown),
    /// The name could not be resolved.
    #[error("the name can't be resolved: {0}")]
    ResolveFailed(DnsError),
    /// The socket is closed.
    #[error("the socket is closed: {0}")]
    Closed(CloseReason),
    /// Data came faster than they were read, and the window was full: the socket is closed. A larger
    /// [`Config::receive_window`](crate::Config::receive_window) lets a reader pause for longer;
    /// [`ReceiveMode::Manual`](crate::ReceiveMode::Manual) holds the peer back.
    #[error(
        "the receive window was full: {lost} bytes are lost (read sooner, set a larger Config::receive_window, or use \
         ReceiveMode::Manual, which holds the peer back)"
    )]
    Overrun {
        /// Bytes that came and could not be kept.
        lost: u64,
    },
    /// A [`ReconnectingSocket`](crate::supervisor::ReconnectingSocket) lost its connection while data were being sent. They are not
    /// sent again: what the peer may lack, and why, is in the gap of this number, which
    /// [`recv`](crate::supervisor::ReconnectingSocket::recv) gives in its place. The socket goes on.
    #[error("the connection ended while data were being sent: gap {number} says what may be missing")]
    Gap {
        /// [`Gap::number`](crate::supervisor::Gap::number).
        number: u64,
    },
    /// The module restarted; everything that was open on it is gone.
    #[error("the module restarted")]
    ModemRestarted,
    /// The port is gone (unplugged, hung up), or was closed by [`Modem::close`](crate::Modem::close).
    #[error("the port is lost: {0}")]
    PortLost(Box<str>),
    /// An argument that can't be sent to the module.
    #[error("invalid {what}: it {why}")]
    InvalidInput {
        /// Which argument.
        what: &'static str,
        /// What is wrong with it.
        why: Box<str>,
    },
    /// The password of a private key is wrong, or the key is damaged: both look the same. Feature `encrypted-keys`.
    #[error("the password of the private key is wrong, or the key is damaged")]
    WrongPassword,
    /// The port could not be opened or set up, or a file could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The use that the module is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum InUse {
    /// Sockets are open: close them, or wait until they have ended.
    Sockets,
    /// A transparent stream lasts: close it, or leave data mode with
    /// [`TransparentStream::escape`](crate::TransparentStream::escape) if it is a command that is to be run.
    Transparent,
}

/// The missing step on the way to a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NotReady {
    /// Nothing answers on the port: wrong port or baud rate, or no power.
    NoAnswer,
    /// The port is gone and expected back: unplugged, without power, or the module restarts on USB.
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
    /// Not registered with the network, and the signal is below the vendor's recommendation of 18, which may be why. A
    /// weak signal with which the module registers is no reason, nor is one with which a network has refused it.
    WeakSignal(SignalQuality),
    /// Not registered with the network.
    NotRegistered(RegistrationStatus),
    /// 2G has registered the card, 4G has not, and no data flow: the sign of arrears.
    OnlyTwoG,
    /// Registered, but not attached to packet service.
    NotAttached,
    /// The network or the module refuses the bearer: wrong access point, no data plan, arrears.
    BearerRefused(Refusal),
    /// The bearer was lost and is being brought up again.
    BearerLost,
    /// The module has just restarted.
    Restarting,
    /// The radio is switched off (flight mode): [`Modem::flight_mode`](crate::Modem::flight_mode). One that was found so
    /// is switched on if [`Config::switch_radio_on`](crate::Config::switch_radio_on) allows it.
    RadioOff,
    /// The module is in transparent mode, which knows no sockets.
    Transparent,
    /// The module changes between sockets and transparent mode.
    Switching,
}

/// The reason why it is unknown what the peer has received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DeliveryUnknown {
    /// UDP: datagrams are not acknowledged.
    Datagrams,
    /// TLS: no source says what the module counts then, the application's bytes or the encrypted ones, of which some are
    /// the handshake's.
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
    /// The peer closed it (`MSG_SOCK_CLOSE_IND`). All data that came before can be read.
    Peer,
    /// The peer closed it while the module still held data that it then destroyed (manual receive).
    PeerWithDataLost,
    /// The peer or the network reset it.
    Reset,
    /// The bearer was lost (`MSG_PDP_DEACT_IND`).
    BearerLost,
    /// The module did not answer any more, so what is open on it is unknown. The driver searches for it, and sets it up again.
    ModuleSilent,
    /// Too many heartbeats in a row had no answer.
    HeartbeatLost,
    /// The module refused data: `SEND FAIL` or an error in place of the prompt.
    SendRefused(Refusal),
    /// The module did not confirm data in time, so whether it has them is unknown.
    SendUnconfirmed,
    /// The module refused again and again to give data that it holds (manual receive).
    ReceiveRefused(Refusal),
    /// The module did not answer when it was asked for data, so whether some are lost is unknown (manual receive).
    ReceiveUnconfirmed,
    /// The module did not answer `+++` or DTR, so whether it still takes bytes for payload is unknown (transparent mode).
    EscapeUnanswered,
    /// The module did not answer `ATO`, so nothing tells whether it has entered data mode (transparent mode).
    ResumeUnanswered,
    /// The connection is over, and the last bytes that came may be the peer's data or the module's own words. They are not
    /// given (transparent mode).
    EndUncertain {
        /// How many they are.
        held: usize,
    },
    /// Bytes came in command mode that no module sends there. They may be data, which can't be told from answers
    /// (transparent mode).
    DataInCommandMode,
    /// What came from the module was damaged on the serial line, and bytes of this socket may be among what is lost.
    Damaged,
    /// Received data were cut short on the line between module and host.
    Truncated {
        /// Bytes that the module announced and that did not come whole.
        lost: usize,
    },
}

impl Error {
    pub(crate) fn invalid(what: &'static str, why: impl fmt::Display) -> Self {
        Self::InvalidInput { what, why: why.to_string().into() }
    }

    /// Nothing came within this span.
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

/// Of a question that is asked with [`Modem::query`](crate::Modem::query).
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
            Self::Tls => f.write_str("what the module counts of a TLS connection is not known"),
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
            Self::EscapeUnanswered => f.write_str("the module did not leave transparent mode when told to"),
            Self::ResumeUnanswered => f.write_str("the module did not enter transparent mode when told to"),
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
            Self::NoPort => f.write_str("the port is gone (is the module plugged in and powered?)"),
            Self::Starting => f.write_str("the module is being set up"),
            Self::NoSim => {
                f.write_str("no SIM card is found (a card put in later needs a restart of the module)")
            }
            Self::PinRequired => f.write_str("the SIM asks for its PIN (set Config::pin)"),
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
            Self::NotRegistered(status) => write!(f, "not registered with the network ({status:?})"),
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
