//! The modes in which the line carries data instead of commands.

use crate::time::Timestamp;

/// The end of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// After this number of bytes.
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
    /// `AT+CIPATS`: the bytes so far are sent at this time.
    pub(super) sends_at: Option<Timestamp>,
    /// True if the command line ended with a carriage return only: a line feed that comes first belongs to the line,
    /// and not to the payload (manual, CIPSEND note 6).
    pub(super) takes_line_feed: bool,
    /// The number of bytes after which a fault breaks the link.
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

/// The state of transparent data.
#[derive(Debug)]
pub(super) struct Online {
    /// The time of the host's last write.
    pub(super) written_at: Timestamp,
    /// The number of held pluses, which may be an escape, and the time of the first.
    pub(super) pluses: usize,
    pub(super) first_plus_at: Timestamp,
    /// The bytes of an incomplete packet, and the time of its first byte.
    pub(super) packet: Vec<u8>,
    pub(super) begun_at: Timestamp,
}
