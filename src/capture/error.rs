//! The reasons for which a capture is refused.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {fault}")]
#[non_exhaustive]
pub struct ReadError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
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
    /// The file has more lines than a capture may have.
    #[error("more than {limit} lines")]
    TooManyLines {
        /// The most lines that are read.
        limit: usize,
    },
    /// A capture of our own must say what it is, where it comes from and what it must show.
    #[error("no `# {0}:` above the first record")]
    MissingHeader(&'static str),
    /// A header with nothing behind the colon.
    #[error("`# {0}:` says nothing")]
    EmptyHeader(&'static str),
    /// `what` and `source` may be said once.
    #[error("a second `# {0}:`")]
    RepeatedHeader(&'static str),
    /// A `#` line that is none of the three headers.
    #[error("only `# what:`, `# source:` and `# expect:` may begin with `#`")]
    UnknownHeader,
    /// A header below the first record.
    #[error("a header below the first record")]
    LateHeader,
    /// A record that does not begin with seconds and up to nine decimals.
    #[error("no timestamp: seconds, a point and up to nine decimals")]
    BadTimestamp,
    /// A record older than the one before.
    #[error("the time goes back")]
    TimeGoesBack,
    /// No direction after the timestamp.
    #[error("no direction: `>` to the modem, `<` from the modem, `?` request, `;` note, `~` gap")]
    BadDirection,
    /// A backslash with something behind it that is no escape.
    #[error("column {column}: no such escape; there are \\r \\n \\t \\\\ and \\xNN")]
    BadEscape {
        /// Where the backslash stands, counted in bytes from 1.
        column: usize,
    },
    /// A byte that must be written as an escape.
    #[error("column {column}: only printable ASCII may stand for itself")]
    Unescaped {
        /// Where it stands, counted in bytes from 1.
        column: usize,
    },
    /// A request or a note whose bytes are not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// A gap with something behind it.
    #[error("a gap says nothing")]
    GapWithText,
}

impl Fault {
    pub(super) fn at(self, line: usize) -> ReadError {
        ReadError { line, fault: self }
    }
}

/// A file that cannot be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is larger than a capture may be.
    #[error("{}: larger than {limit} bytes", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// The largest file that is loaded, in bytes.
        limit: u64,
    },
    /// A line of the file cannot be read.
    #[error("{}:{}: {}", path.display(), source.line, source.fault)]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, and why.
        source: ReadError,
    },
}
