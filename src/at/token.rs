//! The tokens that bytes from the modem can be.

use super::ChannelId;
use super::header::Header;

/// The longest line that is kept. The module's own command lines end at 1024 bytes (protocol section 2) and its
/// longest documented answers are shorter; what is longer is reported as [`Fault::LineTooLong`] and passed over.
pub const MAX_LINE: usize = 2048;

/// The engine's expectation of the next bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// Lines only: a `>` is text.
    Line,
    /// A send waits for its `> `, so a `>` at the start of a line is the prompt.
    Prompt,
    /// Text of people behind its header: each line as it came up to its LF, empty ones too, and no header or prompt.
    Text,
    /// No text at all: every byte is payload (transparent mode). Asked for where a line ends.
    Raw,
}

/// One piece of what the modem wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Token<'a> {
    /// A line of text without its line end and outer blanks; never empty, not necessarily UTF-8. Of text of people
    /// ([`Expect::Text`]) the line without its LF, perhaps empty.
    Line(&'a [u8]),
    /// The `> ` that asks for payload. The blank may follow later and is passed over.
    Prompt,
    /// The next [`Header::len`] bytes are payload: [`Token::Data`] tokens follow until one is the last.
    Header(Header),
    /// Raw payload, as much as there is. Borrowed from the input: nothing is copied or searched.
    Data {
        /// The bytes; empty only if the header announced none.
        bytes: &'a [u8],
        /// Whether the payload is complete.
        last: bool,
    },
    /// One or more line ends that are not CR LF: CR without LF behind it, or LF without CR before it. Those in front of a line come
    /// before it, once. Some firmware writes such ones.
    OddLineEnd,
    /// Something that no modem should write. The decoder has passed over it.
    Fault(Fault),
}

/// A fault in the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A line longer than 2048 bytes.
    #[error("a line of more than {MAX_LINE} bytes")]
    LineTooLong,
    /// Data for a channel that does not exist; they are passed over.
    #[error("{len} bytes of data for channel {number}, which does not exist")]
    ImpossibleChannel {
        /// The number that the modem wrote.
        number: u32,
        /// How many bytes it announced.
        len: usize,
    },
    /// A header that announces more than 2048 bytes; what follows is read as text.
    #[error("a header that announces {len} bytes of data")]
    ImpossibleLength {
        /// The channel that it names, if there is such a one.
        channel: Option<ChannelId>,
        /// The length that the modem wrote.
        len: u32,
    },
    /// A line that was a header once: its data are read as text.
    #[error("a header that can't be read")]
    UnreadableHeader,
    /// Data without a line end behind them: bytes were lost or came in addition.
    #[error("text right behind data, without a line end")]
    NoLineEnd,
    /// Text among data that no module writes. The engine's finding, as are those below.
    #[error("text among data that no module writes")]
    Garbage,
    /// A header announced more bytes than came.
    #[error("{missing} bytes of data that were announced did not come")]
    CutShort {
        /// How many did not come.
        missing: usize,
    },
    /// Data of this channel that were fetched before were not as long as announced: the line end behind them has filled them up,
    /// as what stands behind other fetched data shows.
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
    /// Fetched data that were not asked for: an answer came twice, or announces more than was asked for.
    #[error("fetched data that were not asked for")]
    NotAskedFor,
    /// Something stands between fetched data and the `OK` behind them.
    #[error("something between fetched data and their result")]
    BeforeResult,
}
