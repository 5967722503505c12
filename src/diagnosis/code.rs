//! The names of everything that can be found.

use std::fmt;

use super::Check;

/// What was found. [`Code::as_str`] stays the same from version to version.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Code {
    /// There is no such port.
    PortMissing,
    /// Another program has the port.
    PortBusy,
    /// This user may not open the port.
    PortPermission,
    /// It is no serial port.
    PortNotSerial,
    /// The port can't be opened for another reason.
    PortFailed,
    /// The port went away.
    PortLost,
    /// Nothing answers.
    NoAnswer,
    /// The module speaks at another line rate.
    WrongBaud,
    /// Only the echo comes back.
    EchoOnly,
    /// Some answers are corrupted on the line.
    LineNoise,
    /// The module starts again and again.
    Restarts,
    /// It is none of openLuat's AT firmwares.
    FirmwareUnknown,
    /// The firmware has a known fault that matters to sockets.
    FirmwareOld,
    /// Flight mode.
    RadioOff,
    /// No SIM card.
    SimMissing,
    /// The card asks for its PIN.
    SimPin,
    /// The card refused the PIN.
    SimPinRefused,
    /// The card is locked and asks for its PUK.
    SimPuk,
    /// The card does not work.
    SimFailure,
    /// No signal.
    SignalNone,
    /// A weak signal.
    SignalWeak,
    /// The network refuses the module.
    RegistrationDenied,
    /// 2G takes the module, 4G does not: the arrears sign.
    Only2g,
    /// Emergency calls or short messages only.
    RegistrationLimited,
    /// No network has been found.
    NotRegistered,
    /// Registered, but not attached.
    NotAttached,
    /// The bearer is refused.
    BearerRefused,
    /// The bearer was lost.
    BearerLost,
    /// The bearer was refused or lost, and came back.
    BearerUnsteady,
    /// The bearer has no address.
    AddressMissing,
    /// The name can't be resolved.
    DnsFailed,
    /// The server's address is private.
    ServerPrivate,
    /// The server refuses the connection.
    ServerRefuses,
    /// The server does not answer.
    ServerSilent,
    /// The connection failed, and nothing says how.
    ConnectFailed,
    /// All channels are in use.
    NoFreeChannel,
    /// The firmware has no TLS.
    TlsMissing,
    /// The module is not ready, and nothing above says why.
    NotReady,
}

impl Code {
    /// A name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PortMissing => "port-missing",
            Self::PortBusy => "port-busy",
            Self::PortPermission => "port-permission",
            Self::PortNotSerial => "port-not-serial",
            Self::PortFailed => "port-failed",
            Self::PortLost => "port-lost",
            Self::NoAnswer => "no-answer",
            Self::WrongBaud => "wrong-baud",
            Self::EchoOnly => "echo-only",
            Self::LineNoise => "line-noise",
            Self::Restarts => "restarts",
            Self::FirmwareUnknown => "firmware-unknown",
            Self::FirmwareOld => "firmware-old",
            Self::RadioOff => "radio-off",
            Self::SimMissing => "sim-missing",
            Self::SimPin => "sim-pin",
            Self::SimPinRefused => "sim-pin-refused",
            Self::SimPuk => "sim-puk",
            Self::SimFailure => "sim-failure",
            Self::SignalNone => "signal-none",
            Self::SignalWeak => "signal-weak",
            Self::RegistrationDenied => "registration-denied",
            Self::Only2g => "only-2g",
            Self::RegistrationLimited => "registration-limited",
            Self::NotRegistered => "not-registered",
            Self::NotAttached => "not-attached",
            Self::BearerRefused => "bearer-refused",
            Self::BearerLost => "bearer-lost",
            Self::BearerUnsteady => "bearer-unsteady",
            Self::AddressMissing => "address-missing",
            Self::DnsFailed => "dns-failed",
            Self::ServerPrivate => "server-private",
            Self::ServerRefuses => "server-refuses",
            Self::ServerSilent => "server-silent",
            Self::ConnectFailed => "connect-failed",
            Self::NoFreeChannel => "no-free-channel",
            Self::TlsMissing => "tls-missing",
            Self::NotReady => "not-ready",
        }
    }

    /// The check that finds it.
    pub fn check(self) -> Check {
        match self {
            Self::PortMissing
            | Self::PortBusy
            | Self::PortPermission
            | Self::PortNotSerial
            | Self::PortFailed
            | Self::PortLost => Check::Port,
            Self::NoAnswer => Check::Answer,
            Self::WrongBaud | Self::LineNoise => Check::Baud,
            Self::EchoOnly => Check::Echo,
            Self::Restarts => Check::Power,
            Self::FirmwareUnknown | Self::FirmwareOld => Check::Firmware,
            Self::RadioOff => Check::Radio,
            Self::SimMissing | Self::SimPin | Self::SimPinRefused | Self::SimPuk | Self::SimFailure => {
                Check::Sim
            }
            Self::SignalNone | Self::SignalWeak => Check::Signal,
            Self::RegistrationDenied | Self::Only2g | Self::RegistrationLimited | Self::NotRegistered => {
                Check::Registration
            }
            Self::NotAttached => Check::Attach,
            Self::BearerRefused | Self::BearerLost | Self::BearerUnsteady | Self::NotReady => Check::Bearer,
            Self::AddressMissing => Check::Address,
            Self::DnsFailed => Check::Dns,
            Self::ServerPrivate
            | Self::ServerRefuses
            | Self::ServerSilent
            | Self::ConnectFailed
            | Self::NoFreeChannel => Check::Server,
            Self::TlsMissing => Check::Tls,
        }
    }
}

/// As [`Code::as_str`].
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
