//! The replay of a capture: the decoder reads its received side, and each line is assigned to the command that it
//! answers.
//!
//! ```
//! use air724ug::capture::{self, replay};
//!
//! let capture = capture::read(b"AT+CSQ\n\n+CSQ: 20,0\n\nOK\n\n0, CLOSED\n").unwrap();
//! let timeline = replay(&capture);
//! let words: Vec<String> = timeline.entries.iter().map(|entry| entry.what.to_string()).collect();
//! assert_eq!(words, [
//!     "command AT+CSQ",
//!     "reply +CSQ: 20,0 to AT+CSQ",
//!     "final OK to AT+CSQ",
//!     "urc 0, CLOSED",
//! ]);
//! assert_eq!(timeline.unexplained().count(), 0);
//! ```

mod answers;
mod command_in_flight;
mod data;
mod expect;
mod feed;
mod sent_lines;
mod session;
mod stream_end;
mod timeline;

pub use expect::Unmet;
pub use timeline::{Coverage, PayloadKind, Timeline, TimelineEntry, TimelineEntryKind, UnexplainedReason};

use std::num::NonZeroUsize;

use super::{Capture, Reason};
use feed::Feed;

/// The entries of a capture.
pub fn replay(capture: &Capture) -> Timeline {
    replay_in_chunks(capture, NonZeroUsize::MAX)
}

/// The same as [`replay`], with the modem's bytes divided into pieces of at most `size` bytes for the decoder. The
/// result is the same for every size; tests prove this.
pub fn replay_in_chunks(capture: &Capture, size: NonZeroUsize) -> Timeline {
    let mut feed = Feed::new(capture, size);
    let unknown = capture.remarks.iter().filter(|remark| remark.reason == Reason::UnknownForm);
    let mut unknown = unknown.map(|remark| remark.line).peekable();
    for (at, located) in capture.records.iter().enumerate() {
        while let Some(line) = unknown.next_if(|line| *line < located.line) {
            feed.unknown(line);
        }
        feed.record(located, &capture.records[at..]);
    }
    unknown.for_each(|line| feed.unknown(line));
    feed.finish()
}
