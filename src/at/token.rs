//! The tokens of the decoder.

use super::ChannelId;
use super::header::Header;

/// The longest line that is kept. The module's own command lines end at 1024 bytes (protocol section 2), and its
/// longest documented answers are shorter. A longer line is reported as [`Fault::LineTooLong`] and skipped.
pub const MAX_LINE: usize = 2048;

/// The engine's expectation of the next bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// Lines only: a `>` is text.
    Line,
    /// A send waits for its `> `, so `>` at the start of a line is the prompt.
    Prompt,
    /// Text of people: each line up to its LF, also if it is empty. There are no headers and prompts.
    Text,
    /// No text: every byte is payload (transparent mode). Allowed at the start of a line only.
    Raw,
}

/// A piece of the modem's output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Token<'a> {
    /// A line of text without its line end and outer blanks; never empty, not necessarily UTF-8. In text of people
    /// ([`Expect::Text`]) the line without its LF, which may be empty.
    Line(&'a [u8]),
    /// The prompt `> `, which asks for payload. The blank may follow later and is skipped.
    Prompt,
    /// The next [`Header::len`] bytes are payload: [`Token::Data`] tokens follow until one is the last.
    Header(Header),
    /// The available bytes of raw payload. They are borrowed from the input: no byte is copied or searched.
    Data {
        /// The bytes; empty only if the header announced none.
        bytes: &'a [u8],
        /// True if the payload is complete.
        last: bool,
    },
    /// One or more line ends that are not CR LF: CR without LF after it, or LF without CR before it. The token comes
    /// once, before the line that follows them. Some firmware writes such line ends.
    OddLineEnd,
    /// Bytes that no modem should write. The decoder has skipped them.
    Fault(Fault),
}

/// A fault in the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A line longer than 2048 bytes.
    #[error("a line of more than {MAX_LINE} bytes")]
    LineTooLong,
    /// Data for a channel that does not exist; they are skipped.
    #[error("{len} bytes of data for channel {number}, which does not exist")]
    ImpossibleChannel {
        /// The number that the modem wrote.
        number: u32,
        /// The number of announced bytes.
        len: usize,
    },
    /// A header that announces more than 2048 bytes; the bytes after it are read as text.
    #[error("a header that announces {len} bytes of data")]
    ImpossibleLength {
        /// The channel in the header, if it exists.
        channel: Option<ChannelId>,
        /// The length in the header.
        len: u32,
    },
    /// A damaged header: its data are read as text.
    #[error("a header that can't be read")]
    UnreadableHeader,
    /// Data without a line end after them: bytes were lost or added.
    #[error("text right after data, without a line end")]
    NoLineEnd,
    /// Text among data that no module writes. The engine reports this fault and the following ones.
    #[error("text among data that no module writes")]
    Garbage,
    /// A header announced more bytes than came.
    #[error("{missing} bytes of data that were announced did not come")]
    CutShort {
        /// The number of missing bytes.
        missing: usize,
    },
    /// Fetched data of this channel were shorter than announced: the line end after them took the place of the missing
    /// bytes. The line ends after later fetched data show this.
    #[error("data of channel {channel} that were fetched before were cut short")]
    CutShortBefore {
        /// The channel.
        channel: ChannelId,
    },
    /// Data came for a channel without a connection.
    #[error("data for channel {channel}, which has no connection")]
    NoConnection {
        /// The channel.
        channel: ChannelId,
    },
    /// Fetched data without a request: the answer came twice, or is longer than requested.
    #[error("fetched data that were not asked for")]
    NotAskedFor,
    /// There is text between fetched data and the `OK` after them.
    #[error("something between fetched data and their result")]
    BeforeResult,
}
