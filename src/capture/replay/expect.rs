//! The expectations in the header of a capture, compared with its replay.

use std::fmt;

use thiserror::Error;

use super::super::Header;
use super::timeline::{Timeline, TimelineEntryKind};

/// The expectation that a recorder writes if none was given.
const NOT_KNOWN: &str = "not known";

/// An expectation of the header that a timeline does not meet.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unmet {
    /// The expectation is not met, or not after the one before it.
    #[error("nothing is {expect:?}{}", LastMet(.after))]
    Missing {
        /// The expectation.
        expect: String,
        /// The expectation before it, which is met.
        after: Option<String>,
    },
    /// Bytes are unexplained, and the header does not expect it.
    #[error("line {line}: {what}")]
    Unexplained {
        /// The first line of the file with them.
        line: usize,
        /// The bytes, in words.
        what: String,
    },
}

impl Timeline {
    /// Checks that all expectations of a header are met, in order.
    ///
    /// Each `# expect:` is one entry, in the words of [`TimelineEntryKind`]'s `Display`; others may happen in between.
    /// Unexplained bytes must be expected. A header with `not known` expects nothing.
    pub fn meets(&self, header: &Header) -> Result<(), Unmet> {
        if header.expect == [NOT_KNOWN] {
            return Ok(());
        }
        let mut expectations = header.expect.iter();
        let mut after = None;
        let mut next = expectations.next();
        for entry in &self.entries {
            let what = entry.what.to_string();
            if next == Some(&what) {
                after = next.cloned();
                next = expectations.next();
            } else if matches!(entry.what, TimelineEntryKind::Unexplained { .. }) {
                let line = entry.lines.first().copied().unwrap_or_default();
                return Err(Unmet::Unexplained { line, what });
            }
        }
        match next {
            Some(expect) => Err(Unmet::Missing { expect: expect.clone(), after }),
            None => Ok(()),
        }
    }
}

struct LastMet<'a>(&'a Option<String>);

impl fmt::Display for LastMet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(after) => write!(f, " after {after:?}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::read;
    use super::super::replay;
    use super::*;

    fn meets(expect: &[&str], log: &str) -> Result<(), Unmet> {
        let expect = expect.iter().map(|words| (*words).to_owned()).collect();
        let header = Header { what: "x".into(), source: "y".into(), expect };
        replay(&read(log.as_bytes()).unwrap()).meets(&header)
    }

    #[test]
    fn expectations_hold_in_their_order_only() {
        let log = "AT\nOK\n0, CLOSED\n";
        assert_eq!(meets(&["command AT", "urc 0, CLOSED"], log), Ok(()));
        let error = meets(&["urc 0, CLOSED", "command AT"], log).unwrap_err();
        assert_eq!(error.to_string(), "nothing is \"command AT\" after \"urc 0, CLOSED\"");
        assert_eq!(meets(&["urc RDY"], log).unwrap_err().to_string(), "nothing is \"urc RDY\"");
    }

    #[test]
    fn what_is_unexplained_must_be_expected() {
        let log = "AT\nOK\nnoise\n";
        let noise = "unexplained noise (answers nothing and is no known URC)";
        assert_eq!(meets(&["command AT", noise], log), Ok(()));
        let error = meets(&["command AT"], log).unwrap_err();
        assert_eq!(error, Unmet::Unexplained { line: 3, what: noise.to_owned() });
    }

    #[test]
    fn a_fresh_recording_expects_nothing() {
        assert_eq!(meets(&["not known"], "AT\nOK\nnoise\n"), Ok(()));
    }
}
