use crate::at::{Field, Line, Urc};

/// The answer to a command: the lines before its final result code, and the unsolicited ones that belong to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    command: Box<str>,
    lines: Vec<String>,
    urcs: Vec<Urc>,
}

impl Reply {
    /// The answer to the command of this name.
    pub fn new(command: &str, lines: Vec<String>, urcs: Vec<Urc>) -> Self {
        Self { command: command.into(), lines, urcs }
    }

    /// The command's name: its text up to the first `=`.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// The lines, without the final result code.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The lines, as [`Modem::command`](crate::Modem::command) returns them.
    pub fn into_lines(self) -> Vec<String> {
        self.lines
    }

    /// Unsolicited lines that carry the answer, in the order in which they came.
    pub fn urcs(&self) -> &[Urc] {
        &self.urcs
    }

    /// The values of the first line with one of these keys: `["20", "0"]` of `+CSQ: 20,0`.
    pub(crate) fn values(&self, keys: &[&str]) -> Option<Vec<Field<'_>>> {
        self.all_values(keys).next()
    }

    /// The values of each line with one of these keys.
    pub(crate) fn all_values(&self, keys: &[&str]) -> impl Iterator<Item = Vec<Field<'_>>> {
        self.lines.iter().filter_map(|line| {
            let line = Line::parse(line.as_bytes());
            keys.iter().find_map(|key| line.info(key))
        })
    }
}
