//! The begin and the end of data mode.

use crate::proto::outbox::Outbox;
use crate::time::Timestamp;

use super::wake::Wake;
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

    /// It is unknown whether the module is in data mode. Starts a search that works in both modes. The command in
    /// flight, which is one of the stream, gets no answer.
    pub(in crate::proto) fn search(&mut self, now: Timestamp, out: &mut Outbox) {
        let before = std::mem::replace(&mut self.state, State::Waking(Wake::in_data_mode(now)));
        let is_given_up = match before {
            State::Busy(_) => true,
            State::AtBarrier(barrier) => barrier.held().is_some(),
            State::Waking(_) | State::Idle | State::Online => false,
        };
        out.count().commands.abandoned += u64::from(is_given_up);
    }
}
