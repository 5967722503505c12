//! In and out of data mode.

use crate::time::Timestamp;

use super::wake::Wake;
use super::{Session, State};

impl Session {
    /// Data mode has begun: whatever comes is payload, and nothing is a command.
    pub(in crate::proto) fn go_online(&mut self) {
        debug_assert!(self.is_idle());
        self.state = State::Online;
    }

    /// Data mode has ended: the module has said so.
    pub(in crate::proto) fn go_offline(&mut self) {
        if self.is_online() {
            self.state = State::Idle;
        }
    }

    /// Whether the line carries payload and nothing else.
    pub(in crate::proto) fn is_online(&self) -> bool {
        matches!(self.state, State::Online)
    }

    /// Whether the line may carry payload, or may be about to.
    pub(in crate::proto) fn may_be_online(&self) -> bool {
        match &self.state {
            State::Online => true,
            State::Busy(exchange) => exchange.command.enters_data_mode(),
            State::Waking(wake) => wake.may_be_in_data_mode(),
            State::Idle | State::AtBarrier(_) => false,
        }
    }

    /// Whether the module takes commands or payload is unknown: searches for it in a way that suits both.
    pub(in crate::proto) fn search(&mut self, now: Timestamp) {
        self.state = State::Waking(Wake::in_data_mode(now));
    }
}
