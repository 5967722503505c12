use std::time::{Duration, Instant};

/// The default time-out of connect and send, as in the LuatOS library. The module ends a connect after 75 s.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

/// The time-outs of a socket. `None` waits without a limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    pub(super) read: Option<Duration>,
    pub(super) write: Option<Duration>,
}

/// Reads wait without a limit, writes for 120 s.
impl Default for Timeouts {
    fn default() -> Self {
        Self { read: None, write: Some(DEFAULT_TIMEOUT) }
    }
}

/// The latest moment at which a call returns; `None` is no limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(pub(super) Option<Instant>);

impl Deadline {
    pub(super) fn after(timeout: Option<Duration>) -> Self {
        // A time-out beyond the range of the clock is no limit.
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    pub(super) fn left(self) -> Duration {
        self.0.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
    }
}
