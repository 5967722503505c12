//! The connection mode of the module: sockets, or one transparent stream.

use crate::at::Refusal;
use crate::config::ReceiveMode;
use crate::error::NotReady;
use crate::time::Timestamp;

use super::states::ConnectionMode;
use super::{BringUp, BringUpStep, Plan};

impl BringUp {
    /// The mode that the module has, or is being given.
    pub(in crate::proto) fn connection_mode(&self) -> ConnectionMode {
        self.connection_mode
    }

    /// Sets the module up again in this mode. No command of bring-up may be in flight.
    pub(in crate::proto) fn set_up_for(&mut self, now: Timestamp, connection_mode: ConnectionMode) {
        self.connection_mode = connection_mode;
        self.unable = None;
        // The steps before that do not depend on the mode.
        if self.step > BringUpStep::Sim {
            self.go(BringUpStep::Sim, now);
            self.reason = NotReady::Switching;
            self.polls = 0;
            self.plan = Plan::Shut;
            self.lost = false;
            self.found.address = None;
        }
    }

    /// The module is being searched for. It will be set up for sockets.
    pub(in crate::proto) fn set_up_sockets_after_search(&mut self) {
        self.connection_mode = ConnectionMode::Sockets;
        self.unable = None;
        self.reset(NotReady::Switching);
    }

    /// Bring-up begins again for another reason, and sets the module up for sockets.
    pub(in crate::proto) fn set_up_sockets(&mut self) {
        self.connection_mode = ConnectionMode::Sockets;
        self.unable = None;
    }

    /// True if all connections of the module were shut down.
    pub(in crate::proto) fn has_shut(&self) -> bool {
        self.step > BringUpStep::Shut
    }

    /// Takes the refusal of a command that this mode requires.
    pub(in crate::proto) fn take_unable(&mut self) -> Option<Refusal> {
        self.unable.take()
    }

    /// True in manual receive mode. Transparent data are never fetched.
    pub(super) fn receives_manually(&self) -> bool {
        self.connection_mode == ConnectionMode::Sockets && self.config.receive_mode == ReceiveMode::Manual
    }
}
