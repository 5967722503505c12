//! Questions of the core about the bearer and the connections of the module.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use crate::at::{IpState, IpStatus, Line};
use crate::proto::bearer::Sign;
use crate::proto::self_check::SelfCheck;
use crate::proto::session::Finished;
use crate::time::Timestamp;

use super::Engine;

impl Engine {
    pub(super) fn checked(&mut self, now: Timestamp, check: SelfCheck, finished: &Finished) {
        match check {
            SelfCheck::Bearer => self.bearer_checked(now, finished),
            SelfCheck::Connections => self.connections_checked(now, finished),
        }
    }

    fn bearer_checked(&mut self, now: Timestamp, finished: &Finished) {
        let status = finished.result.as_deref().ok().and_then(IpStatus::parse);
        // The loss of the bearer is the cause of what the rows say.
        if status.as_ref().is_some_and(|status| has_no_bearer(&status.state)) {
            self.bearer_lost(now);
        }
        self.channels.checked(now, status.as_ref(), &mut self.out);
        let Some(IpStatus { state, rows }) = status else { return };
        match state {
            // The module prints the rows of the channels in multiple connection mode only.
            IpState::Status | IpState::Processing if !rows.is_empty() => {}
            // A transparent stream uses single connection mode.
            IpState::Status | IpState::Processing | IpState::Single(_) if !self.is_ready() => {}
            IpState::Status | IpState::Processing | IpState::Single(_) => {
                self.requests.check(SelfCheck::Connections);
            }
            IpState::Initial | IpState::Start | IpState::Config | IpState::GprsAct | IpState::PdpDeact => {}
        }
    }

    /// A line may report that the bearer is lost, as an answer or unsolicited.
    pub(super) fn bearer_line(&mut self, now: Timestamp, line: &[u8]) {
        if says_no_bearer(line) && self.bring_up.is_ready() {
            self.channels.bearer_sign(now, Sign::Strong);
        }
    }

    /// In single connection mode (`+CIPMUX: 0`) sockets are impossible: bring-up begins again.
    fn connections_checked(&mut self, now: Timestamp, finished: &Finished) {
        let lines = finished.result.as_deref().unwrap_or_default();
        let modes = lines.iter().filter_map(|line| Line::parse(line.as_bytes()).info("+CIPMUX"));
        if modes.into_iter().any(|fields| fields.first().and_then(|field| field.number()) == Some(0)) {
            self.take_bearer_down(now);
        }
    }
}

/// True if the line reports that the bearer is lost.
fn says_no_bearer(line: &[u8]) -> bool {
    matches!(Line::parse(line), Line::State(text) if IpState::parse(text) == IpState::PdpDeact)
}

/// True if the module has no bearer in this state.
fn has_no_bearer(state: &IpState) -> bool {
    match state {
        IpState::Initial | IpState::Start | IpState::Config | IpState::GprsAct | IpState::PdpDeact => true,
        IpState::Status | IpState::Processing | IpState::Single(_) => false,
    }
}
