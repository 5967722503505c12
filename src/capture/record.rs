//! The entries of a capture, and its header.

use crate::time::Timestamp;

use super::{Encoding, Layout};

/// An entry with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The time since the start of the capture; [`Timestamp::ZERO`] for layouts without times.
    pub at: Timestamp,
    /// The entry.
    pub what: Entry,
}

/// An entry of a capture.
///
/// Bytes and text are separate: bytes of the wire may have any value, requests and notes are text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Bytes written to the modem.
    ToModem(Vec<u8>),
    /// Bytes read from the modem, echo included. One record is one read: it may end anywhere.
    FromModem(Vec<u8>),
    /// A request of the application to the driver.
    Request(String),
    /// A note about this time, such as "the SIM card was pulled out".
    Note(String),
    /// Entries are missing: another excerpt begins, or the log omits something. The command in flight before it has
    /// ended, and a line that follows may answer a command that is not in the capture.
    Gap,
}

impl Entry {
    /// The bytes that went over the wire, in either direction.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::ToModem(bytes) | Self::FromModem(bytes) => Some(bytes),
            Self::Request(_) | Self::Note(_) | Self::Gap => None,
        }
    }
}

/// A record and the line of the file that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Located {
    /// The line, counted from 1.
    pub line: usize,
    /// The content of the line.
    pub record: Record,
}

/// A line, or a part of one, that is no part of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Remark {
    /// The line, counted from 1.
    pub line: usize,
    /// The reason.
    pub reason: Reason,
}

/// The reason why a line, or a part of one, is not part of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A blank line that belongs to the layout, not to the modem.
    Blank,
    /// A mark of the layout: a fence, a rule, an end mark, a header.
    Mark,
    /// Added by the publisher of the capture.
    Comment,
    /// Printed by the tool or the program that wrote the log.
    Tool,
    /// A place-holder such as `<hex>` or `TCP ERROR:xx`, which no module sent.
    Placeholder,
    /// The log omits something here.
    Elided,
    /// The second of two ways to type the same command.
    Alternative,
    /// Data of a connection, without the headers around them.
    BareData,
    /// A command or an answer in a line of a form that is not known. A replay reports the line as unexplained.
    UnknownForm,
    /// The file ends within this line, because the recorder lost its power. The part before the fault is a record.
    Cut,
}

/// The origin of a capture and its expectations. Required in our own format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The content of the capture.
    pub what: String,
    /// The origin: the recording device or program, or the document that it was written from.
    pub source: String,
    /// The expectations for a replay, one line each, at least one.
    pub expect: Vec<String>,
}

/// A capture as read from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capture {
    /// The layout of the content.
    pub layout: Layout,
    /// The encoding of the content.
    pub encoding: Encoding,
    /// The number of lines of the file.
    pub lines: usize,
    /// The header; only our own format has one.
    pub header: Option<Header>,
    /// The entries, in order.
    pub records: Vec<Located>,
    /// The lines, or parts of lines, that belong to the layout.
    pub remarks: Vec<Remark>,
}

impl Capture {
    /// The bytes of the modem, with all records joined.
    pub fn received(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for located in &self.records {
            if let Entry::FromModem(part) = &located.record.what {
                bytes.extend_from_slice(part);
            }
        }
        bytes
    }
}
