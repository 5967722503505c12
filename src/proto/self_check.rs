//! Questions that the core asks of its own accord.

// Numbers from outside can be anything: no arithmetic on them overflows, no cast cuts them.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use crate::at::Command;

/// The doubts about the module, the more urgent behind the less.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::proto) enum SelfCheck {
    /// The bearer: news of one have come, and not every bearer is the sockets' (section 3); or a channel's state.
    Bearer,
    /// Whether the module makes several connections at once. A garbled `AT+CIPMUX=1` may have been answered with `OK`.
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
