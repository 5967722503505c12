//! The collector that readers of captures write into.

use crate::time::Timestamp;

#[cfg(feature = "import")]
use super::Entry;
use super::{Fault, Header, Located, Reason, Record, Remark};

/// One line of a file, without its line end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// Counted from 1.
    pub(super) number: usize,
    /// The text; any bytes but LF.
    pub(super) text: &'a [u8],
}

/// Collects records and remarks of the readers of layouts. The times of the records never decrease.
#[derive(Debug, Clone, Default)]
pub(super) struct Collector {
    pub(super) header: Option<Header>,
    pub(super) records: Vec<Located>,
    pub(super) remarks: Vec<Remark>,
    /// The time of the last record, or a later one for the next.
    at: Timestamp,
}

impl Collector {
    /// Adds a record without changes. One with an earlier time than the last one is refused.
    pub(super) fn record(&mut self, line: usize, record: Record) -> Result<(), Fault> {
        if record.at < self.at {
            return Err(Fault::TimeGoesBack);
        }
        self.at = record.at;
        self.records.push(Located { line, record });
        Ok(())
    }

    /// Remarks that the file ends within this line.
    pub(super) fn cut(&mut self, line: usize) {
        self.remarks.push(Remark { line, reason: Reason::Cut });
    }
}

/// A place in a file, as its collector knows it.
#[cfg(feature = "import")]
#[derive(Debug, Clone, Copy)]
pub(super) struct CollectorPlace {
    records: usize,
    remarks: usize,
    at: Timestamp,
}

/// The functions for foreign logs.
#[cfg(feature = "import")]
impl Collector {
    /// Sets the time of the next entries. It never decreases.
    pub(super) fn set_time(&mut self, at: Timestamp) {
        self.at = self.at.max(at);
    }

    /// The place of the next line.
    pub(super) fn place(&self) -> CollectorPlace {
        CollectorPlace { records: self.records.len(), remarks: self.remarks.len(), at: self.at }
    }

    /// Removes what was added after this place.
    pub(super) fn return_to(&mut self, place: CollectorPlace) {
        self.records.truncate(place.records);
        self.remarks.truncate(place.remarks);
        self.at = place.at;
    }

    /// Adds bytes that went to the modem.
    pub(super) fn sent(&mut self, line: usize, bytes: impl Into<Vec<u8>>) {
        self.entry(line, Entry::ToModem(bytes.into()));
    }

    /// Adds bytes to the last record, if it went to the modem, or as a record of their own.
    pub(super) fn sent_more(&mut self, line: usize, bytes: &[u8]) {
        match self.records.last_mut().map(|last| &mut last.record.what) {
            Some(Entry::ToModem(sent)) => sent.extend_from_slice(bytes),
            _ => self.sent(line, bytes),
        }
    }

    /// Takes this end from the last record, if it went to the modem.
    pub(super) fn sent_less(&mut self, end: &[u8]) {
        if let Some(Entry::ToModem(sent)) = self.records.last_mut().map(|last| &mut last.record.what)
            && sent.ends_with(end)
        {
            sent.truncate(sent.len().saturating_sub(end.len()));
        }
    }

    /// Adds bytes that came from the modem.
    pub(super) fn received(&mut self, line: usize, bytes: impl Into<Vec<u8>>) {
        self.entry(line, Entry::FromModem(bytes.into()));
    }

    /// Adds a line with the line end that the layout has removed.
    pub(super) fn line_received(&mut self, line: usize, text: &[u8]) {
        self.received(line, [text, b"\r\n"].concat());
    }

    /// Adds a gap: entries are missing here.
    pub(super) fn gap(&mut self, line: usize) {
        self.entry(line, Entry::Gap);
    }

    /// Adds a remark about a line that is part of the layout.
    pub(super) fn remark(&mut self, line: usize, reason: Reason) {
        self.remarks.push(Remark { line, reason });
    }

    fn entry(&mut self, line: usize, what: Entry) {
        self.records.push(Located { line, record: Record { at: self.at, what } });
    }
}
