//! The real clock: the only place of the simulator that reads the time.

use std::time::{Duration, Instant};

use crate::time::Timestamp;

/// Time since the service began.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServiceClock {
    started: Instant,
}

impl ServiceClock {
    pub(super) fn start() -> Self {
        Self { started: Instant::now() }
    }

    pub(super) fn now(self) -> Timestamp {
        Timestamp::ZERO + self.started.elapsed()
    }

    /// The time until then; `None` for a moment that is never.
    pub(super) fn until(self, at: Option<Timestamp>) -> Option<Duration> {
        let at = at.filter(|at| *at < Timestamp::MAX)?;
        Some(at - self.now())
    }
}
