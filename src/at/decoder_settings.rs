//! The knowledge of the engine about the bytes that the decoder reads.

use super::decoder::Decoder;
use super::framing::Echo;
use super::header::{self, Scan};

impl Decoder {
    /// Sets whether commands are known not to be echoed. If so, an echo after data is a
    /// [`Fault::NoLineEnd`](super::Fault::NoLineEnd) as well. At first echoes are possible.
    pub fn echo_is_off(&mut self, off: bool) {
        self.echo = if off { Echo::Off } else { Echo::Possible };
    }

    /// Sets whether the `OK` of a late answer may come.
    pub(crate) fn answers_may_be_late(&mut self, may_be: bool) {
        self.data_ends.may_be_late(may_be);
    }

    /// Sets whether a line may be text of people, from a module that pushes no data.
    pub(crate) fn has_no_headers(&mut self, has_none: bool) {
        self.no_headers = has_none;
    }

    /// Checks whether the bytes since the last line end are a header.
    pub(super) fn scan(&self, start: &[u8]) -> Scan {
        if self.no_headers { Scan::NotHeader } else { header::scan(start) }
    }
}
