//! The ways in which a port fails to open.

use super::Code;

/// The reason why a port can't be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PortFault {
    /// There is no such port.
    Missing,
    /// Another program has it.
    Busy,
    /// This user may not.
    Permission,
    /// It is there, but no serial port.
    NotSerial,
    /// It is on another machine, whose serial server can't be reached or does not give it.
    Remote,
    /// Something else.
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
