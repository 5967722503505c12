//! The commands of the typed queries in `query`.

use std::time::Duration;

use super::super::{Field, Urc};
use super::setup::DEFAULT_TIMEOUT;
use super::shape::Shape;
use super::{Command, user};

/// The unsolicited lines with the answer to a command. They come before its final result code or after it.
#[derive(Debug)]
pub struct UrcAnswer {
    /// The key of the lines: `+CDNSGIP`. Only one command with this key is in flight at a time, because not all such
    /// lines name their command.
    pub key: &'static str,
    /// True if a line is one of them.
    pub accepts: fn(&Urc) -> bool,
    /// True if no more lines will come.
    pub is_complete: fn(&[Urc]) -> bool,
    /// True if an incomplete answer counts after the time-out.
    pub counts_in_part: bool,
}

impl Command {
    /// A question that is answered by one line: with one of these keys, and with values that the predicate accepts.
    pub(crate) fn question(
        text: &'static str,
        keys: &'static [&'static str],
        accepts: fn(&[Field<'_>]) -> bool,
    ) -> Self {
        Self::new(text, Shape::Info { keys, accepts }, DEFAULT_TIMEOUT)
    }

    /// A question that is answered by any number of lines with its own key.
    pub(crate) fn listing(text: &'static str) -> Self {
        Self::new(text, Shape::Any { key: user::key_of(text) }, DEFAULT_TIMEOUT)
    }

    /// A question that is answered by unsolicited lines within this time. Its final result code only confirms that the
    /// module accepts it.
    pub(crate) fn asking(text: String, answer: &'static UrcAnswer, timeout: Duration) -> Self {
        let command = Self::new(text, Shape::Plain, DEFAULT_TIMEOUT);
        Self { urcs: Some((answer, timeout)), ..command }
    }

    /// The unsolicited lines with its answer; `None` if the answer is in its own lines.
    pub fn urc_answer(&self) -> Option<&'static UrcAnswer> {
        self.urcs.map(|(answer, _)| answer)
    }

    /// The longest time that the answer may take, unsolicited lines included.
    pub fn answer_timeout(&self) -> Duration {
        self.urcs.map_or(self.timeout, |(_, timeout)| timeout)
    }
}
