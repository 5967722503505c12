//! The question whether the module still has a bearer, and when it is asked.

use std::time::Duration;

use crate::time::Timestamp;

/// Signs of a lost bearer without a report of the module, and the moment of the next question (`AT+CIPSTATUS`).
///
/// The question follows a sign at once, at most once in [`STRONG_PAUSE`]. After a failed connection it is asked at most
/// once in [`WEAK_PAUSE`], because a server may refuse every connection.
#[derive(Debug, Default)]
pub(super) struct BearerDoubt {
    due_at: Option<Timestamp>,
    asked_at: Option<Timestamp>,
}

/// The strength of a sign that the bearer is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sign {
    /// The module has reported that a bearer is down, or refuses a connection as it does without a bearer.
    Strong,
    /// A connection failed. The server may be the cause.
    Weak,
}

/// The least time between two questions for the bearer.
const STRONG_PAUSE: Duration = Duration::from_secs(1);
/// The least time between two questions after failed connections.
const WEAK_PAUSE: Duration = Duration::from_secs(10);

impl BearerDoubt {
    pub(super) fn sign(&mut self, now: Timestamp, sign: Sign) {
        let pause = match sign {
            Sign::Strong => STRONG_PAUSE,
            Sign::Weak => WEAK_PAUSE,
        };
        let due = self.asked_at.map_or(now, |at| now.max(at + pause));
        self.due_at = Some(self.due_at.map_or(due, |before| before.min(due)));
    }

    /// The moment at which the module is to be asked.
    pub(super) fn due_at(&self) -> Option<Timestamp> {
        self.due_at
    }

    /// True if the question is due; then it counts as asked.
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        let is_due = self.due_at.is_some_and(|at| at <= now);
        if is_due {
            *self = Self { due_at: None, asked_at: Some(now) };
        }
        is_due
    }

    /// The bearer is known to be gone.
    pub(super) fn settle(&mut self) {
        self.due_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_follows_a_sign_at_once_and_then_at_a_bounded_pace() {
        let mut doubt = BearerDoubt::default();
        let mut now = Timestamp::from_secs(100);
        let mut asked = 0;
        for _ in 0..600 {
            doubt.sign(now, Sign::Weak);
            asked += u32::from(doubt.take(now));
            now += Duration::from_millis(100);
        }
        assert_eq!(asked, 6, "one every 10 s of 60 s");
        doubt.sign(now, Sign::Weak);
        assert!(doubt.take(now));
        now += STRONG_PAUSE;
        doubt.sign(now, Sign::Weak);
        assert!(!doubt.take(now));
        // A strong sign is postponed for a shorter span.
        doubt.sign(now, Sign::Strong);
        assert!(doubt.take(now));
        doubt.sign(now, Sign::Strong);
        assert_eq!(doubt.due_at(), Some(now + STRONG_PAUSE));
        doubt.settle();
        assert_eq!(doubt.due_at(), None);
    }
}
