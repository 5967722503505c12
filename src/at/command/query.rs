//! Commands whose answer is read as a value: what the questions of `query` are made of.

use std::time::Duration;

use super::super::{Field, Urc};
use super::setup::DEFAULT_TIMEOUT;
use super::shape::Shape;
use super::{Command, user};

/// Unsolicited lines that carry the answer to a command, before its final result code or behind it.
#[derive(Debug)]
pub struct UrcAnswer {
    /// Their key: `+CDNSGIP`. One command at a time is asked whose answer has this key, because such lines do not all say
    /// which command they answer.
    pub key: &'static str,
    /// Whether a line is one of them.
    pub accepts: fn(&Urc) -> bool,
    /// Whether no more lines are to come.
    pub is_complete: fn(&[Urc]) -> bool,
    /// Whether a part of them is an answer, too, when time is up.
    pub counts_in_part: bool,
}

impl Command {
    /// A question that one line answers: with one of these keys, and with values that the predicate accepts.
    pub(crate) fn question(
        text: &'static str,
        keys: &'static [&'static str],
        accepts: fn(&[Field<'_>]) -> bool,
    ) -> Self {
        Self::new(text, Shape::Info { keys, accepts }, DEFAULT_TIMEOUT)
    }

    /// A question that any number of lines with its own key answer.
    pub(crate) fn listing(text: &'static str) -> Self {
        Self::new(text, Shape::Any { key: user::key_of(text) }, DEFAULT_TIMEOUT)
    }

    /// A question that unsolicited lines answer, in this time. Its final result code only says that it was understood.
    pub(crate) fn asking(text: String, answer: &'static UrcAnswer, timeout: Duration) -> Self {
        let command = Self::new(text, Shape::Plain, DEFAULT_TIMEOUT);
        Self { urcs: Some((answer, timeout)), ..command }
    }

    /// The unsolicited lines that carry its answer; `None` if its own lines do.
    pub fn urc_answer(&self) -> Option<&'static UrcAnswer> {
        self.urcs.map(|(answer, _)| answer)
    }

    /// The longest time that the answer may take, unsolicited lines included.
    pub fn answer_timeout(&self) -> Duration {
        self.urcs.map_or(self.timeout, |(_, timeout)| timeout)
    }
}
