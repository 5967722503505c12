use super::behaviour::{Answer, Behaviour, Fate, Occasion, Spelling};
use super::values::BadRule;

/// A command runs, and this line is printed instead of its answer (capture s05).
///
/// By chance: with each command line.
#[derive(Clone, Debug, PartialEq)]
pub struct WrongAnswer {
    /// The number of the command line: 1 is the next one.
    pub command: u32,
    /// The line.
    pub text: String,
}

impl Spelling for WrongAnswer {
    const NAME: &'static str = "wrong-answer";
    const FORM: &'static str = "wrong-answer=TEXT";
    const TAKES_TEXT: bool = true;

    fn parse(value: &str) -> Result<Self, BadRule> {
        Ok(Self { command: 1, text: value.to_owned() })
    }

    fn value(&self) -> Option<String> {
        Some(self.text.clone())
    }
}

impl Behaviour for WrongAnswer {
    fn occasion(&self) -> Occasion {
        Occasion::Answer
    }

    fn is_counted_down(&mut self) -> bool {
        self.command = self.command.saturating_sub(1);
        self.command == 0
    }

    fn answer(&self, answer: &mut Answer) {
        answer.fate = Fate::Replaced(self.text.clone());
    }
}
