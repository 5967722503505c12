//! Places where a program left a capture.

use std::fmt;

/// The place where a program left what a capture shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Departure {
    /// The line of the capture that was next, counted from 1.
    pub line: usize,
    /// What it says was written.
    pub expected: Vec<u8>,
    /// What was written.
    pub written: Vec<u8>,
    /// The answer to it.
    pub outcome: DepartureOutcome,
}

/// The answer to what a capture does not show at this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DepartureOutcome {
    /// It stands in this line of the capture, further on: what lies between was left out.
    SkippedTo(usize),
    /// It is payload of another content: what the capture says of its own is the answer.
    TakenAsPayload,
    /// It stands nowhere behind: `ERROR`.
    Refused,
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (expected, written) = (self.expected.escape_ascii(), self.written.escape_ascii());
        write!(f, "line {}: \"{expected}\" was next, \"{written}\" was written; ", self.line)?;
        match self.outcome {
            DepartureOutcome::SkippedTo(line) => write!(f, "it stands in line {line}"),
            DepartureOutcome::TakenAsPayload => write!(f, "taken as the payload"),
            DepartureOutcome::Refused => write!(f, "it stands nowhere behind"),
        }
    }
}
