//! Differences between the writes of a program and those of a capture.

use std::fmt;

/// A place where a program writes other bytes than the capture.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Departure {
    /// The line of the capture that was expected next, counted from 1.
    pub line: usize,
    /// The bytes of this line.
    pub expected: Vec<u8>,
    /// The bytes that the program wrote.
    pub written: Vec<u8>,
    /// The answer to them.
    pub outcome: DepartureOutcome,
}

/// The answer to bytes that are not expected at this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DepartureOutcome {
    /// They are in this later line of the capture; the lines between were skipped.
    SkippedTo(usize),
    /// They are payload of another content. The answer is that of the recorded payload.
    TakenAsPayload,
    /// They are in no later line. The answer is `ERROR`.
    Refused,
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (expected, written) = (self.expected.escape_ascii(), self.written.escape_ascii());
        write!(f, "line {}: \"{expected}\" was next, \"{written}\" was written; ", self.line)?;
        match self.outcome {
            DepartureOutcome::SkippedTo(line) => write!(f, "it stands in line {line}"),
            DepartureOutcome::TakenAsPayload => write!(f, "taken as the payload"),
            DepartureOutcome::Refused => write!(f, "it does not stand further on"),
        }
    }
}
