use std::time::{Duration, Instant};

/// Default of connect and send, as in the LuatOS library; the module itself gives up a connect after 75 s.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

/// A moment by which a call ends; `None`: it may take for ever.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(pub(super) Option<Instant>);

impl Deadline {
    pub(super) fn after(timeout: Option<Duration>) -> Self {
        // A time-out too long for the clock is for ever.
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    pub(super) fn left(self) -> Duration {
        self.0.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
    }
}
