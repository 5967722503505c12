use std::time::Duration;

use super::behaviour::{Answer, Behaviour, Fate, Occasion, Spelling};
use super::values::{BadRule, millis, span};

/// A command runs at once, but its answer is delayed by this time and comes between the answers to other commands
/// (similar to capture s08). A host that counts answers assigns them to the wrong commands.
///
/// By chance: with each command line.
#[derive(Clone, Debug, PartialEq)]
pub struct DetachedAnswer {
    /// The number of the command line: 1 is the next one.
    pub command: u32,
    /// The delay.
    pub by: Duration,
}

impl Spelling for DetachedAnswer {
    const NAME: &'static str = "detached-answer";
    const FORM: &'static str = "detached-answer=2s";

    fn parse(value: &str) -> Result<Self, BadRule> {
        Ok(Self { command: 1, by: span(value)? })
    }

    fn value(&self) -> Option<String> {
        Some(millis(self.by))
    }
}

impl Behaviour for DetachedAnswer {
    fn occasion(&self) -> Occasion {
        Occasion::Answer
    }

    fn is_counted_down(&mut self) -> bool {
        self.command = self.command.saturating_sub(1);
        self.command == 0
    }

    fn answer(&self, answer: &mut Answer) {
        answer.fate = Fate::Detached(self.by);
    }
}
