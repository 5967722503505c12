//! The questions of the barrier: which is asked next.

use crate::at::Command;

#[derive(Debug, Default)]
pub(super) struct Probes {
    /// Counts the questions, so that each differs from the one before.
    asked: usize,
    /// The questions that were asked. Their answers may come twice.
    written: Vec<Command>,
    /// The questions that were answered: firmware has them.
    answered: Vec<Command>,
    /// The questions that were refused in place of an answer, and never answered: firmware may not have them.
    refused: Vec<Command>,
}

impl Probes {
    pub(super) fn asked(&self) -> usize {
        self.asked
    }

    /// True if the key is that of a question that was asked.
    pub(super) fn has_asked(&self, key: &str) -> bool {
        self.written.iter().any(|question| question.has_key(key))
    }

    /// A question was answered. After those that are `refused` an error came, which may be of another command.
    pub(super) fn passed(&mut self, probe: &Command, refused: Vec<Command>) {
        add(&mut self.answered, probe.clone());
        for question in refused {
            add(&mut self.refused, question);
        }
        let is_answered =
            |question: &Command| self.answered.iter().any(|known| known.text() == question.text());
        self.refused.retain(|question| !is_answered(question));
    }

    /// A question that differs from the last one, and whose answer can't be the answer to one of the commands `late`
    /// and `others`, whose answers may come as well.
    pub(super) fn next(&mut self, late: &[Command], others: &[&Command]) -> Command {
        let probe = self.choose(late, others);
        add(&mut self.written, probe.clone());
        probe
    }

    fn choose(&mut self, late: &[Command], others: &[&Command]) -> Command {
        self.asked = self.asked.wrapping_add(1);
        let is_refused = |key: &str| self.refused.iter().any(|question| question.has_key(key));
        let probe = Command::probe(self.asked, &|key| {
            let has = |command: &Command| command.has_key(key);
            is_refused(key) || late.iter().any(has) || others.iter().any(|other| has(other))
        });
        if !self.refused.iter().any(|question| question.text() == probe.text()) {
            return probe;
        }
        // Each of the other questions may be answered late as well. At least one of these is known to be answered.
        let probe = Command::probe(self.asked, &is_refused);
        self.refused.retain(|question| question.text() != probe.text());
        probe
    }
}

fn add(questions: &mut Vec<Command>, question: Command) {
    if !questions.iter().any(|known| known.text() == question.text()) {
        questions.push(question);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_does_not_refuse_a_question_that_was_answered_before() {
        let mut probes = Probes::default();
        let (first, second) = (probes.next(&[], &[]), probes.next(&[], &[]));
        probes.passed(&first, Vec::new());
        probes.passed(&second, vec![first.clone()]);
        let asked: Vec<_> = (0..6).map(|_| probes.next(&[], &[]).text().to_owned()).collect();
        assert!(asked.contains(&first.text().to_owned()), "{asked:?}");
    }

    #[test]
    fn a_question_that_is_refused_and_never_answered_is_left_out() {
        let mut probes = Probes::default();
        let (refused, other) = (probes.next(&[], &[]), probes.next(&[], &[]));
        probes.passed(&other, vec![refused.clone()]);
        let asked: Vec<_> = (0..12).map(|_| probes.next(&[], &[]).text().to_owned()).collect();
        assert!(!asked.contains(&refused.text().to_owned()), "{asked:?}");
        assert!(asked.contains(&other.text().to_owned()), "{asked:?}");
    }
}
