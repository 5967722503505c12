//! The pace of the module's answers.

use std::time::Duration;

/// The time that the module has needed for its latest answers. A question whose answer is still on its way must not be
/// asked again: a module that answers one command after another would have one more unanswered question each time.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Pace {
    latest: Duration,
}

/// The least time-out of a question. A module answers within 10 ms (protocol section 15), but may be slower after a
/// time-out.
const LEAST: Duration = Duration::from_millis(1_000);
/// The longest time-out of a first question.
const MOST: Duration = Duration::from_secs(8);

impl Pace {
    /// A command was answered after this span.
    pub(super) fn took(&mut self, span: Duration) {
        self.latest = span.max(self.latest / 2);
    }

    /// The time of the latest answers.
    pub(super) fn latest(self) -> Duration {
        self.latest
    }

    /// How much longer than usual an answer may take.
    pub(super) fn slowness(self) -> Duration {
        self.timeout().saturating_sub(LEAST)
    }

    /// The time-out of the next question: twice the time of the latest answers.
    pub(super) fn timeout(self) -> Duration {
        self.latest.saturating_mul(2).clamp(LEAST, MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_out_follows_slow_answers_and_is_limited() {
        let mut pace = Pace::default();
        assert_eq!((pace.timeout(), pace.slowness()), (LEAST, Duration::ZERO));
        pace.took(Duration::from_secs(3));
        assert_eq!(pace.slowness(), Duration::from_secs(5));
        assert_eq!(pace.timeout(), Duration::from_secs(6));
        for _ in 0..4 {
            pace.took(Duration::from_millis(5));
        }
        assert_eq!(pace.timeout(), LEAST);
        pace.took(Duration::MAX);
        assert_eq!(pace.timeout(), MOST);
    }
}
