//! Entries for the log of a served modem.

use crate::sim::ModemEvent;

/// An entry for logs: bytes of the port, or an event inside the modem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogEntry<'a> {
    /// Bytes of the host.
    FromHost(&'a [u8]),
    /// Bytes of the modem.
    ToHost(&'a [u8]),
    /// An event inside the modem.
    Happened(&'a ModemEvent),
}
