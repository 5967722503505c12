//! The modes in which the line carries data instead of commands.

use crate::time::Timestamp;

/// The end of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// After this many bytes.
    Length(usize),
    /// At 0x1A.
    ControlZ,
}

/// A prompt is open.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) channel: usize,
    pub(super) end: End,
    pub(super) bytes: Vec<u8>,
    /// `AT+CIPATS`: what is there is sent at this moment.
    pub(super) sends_at: Option<Timestamp>,
    /// The command line ended with a carriage return alone: a line feed that comes first belongs to it, not to the
    /// payload (manual, CIPSEND note 6).
    pub(super) takes_line_feed: bool,
    /// A fault breaks the link when this many bytes have come.
    pub(super) breaks_after: Option<usize>,
}

/// A file is being written.
#[derive(Debug)]
pub(super) struct FileWrite {
    pub(super) name: String,
    /// 0: replace, 1: append.
    pub(super) append: bool,
    pub(super) length: usize,
    pub(super) bytes: Vec<u8>,
    pub(super) until: Timestamp,
}

/// The line is transparent.
#[derive(Debug)]
pub(super) struct Online {
    /// When the host wrote last.
    pub(super) written_at: Timestamp,
    /// Pluses that may be an escape, held back: how many, and when the first came.
    pub(super) pluses: usize,
    pub(super) first_plus_at: Timestamp,
    /// What is not sent yet, because the packet is not full, and when its first byte came.
    pub(super) packet: Vec<u8>,
    pub(super) begun_at: Timestamp,
}
