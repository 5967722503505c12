//! The answers of a slow module that are still to come while a question waits.

use std::time::Duration;

use crate::at::{Command, Line, Verdict};
use crate::time::Timestamp;

/// The answers to older commands that come before that of a question.
#[derive(Debug)]
pub(super) struct Backlog {
    /// The number of attempts of a search that may still be answered.
    attempts: u32,
    /// When the backlog began.
    since: Timestamp,
    /// When the last answer to one of them came.
    answered_at: Timestamp,
    /// The longest time that an answer to one of the questions has taken.
    took: Duration,
}

/// The longest time for which one answer to an older command extends the wait for that of a question.
const LONGEST_EXTENSION: Duration = Duration::from_secs(8);
/// The longest time for which answers to attempts extend the wait. A search of an hour has thousands of attempts, of
/// which a module that was off has received none. A module that needs 8 s for each answer has at most 12 unanswered
/// attempts when the first answer comes.
const LONGEST_BACKLOG: Duration = Duration::from_secs(120);

impl Backlog {
    /// The backlog after this number of attempts of a search.
    pub(super) fn new(now: Timestamp, attempts: u32) -> Self {
        Self { attempts, since: now, answered_at: now, took: Duration::ZERO }
    }

    /// A final result code came that may answer an attempt of the search. Returns the time that the next answer may
    /// take: twice the time of this one. `None` if no attempt is unanswered, or the backlog has lasted too long.
    pub(super) fn attempt_answered(&mut self, now: Timestamp) -> Option<Duration> {
        if now - self.since > LONGEST_BACKLOG {
            return None;
        }
        self.attempts = self.attempts.checked_sub(1)?;
        let took = now - self.answered_at;
        self.answered_at = now;
        Some((took * 2).min(LONGEST_EXTENSION))
    }

    /// A question that was asked at this moment is answered. Everything before it was answered, or will never be.
    pub(super) fn question_answered(&mut self, now: Timestamp, asked_at: Timestamp) {
        self.attempts = 0;
        self.took = self.took.max((now - asked_at).min(LONGEST_EXTENSION));
    }

    /// The longest time that an answer to one of the questions has taken.
    pub(super) fn took(&self) -> Duration {
        self.took
    }
}

/// A question that was asked before the present one.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) command: Command,
    /// When it was asked, until its answer comes.
    unanswered_since: Option<Timestamp>,
}

impl Question {
    pub(super) fn new(command: Command, asked_at: Timestamp) -> Self {
        Self { command, unanswered_since: Some(asked_at) }
    }

    /// True if the line is its answer.
    pub(super) fn is_answered_by(&self, line: &Line<'_>) -> bool {
        self.command.judge(line, false) == Verdict::Part
    }

    /// Its answer came. Returns when it was asked, if no answer came before.
    pub(super) fn first_answer(&mut self) -> Option<Timestamp> {
        self.unanswered_since.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_answer_may_take_twice_as_long_as_the_last_one() {
        let mut backlog = Backlog::new(Timestamp::ZERO, 2);
        assert_eq!(backlog.attempt_answered(Timestamp::from_secs(3)), Some(Duration::from_secs(6)));
        assert_eq!(backlog.attempt_answered(Timestamp::from_secs(90)), Some(LONGEST_EXTENSION));
        assert_eq!(backlog.attempt_answered(Timestamp::from_secs(91)), None, "there were two");
    }

    #[test]
    fn the_attempts_of_a_long_search_extend_the_wait_for_a_limited_time() {
        let mut backlog = Backlog::new(Timestamp::ZERO, 4_000);
        let answered = (1..).take_while(|second| {
            let at = Timestamp::ZERO + Duration::from_secs(*second);
            backlog.attempt_answered(at).is_some()
        });
        assert_eq!(Duration::from_secs(answered.count() as u64), LONGEST_BACKLOG);
    }

    #[test]
    fn an_answered_question_ends_the_wait_for_attempts_before_it() {
        let mut backlog = Backlog::new(Timestamp::ZERO, 9);
        backlog.question_answered(Timestamp::from_secs(5), Timestamp::from_secs(3));
        assert_eq!(backlog.took(), Duration::from_secs(2));
        assert_eq!(backlog.attempt_answered(Timestamp::from_secs(6)), None);
    }

    #[test]
    fn an_answer_that_took_longer_than_8_s_counts_as_8_s() {
        for (seconds, took) in [(7, 7), (8, 8), (20, 8)] {
            let mut backlog = Backlog::new(Timestamp::ZERO, 0);
            backlog.question_answered(Timestamp::from_secs(seconds), Timestamp::ZERO);
            assert_eq!(backlog.took(), Duration::from_secs(took));
        }
    }
}
