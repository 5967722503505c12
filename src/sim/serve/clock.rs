//! The real clock, the only part of the simulator that reads the time.

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

    /// The time until a moment; `None` if the moment never comes.
    pub(super) fn until(self, at: Option<Timestamp>) -> Option<Duration> {
        let at = at.filter(|at| *at < Timestamp::MAX)?;
        Some(at - self.now())
    }
}
