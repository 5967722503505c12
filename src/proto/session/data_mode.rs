//! The begin and the end of data mode.

use super::{Session, State};

impl Session {
    /// Data mode has begun: all bytes are payload, and no command can be written.
    pub(in crate::proto) fn go_online(&mut self) {
        debug_assert!(self.is_idle());
        self.state = State::Online;
    }

    /// Data mode has ended, as the module has reported.
    pub(in crate::proto) fn go_offline(&mut self) {
        if self.is_online() {
            self.state = State::Idle;
        }
    }

    /// True while the line carries only payload.
    pub(in crate::proto) fn is_online(&self) -> bool {
        matches!(self.state, State::Online)
    }

    /// True if the line carries payload, or may do so soon.
    pub(in crate::proto) fn may_be_online(&self) -> bool {
        match &self.state {
            State::Online => true,
            State::Busy(exchange) => exchange.command.enters_data_mode(),
            State::Waking(wake) => wake.may_be_in_data_mode(),
            State::Idle | State::AtBarrier(_) => false,
        }
    }
}
