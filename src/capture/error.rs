//! The reasons for which a capture is refused.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A line that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {fault}")]
#[non_exhaustive]
pub struct ReadError {
    /// The line, counted from 1.
    pub line: usize,
    /// The fault in it.
    pub fault: Fault,
}

/// A fault in a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The line is longer than a capture's line may be.
    #[error("longer than {limit} bytes")]
    LineTooLong {
        /// The longest line that is read, in bytes.
        limit: usize,
    },
    /// The file has more lines than the limit.
    #[error("more than {limit} lines")]
    TooManyLines {
        /// The most lines that are read.
        limit: usize,
    },
    /// A capture in our own format needs `what`, `source` and `expect`.
    #[error("no `# {0}:` above the first record")]
    MissingHeader(&'static str),
    /// A header with nothing after the colon.
    #[error("`# {0}:` says nothing")]
    EmptyHeader(&'static str),
    /// `what` and `source` may occur once only.
    #[error("a second `# {0}:`")]
    RepeatedHeader(&'static str),
    /// A `#` line with another key than these three.
    #[error("only `# what:`, `# source:` and `# expect:` may begin with `#`")]
    UnknownHeader,
    /// A header below the first record.
    #[error("a header below the first record")]
    LateHeader,
    /// A record that does not begin with seconds and up to nine decimals.
    #[error("no timestamp: seconds, a point and up to nine decimals")]
    BadTimestamp,
    /// A record with an earlier time than the one before.
    #[error("the time goes back")]
    TimeGoesBack,
    /// No direction after the timestamp.
    #[error("no direction: `>` to the modem, `<` from the modem, `?` request, `;` note, `~` gap")]
    BadDirection,
    /// A backslash that does not begin an escape.
    #[error("column {column}: no such escape; there are \\r \\n \\t \\\\ and \\xNN")]
    BadEscape {
        /// The position of the backslash, counted in bytes from 1.
        column: usize,
    },
    /// A byte that must be written as an escape.
    #[error("column {column}: only printable ASCII may stand for itself")]
    Unescaped {
        /// The position of the byte, counted in bytes from 1.
        column: usize,
    },
    /// A request or a note whose bytes are not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// A gap with text after it.
    #[error("a gap says nothing")]
    GapWithText,
}

impl Fault {
    pub(super) fn at(self, line: usize) -> ReadError {
        ReadError { line, fault: self }
    }
}

/// A file that can't be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file can't be opened or read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
    /// The file is larger than a capture may be.
    #[error("{}: larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest file that is loaded, in bytes.
        limit: u64,
    },
    /// A line of the file can't be read.
    #[error("{}:{}: {}", path.display(), source.line, source.fault)]
    Line {
        /// The file.
        path: PathBuf,
        /// The line and the fault.
        source: ReadError,
    },
}
