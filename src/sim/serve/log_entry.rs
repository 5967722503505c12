//! Entries for the log of a modem that is served.

use crate::sim::Happening;

/// An entry for logs: bytes that passed, or a happening inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogEntry<'a> {
    /// The host wrote this.
    FromHost(&'a [u8]),
    /// The modem wrote this.
    ToHost(&'a [u8]),
    /// This went on inside.
    Happened(&'a Happening),
}
