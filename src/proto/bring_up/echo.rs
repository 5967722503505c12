//! The detection of the module's echo.

use super::states::Echo;
use super::{BringUp, BringUpStep};
use crate::proto::session::Failure;

impl BringUp {
    /// True if the module is known not to echo.
    pub(in crate::proto) fn knows_echo_off(&self) -> bool {
        self.echo == Echo::Off
    }

    /// True if the module echoes even after `ATE0`.
    pub(in crate::proto) fn knows_echo_stays(&self) -> bool {
        self.echo == Echo::Stays
    }

    /// True if what is written now may be echoed although echo was to be switched off.
    pub(in crate::proto) fn may_be_echoed(&self) -> bool {
        match self.echo {
            Echo::Unknown => self.step > BringUpStep::EchoOff,
            Echo::Off => false,
            Echo::Stays => true,
        }
    }

    /// An echo came. Returns true if it proves that the module has restarted.
    pub(in crate::proto) fn echo_came(&mut self) -> bool {
        if self.echo == Echo::Unknown && self.step > BringUpStep::EchoOff {
            self.echo = Echo::Stays;
        }
        self.echo == Echo::Off
    }

    /// The command of the step has ended. An answer without an echo shows that echo is off.
    pub(super) fn judge_echo(&mut self, result: &Result<Vec<String>, Failure>) {
        let is_answered = !matches!(result, Err(Failure::Timeout));
        if self.echo == Echo::Unknown && self.step > BringUpStep::EchoOff && is_answered {
            self.echo = Echo::Off;
        }
    }
}
