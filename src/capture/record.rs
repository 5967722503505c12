//! The entries of a capture, and its header.

use crate::time::Timestamp;

use super::{Encoding, Layout};

/// One thing that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When it happened, since the start of the capture. Layouts that show no time give [`Timestamp::ZERO`].
    pub at: Timestamp,
    /// What happened.
    pub what: Entry,
}

/// An entry of a capture.
///
/// Bytes are kept apart from text: what went over the wire may be anything, what the application asked for and what
/// was noted is text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Bytes written to the modem.
    ToModem(Vec<u8>),
    /// Bytes read from the modem, echo included. One record is one read: it may end anywhere.
    FromModem(Vec<u8>),
    /// What the application asked the driver for.
    Request(String),
    /// A remark that belongs to this moment, such as "the SIM card was pulled out".
    Note(String),
    /// Nothing is known of what happened here: another excerpt begins, or the log leaves something out. What was
    /// in flight before is over, and a line that follows may answer a command that the capture does not show.
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
    /// What the line says.
    pub record: Record,
}

/// A line, or a part of one, that says nothing about the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Remark {
    /// The line, counted from 1.
    pub line: usize,
    /// Why it is not part of the exchange.
    pub reason: Reason,
}

/// The reason why a line, or a part of one, is not part of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A blank line that belongs to the layout, not to the modem.
    Blank,
    /// Marks the layout needs: a fence, a rule, an end mark, a header.
    Mark,
    /// Added by the publisher of the capture.
    Comment,
    /// Printed by the tool or the program that wrote the log.
    Tool,
    /// A place-holder such as `<hex>` or `TCP ERROR:xx`: no module sent this.
    Placeholder,
    /// Something was there, and the log leaves it out.
    Elided,
    /// The second of two ways to type the same command.
    Alternative,
    /// Data of a connection shown without the exchange around it: nothing frames it.
    BareData,
}

/// The origin of a capture and what it must show. Required in our own format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// What happens in it.
    pub what: String,
    /// Its origin: what it was recorded with, or the document that it was written from.
    pub source: String,
    /// What a replay must find; one line each, at least one.
    pub expect: Vec<String>,
}

/// A capture as read from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capture {
    /// The layout that the content was recognised as.
    pub layout: Layout,
    /// The encoding that the content was recognised as.
    pub encoding: Encoding,
    /// The number of lines of the file.
    pub lines: usize,
    /// Only our own format has one.
    pub header: Option<Header>,
    /// What happened, in order.
    pub records: Vec<Located>,
    /// The lines, or parts of lines, that the layout itself explains.
    pub remarks: Vec<Remark>,
}

impl Capture {
    /// The bytes that came from the modem, all records joined.
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
