//! Captures: the bytes of a session as a text file.
//!
//! Recorded sessions and hand-written fixtures have the same format. It can be read, compared and edited, and preserves
//! exactly the bytes that were recorded:
//!
//! ```text
//! # what: a plain AT, answered with echo
//! # source: written by hand after the framing of an Air780E
//! # expect: final OK to AT
//! 0.000000 ? probe
//! 0.000100 > AT\r\n
//! 0.003000 < AT\r\n\r\nOK\r\n
//! 0.003000 ; it works
//! ```
//!
//! * Three headers, `what`, `source` and `expect`, precede the first record. All are required; `expect` may occur
//!   several times. A file without them is refused.
//! * Each further line is a record: the time in seconds since the start with one to nine decimals (never decreasing), a
//!   blank, the direction, and if there is text a blank and the text.
//! * The direction is `>` for bytes to the modem, `<` for bytes from it, `?` for a request of the application, `;` for
//!   a note, and `~` for a gap: records are missing here. One record is one write or one read, so it may begin and end
//!   anywhere.
//! * Bytes are escaped: printable ASCII is not changed; `\r`, `\n`, `\t`, `\\` and `\xNN` replace other bytes. The
//!   writer also escapes a blank at the end of a line, so that no editor removes it.
//! * A line is at most [`MAX_LINE`] bytes long; more than [`MAX_RECORD_BYTES`] are written as several records.
//!   Blank lines are skipped. The file ends with LF; CR LF is read as well.
//!
//! [`Recorder`] writes a capture while a session runs, with secrets masked by [`Mask`]; [`read_own`] and [`load_own`]
//! read it.
#![cfg_attr(
    feature = "import",
    doc = "[`read`] and [`load`] (feature `import`) read besides it the logs of other programs. \
           [`replay()`] lists what happened in a capture, in words, and those of `expect` are the same words: \
           [`Timeline::meets`]. [`Player`] makes a modem of a capture."
)]
// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

mod announced;
mod appended;
mod collector;
mod error;
mod escape;
mod file;
mod format;
#[cfg(feature = "import")]
mod import;
mod layout;
mod lines_received;
mod lines_sent;
mod mask;
mod new_file;
mod open_exchange;
#[cfg(feature = "import")]
mod player;
mod reader;
mod record;
mod recorder;
#[cfg(feature = "import")]
mod replay;
mod rotation;

// The lines of a trace, for `luat`.
#[cfg(feature = "luat")]
pub(crate) use import::{Clock, leveled, number, stamped, time};

pub use error::{Fault, LoadError, ReadError};
pub(crate) use file::Recording;
pub use file::{CaptureFile, CaptureWatch};
pub use format::{MAX_LINE, MAX_RECORD_BYTES};
#[cfg(feature = "import")]
pub use import::{MarkError, Marks, load, load_with, read, read_with};
pub use layout::{Encoding, Layout};
pub use mask::Mask;
#[cfg(feature = "import")]
pub use player::{Departure, DepartureOutcome, PlayWatch, PlayedReader, PlayedWriter, Player};
pub use reader::{MAX_FILE, MAX_LINES, load_own, read_own};
pub use record::{Capture, Entry, Header, Located, Reason, Record, Remark};
pub use recorder::Recorder;
#[cfg(feature = "import")]
pub use replay::{
    Coverage, PayloadKind, Timeline, TimelineEntry, TimelineEntryKind, UnexplainedReason, Unmet, replay,
    replay_in_chunks,
};
