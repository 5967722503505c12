use std::time::Duration;

use super::behaviour::{Answer, Behaviour, Occasion, Spelling};
use super::values::{BadRule, millis, span};

/// A command is delayed by this time (capture s04). The modem does nothing else in this time: later commands wait.
///
/// By chance: with each command line.
#[derive(Clone, Debug, PartialEq)]
pub struct LateAnswer {
    /// The number of the command line: 1 is the next one.
    pub command: u32,
    /// The delay.
    pub by: Duration,
}

impl Spelling for LateAnswer {
    const NAME: &'static str = "late-answer";
    const FORM: &'static str = "late-answer=2s";

    fn parse(value: &str) -> Result<Self, BadRule> {
        Ok(Self { command: 1, by: span(value)? })
    }

    fn value(&self) -> Option<String> {
        Some(millis(self.by))
    }
}

impl Behaviour for LateAnswer {
    fn occasion(&self) -> Occasion {
        Occasion::Answer
    }

    fn is_counted_down(&mut self) -> bool {
        self.command = self.command.saturating_sub(1);
        self.command == 0
    }

    fn answer(&self, answer: &mut Answer) {
        answer.later += self.by;
    }
}
