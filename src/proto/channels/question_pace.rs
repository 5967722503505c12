//! The pace of the questions about lines of one socket.

use std::time::Duration;

use crate::time::Timestamp;

/// The pause between two questions because of suspicions, and between two about lines of one socket.
pub(super) const QUESTION_PAUSE: Duration = Duration::from_secs(1);
/// The number of questions in a row that need no pause: what an ended connection leaves behind are few lines.
const QUICK: u32 = 3;

/// The pace of the questions about lines of one socket. The first ones are asked at once, further ones after a pause,
/// because a module can repeat such a line without end.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuestionPace {
    /// The number of questions in a row, with less than two pauses between them.
    in_row: u32,
    last_at: Timestamp,
}

impl QuestionPace {
    pub(super) fn new() -> Self {
        Self { in_row: 0, last_at: Timestamp::ZERO }
    }

    /// The earliest moment of the next question.
    pub(super) fn due_at(&self) -> Timestamp {
        if self.in_row < QUICK { self.last_at } else { self.last_at + QUESTION_PAUSE }
    }

    /// A question is written.
    pub(super) fn asked(&mut self, now: Timestamp) {
        let is_in_row = now < self.last_at + 2 * QUESTION_PAUSE;
        self.in_row = if is_in_row { self.in_row.saturating_add(1) } else { 1 };
        self.last_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_questions_are_asked_at_once_and_further_ones_after_a_second() {
        let at = |seconds| Timestamp::from_secs(seconds);
        let mut pace = QuestionPace::new();
        for _ in 0..3 {
            assert_eq!(pace.due_at().max(at(10)), at(10));
            pace.asked(at(10));
        }
        for second in 11..14 {
            assert_eq!(pace.due_at(), at(second));
            pace.asked(at(second));
        }
        pace.asked(at(15));
        assert_eq!(pace.due_at(), at(15), "a new row");
    }
}
