//! The pause before a new connection to a peer that ends each connection at once.

use std::time::{Duration, Instant};

/// A connection that ends before this span without a byte of its peer counts as useless.
const BRIEF: Duration = Duration::from_secs(1);
/// The first pause. Each is twice the one before.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(5);

/// The useless connections of a socket in a row, and the pause after them.
///
/// A single useless connection causes no pause: a server may have closed an old connection that the module took for
/// open.
#[derive(Debug, Default)]
pub(super) struct ReconnectPause {
    stood_at: Option<Instant>,
    useless: u32,
    until: Option<Instant>,
}

impl ReconnectPause {
    /// A connection was made.
    pub(super) fn stands(&mut self, now: Instant) {
        self.stood_at = Some(now);
        self.until = None;
    }

    /// The connection has ended. `has_received` is true if data came on it.
    pub(super) fn ended(&mut self, now: Instant, has_received: bool) {
        let is_brief = self.stood_at.take().is_some_and(|at| now.saturating_duration_since(at) < BRIEF);
        self.useless = if is_brief && !has_received { self.useless.saturating_add(1) } else { 0 };
        self.until = self.useless.checked_sub(2).map(|doublings| {
            let pause = FIRST.saturating_mul(1 << doublings.min(6));
            now + pause.min(LONGEST)
        });
    }

    /// The span that the next connection has to wait.
    pub(super) fn left(&self, now: Instant) -> Duration {
        self.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn useless_connections_in_a_row_are_followed_by_longer_rests_and_a_useful_one_by_none() {
        let mut now = Instant::now();
        let mut pause = ReconnectPause::default();
        let mut rests = |lasted: Duration, has_received| {
            pause.stands(now);
            now += lasted;
            pause.ended(now, has_received);
            pause.left(now)
        };
        let brief: Vec<u128> = (0..9).map(|_| rests(Duration::ZERO, false).as_millis()).collect();
        assert_eq!(brief, [0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert_eq!(rests(Duration::ZERO, true), Duration::ZERO, "something came");
        assert_eq!(rests(Duration::ZERO, false), Duration::ZERO);
        assert_eq!(rests(Duration::ZERO, false), FIRST);
        assert_eq!(rests(BRIEF, false), Duration::ZERO, "it stood");
    }
}
