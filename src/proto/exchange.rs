//! One command and its answer.

use crate::at::{Command, Line, Refusal, Verdict};
use crate::time::Timestamp;

use super::Owner;

/// A command in flight.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) command: Command,
    pub(super) owner: Owner,
    pub(super) deadline: Timestamp,
    pub(super) phase: Phase,
    answer: Answer,
    answered: bool,
}

/// How far a command has come.
#[derive(Debug)]
pub(super) enum Phase {
    /// Its answer is awaited.
    Answer,
    /// The prompt for this payload is awaited.
    Prompt(Vec<u8>),
    /// The payload, of this length, is written and its result is awaited.
    Result(usize),
}

/// The lines of an answer, and how it ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Answer {
    pub(super) lines: Vec<String>,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) command: Command,
    pub(super) owner: Owner,
    pub(super) result: Result<Vec<String>, Failure>,
}

/// Why a command failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Failure {
    /// The module said no, or something that can't be believed.
    Refused(Refusal),
    /// It said nothing in time.
    Timeout,
}

/// The most lines that one answer may have. The longest documented list is the files' (`AT+FSLS`); a module that
/// prints for ever must not fill the memory. Further lines are dropped.
const MAX_ANSWER_LINES: usize = 1024;

impl Exchange {
    pub(super) fn new(command: Command, owner: Owner, deadline: Timestamp, phase: Phase) -> Self {
        Self { command, owner, deadline, phase, answer: Answer::default(), answered: false }
    }

    /// Judges a line and keeps it if it is part of the answer.
    pub(super) fn judge(&mut self, text: &[u8], line: &Line<'_>) -> Verdict {
        let verdict = match (&self.phase, line) {
            // News of the channel's last send: this one has not begun.
            (Phase::Prompt(_), Line::Channel { .. }) => Verdict::NotMine,
            _ => self.command.judge(line, self.answered),
        };
        let keep = match verdict {
            Verdict::Part => true,
            // The line that ends the answer is its content where there is no other: the address, the state.
            Verdict::Doubtful(Ok(())) => !matches!(line, Line::Final(_)),
            Verdict::NotMine | Verdict::Done(_) | Verdict::Doubtful(Err(_)) => false,
        };
        if keep {
            self.answered = true;
            self.keep(text);
        }
        verdict
    }

    /// The header of fetched data has come, which is what such a command asks for.
    pub(super) fn data_came(&mut self) {
        self.answered = true;
    }

    /// Takes the lines that came since the last final.
    pub(super) fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.answer.lines)
    }

    pub(super) fn finish(self, result: Result<Vec<String>, Failure>) -> Finished {
        Finished { command: self.command, owner: self.owner, result }
    }

    fn keep(&mut self, text: &[u8]) {
        if self.answer.lines.len() < MAX_ANSWER_LINES {
            self.answer.lines.push(String::from_utf8_lossy(text).into_owned());
        }
    }
}
