//! The use that the module is set up for: sockets, or one transparent stream.

use crate::at::Refusal;
use crate::config::ReceiveMode;
use crate::error::NotReady;
use crate::time::Timestamp;

use super::states::ConnectionMode;
use super::{BringUp, BringUpStep, Plan};

impl BringUp {
    /// The use that the module is set up for, or is being set up for.
    pub(in crate::proto) fn connection_mode(&self) -> ConnectionMode {
        self.connection_mode
    }

    /// Sets the module up again, for this. No command of bring-up may be in flight.
    pub(in crate::proto) fn carry(&mut self, now: Timestamp, connection_mode: ConnectionMode) {
        self.connection_mode = connection_mode;
        self.unable = None;
        // Before that nothing depends on it.
        if self.step > BringUpStep::Sim {
            self.go(BringUpStep::Sim, now);
            self.reason = NotReady::Switching;
            self.polls = 0;
            self.plan = Plan::Shut;
            self.lost = false;
            self.found.address = None;
        }
    }

    /// The module is being looked for, and will be set up for sockets.
    pub(in crate::proto) fn carry_sockets_again(&mut self) {
        self.connection_mode = ConnectionMode::Sockets;
        self.unable = None;
        self.reset(NotReady::Switching);
    }

    /// Bring-up begins again for another reason, and for sockets, whatever the module was set up for.
    pub(in crate::proto) fn carry_sockets(&mut self) {
        self.connection_mode = ConnectionMode::Sockets;
        self.unable = None;
    }

    /// Whether whatever was open on the module is shut down.
    pub(in crate::proto) fn has_shut(&self) -> bool {
        self.step > BringUpStep::Shut
    }

    /// Takes the refusal of the module to carry what it should.
    pub(in crate::proto) fn take_unable(&mut self) -> Option<Refusal> {
        self.unable.take()
    }

    /// Transparent data are never fetched.
    pub(super) fn receives_manually(&self) -> bool {
        self.connection_mode == ConnectionMode::Sockets && self.config.receive_mode == ReceiveMode::Manual
    }
}
