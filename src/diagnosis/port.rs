//! The reasons why a port can't be opened.

use super::Code;

/// The reason why a port can't be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PortFault {
    /// There is no such port.
    Missing,
    /// Another program uses it.
    Busy,
    /// The user has no permission.
    Permission,
    /// The path is no serial port.
    NotSerial,
    /// The port is on another machine, whose serial server can't be reached or refuses it.
    Remote,
    /// Another reason.
    Other,
}

impl PortFault {
    pub(super) fn code(self) -> Code {
        match self {
            Self::Missing => Code::PortMissing,
            Self::Busy => Code::PortBusy,
            Self::Permission => Code::PortPermission,
            Self::NotSerial => Code::PortNotSerial,
            Self::Remote => Code::RemotePort,
            Self::Other => Code::PortFailed,
        }
    }
}
