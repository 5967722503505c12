//! Questions that the core asks without a request.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use crate::at::Command;

/// The states of the module that may be in doubt. The last one is the most urgent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::proto) enum SelfCheck {
    /// The bearer or the state of a channel. A report about a bearer may concern another one than that of the sockets
    /// (section 3).
    Bearer,
    /// Whether the module is in multiple connection mode. It may have answered a damaged `AT+CIPMUX=1` with `OK`.
    Connections,
}

impl SelfCheck {
    pub(in crate::proto) fn command(self) -> Command {
        match self {
            Self::Bearer => Command::ip_status(),
            Self::Connections => Command::multiple_connections_state(),
        }
    }
}
