//! The knowledge of the echo: whether the module sends commands back.

use super::states::Echo;
use super::{BringUp, BringUpStep};
use crate::proto::session::Failure;

impl BringUp {
    /// Whether the module is known not to send commands back.
    pub(in crate::proto) fn knows_echo_off(&self) -> bool {
        self.echo == Echo::Off
    }

    /// Whether it sends them back even after `ATE0`.
    pub(in crate::proto) fn knows_echo_stays(&self) -> bool {
        self.echo == Echo::Stays
    }

    /// A command was sent back; whether that proves that the module has restarted.
    pub(in crate::proto) fn echo_came(&mut self) -> bool {
        if self.echo == Echo::Unknown && self.step > BringUpStep::EchoOff {
            self.echo = Echo::Stays;
        }
        self.echo == Echo::Off
    }

    /// The command of the step has ended: one that was answered without an echo shows that there is none.
    pub(super) fn judge_echo(&mut self, result: &Result<Vec<String>, Failure>) {
        let is_answered = !matches!(result, Err(Failure::Timeout));
        if self.echo == Echo::Unknown && self.step > BringUpStep::EchoOff && is_answered {
            self.echo = Echo::Off;
        }
    }
}
