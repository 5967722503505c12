use super::behaviour::{Answer, Behaviour, Fate, Occasion, Spelling};
use super::values::BadRule;

/// A command runs, and its answer is never printed (capture s13: only the echo).
///
/// By chance: with each command line.
#[derive(Clone, Debug, PartialEq)]
pub struct LostAnswer {
    /// The number of the command line: 1 is the next one.
    pub command: u32,
}

impl Spelling for LostAnswer {
    const NAME: &'static str = "lost-answer";
    const FORM: &'static str = "lost-answer";

    fn parse(_: &str) -> Result<Self, BadRule> {
        Ok(Self { command: 1 })
    }
}

impl Behaviour for LostAnswer {
    fn occasion(&self) -> Occasion {
        Occasion::Answer
    }

    fn is_counted_down(&mut self) -> bool {
        self.command = self.command.saturating_sub(1);
        self.command == 0
    }

    fn answer(&self, answer: &mut Answer) {
        answer.fate = Fate::Lost;
    }
}
