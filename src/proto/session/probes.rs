//! The questions of the barrier: which is asked next.

use crate::at::Command;

#[derive(Debug, Default)]
pub(super) struct Probes {
    /// Counts the questions, so that each differs from the one before.
    asked: usize,
    /// The questions that were refused in place of an answer: firmware may not have them.
    refused: Vec<Command>,
}

impl Probes {
    pub(super) fn asked(&self) -> usize {
        self.asked
    }

    pub(super) fn refused(&mut self, questions: Vec<Command>) {
        self.refused.extend(questions);
    }

    /// A question that differs from the last one, and whose answer is none to the `late` and the `others`, which may also come.
    pub(super) fn next<'a>(
        &mut self,
        late: &[Command],
        others: impl IntoIterator<Item = &'a Command, IntoIter: Clone>,
    ) -> Command {
        self.asked = self.asked.wrapping_add(1);
        let is_refused = |key: &str| self.refused.iter().any(|question| question.has_key(key));
        let others = others.into_iter();
        let probe = Command::probe(self.asked, |key| {
            let has = |command: &Command| command.has_key(key);
            is_refused(key) || late.iter().any(has) || others.clone().any(has)
        });
        if !self.refused.iter().any(|question| question.text() == probe.text()) {
            return probe;
        }
        // Each of the others may also be answered late. One of them has an answer at least.
        let probe = Command::probe(self.asked, is_refused);
        self.refused.retain(|question| question.text() != probe.text());
        probe
    }
}
