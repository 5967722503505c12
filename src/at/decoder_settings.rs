//! The knowledge of the engine about the bytes that the decoder reads.

use super::decoder::Decoder;
use super::decoder_state::ImpossibleTokens;
use super::framing::{Echo, Front, LineEnds};
use super::header::{self, Scan};

impl Decoder {
    /// Sets whether commands are known not to be echoed. If so, an echo after data is a
    /// [`Fault::NoLineEnd`](super::Fault::NoLineEnd) as well. At first echoes are possible.
    pub fn echo_is_off(&mut self, off: bool) {
        self.echo = if off { Echo::Off } else { Echo::Possible };
    }

    /// The echo of a payload came, which the decoder does not read. What follows does not follow data.
    pub(crate) fn echo_came(&mut self) {
        self.before = Front::LineEnd;
        self.line_ends = LineEnds::default();
    }

    /// True if neither a line nor data nor the line end before them has begun.
    pub(crate) fn is_between_frames(&self) -> bool {
        self.data_left() == 0 && self.partial_line().is_empty() && self.line_ends.is_between_frames()
    }

    /// True if a line end came after the data, and `begun` after that.
    pub(crate) fn has_after_data(&self, begun: &[u8]) -> bool {
        self.before == Front::LineEnd && self.partial_line() == begun
    }

    /// True if the unfinished line lacks only the LF of its line end.
    pub(crate) fn lacks_line_feed(&self) -> bool {
        self.line.ends_with(b"\r") && !self.partial_line().is_empty()
    }

    /// True if the data that came last end like an answer, and no line has followed them.
    pub(crate) fn ends_like_answer(&self) -> bool {
        self.tail.is_ok()
    }

    /// Sets whether the `OK` of a late answer may come.
    pub(crate) fn answers_may_be_late(&mut self, may_be: bool) {
        self.data_ends.may_be_late(may_be);
    }

    /// Sets which tokens can't come. A line that looks like such a header is text of people; what looks like such a
    /// prompt is a [`Fault::NoLineEnd`](super::Fault::NoLineEnd).
    pub(crate) fn can_not_come(&mut self, tokens: ImpossibleTokens) {
        self.impossible = tokens;
    }

    /// Checks whether the bytes since the last line end are a header.
    pub(super) fn scan(&self, start: &[u8]) -> Scan {
        if self.impossible.pushed { Scan::NotHeader } else { header::scan(start) }
    }
}
