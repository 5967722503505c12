//! Prompts that nothing has asked for.

use std::time::Duration;

use crate::time::Timestamp;

/// The pause between two questions because of such prompts.
const PAUSE: Duration = Duration::from_secs(1);

/// A prompt that came while no command was in flight, and the moment of the question about it. Until then no command is
/// written, because the module may take it for payload. A module can print prompts without end.
#[derive(Debug, Default)]
pub(super) struct StrayPrompt {
    /// When the question is due.
    due_at: Option<Timestamp>,
    /// The earliest moment of the next question.
    free_at: Timestamp,
}

impl StrayPrompt {
    /// A prompt came.
    pub(super) fn came(&mut self, now: Timestamp) {
        self.due_at.get_or_insert(now.max(self.free_at));
    }

    /// A question is asked for another reason, and answers this one.
    pub(super) fn settle(&mut self) {
        self.due_at = None;
    }

    /// When the question is due, if there is one.
    pub(super) fn due_at(&self) -> Option<Timestamp> {
        self.due_at
    }

    /// True if the question is due; then it counts as asked.
    pub(super) fn is_asked_about(&mut self, now: Timestamp) -> bool {
        let is_due = self.due_at.take_if(|at| *at <= now).is_some();
        if is_due {
            self.free_at = now + PAUSE;
        }
        is_due
    }
}
