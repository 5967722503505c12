//! The line ends before the lines of a firmware, as the decoder learns them.

use nom::IResult;
use nom::bytes::streaming::take_until;

/// The bytes up to the next LF, and before them the rest of the input.
pub(super) fn line_end(input: &[u8]) -> IResult<&[u8], &[u8]> {
    take_until("\n")(input)
}

/// The bytes in front of a line.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum Front {
    /// A line end of its own, or bytes that allow no conclusion.
    #[default]
    LineEnd,
    /// The end of the line before.
    Line,
    /// Data, directly.
    Data,
    /// Data and a CR.
    DataCr,
}

impl Front {
    /// The bytes before the next line when this line is taken. A prompt that no command waits for has no line end of
    /// its own: the line end after it belongs to the next frame.
    pub(super) fn after(self, line: &[u8]) -> Self {
        if line == b">" { Self::LineEnd } else { self }
    }

    /// The bytes before the line that follows this one of a text (without its LF). An empty line may be the line end of
    /// the next frame.
    pub(super) fn after_text(raw: &[u8]) -> Self {
        if raw == b"\r" { Self::LineEnd } else { Self::Line }
    }
}

/// The way in which the firmware begins its headers, or its prompts.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum Start {
    #[default]
    Unknown,
    /// With a line end.
    Framed,
    /// Without a line end, but seen after data only: the header or prompt may have been the end of these data.
    Doubtful,
    /// Without a line end.
    Bare,
}

impl Start {
    /// The way in which prompts begin, as shown by a prompt with these bytes before it.
    pub(super) fn shown_by(self, before: Front) -> Self {
        match (self, before) {
            (Self::Unknown | Self::Doubtful, Front::LineEnd) => Self::Framed,
            (Self::Unknown | Self::Doubtful, Front::Line) => Self::Bare,
            (Self::Unknown, Front::Data | Front::DataCr) => Self::Doubtful,
            (known, _) => known,
        }
    }

    /// The way in which headers begin, as shown by a header. A loose header has no line end of its own before it.
    pub(super) fn shown_by_header(self, is_loose: bool) -> Self {
        match (self, is_loose) {
            (_, false) => Self::Framed,
            (Self::Unknown, true) => Self::Bare,
            (known, true) => known,
        }
    }

    /// True if a prompt may follow data directly. If data were cut short, the line end of the prompt may have been
    /// counted as their last bytes.
    pub(super) fn may_be_bare(self, data: Tail) -> bool {
        match self {
            Self::Unknown => !data.is_line_end(),
            Self::Framed => false,
            Self::Doubtful | Self::Bare => true,
        }
    }
}

/// The last bytes of data, until the next line.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Tail([u8; Self::LEN]);

impl Tail {
    /// The longest result of a send, with its line ends.
    const LEN: usize = 32;

    /// More data have come.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let last = &bytes[bytes.len().saturating_sub(Self::LEN)..];
        self.0.rotate_left(last.len());
        let (_, end) = self.0.split_at_mut(Self::LEN.saturating_sub(last.len()));
        end.copy_from_slice(last);
    }

    /// True if they end with a line end.
    pub(super) fn is_line_end(self) -> bool {
        self.0.ends_with(b"\r\n")
    }

    /// True if they end with a prompt.
    pub(super) fn is_prompt(self) -> bool {
        self.0.ends_with(b"\r\n> ")
    }

    /// True if they end with `OK`, with or without its line end.
    pub(super) fn is_ok(self) -> bool {
        self.0.trim_ascii_end().ends_with(b"\r\nOK")
    }

    /// The bytes after the last line end in them.
    pub(super) fn line(&self) -> Option<&[u8]> {
        let end = self.0.windows(2).rposition(|pair| pair == b"\r\n")?;
        self.0.get(end..)?.strip_prefix(b"\r\n")
    }
}

/// The knowledge whether commands may be echoed.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum Echo {
    #[default]
    Possible,
    Off,
}

/// The line ends outside payload. Each should be CR LF.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct LineEnds {
    /// The last byte was CR, and its LF has not come.
    has_cr: bool,
    /// This CR ends a line that was taken without its LF.
    ends_part: bool,
    /// At least one line end was not CR LF.
    is_odd: bool,
    /// An odd line end since the last line or data was reported.
    is_reported: bool,
    /// A blank has come since the last line end, and no text.
    has_blank: bool,
    /// The number of line ends since the last line or data.
    count: u8,
    /// The number of line ends before the last line.
    passed: u8,
}

impl LineEnds {
    /// Takes blanks between lines. Returns true if CR LF is among them.
    pub(super) fn blanks(&mut self, blanks: &[u8]) -> bool {
        let mut has_line_end = false;
        self.ends_part &= blanks.is_empty();
        for byte in blanks {
            let had_cr = std::mem::replace(&mut self.has_cr, *byte == b'\r');
            self.is_odd |= had_cr != (*byte == b'\n');
            // No module writes a line of blanks. Blanks after a prompt belong to it.
            self.is_odd |= *byte == b'\r' && std::mem::take(&mut self.has_blank);
            self.has_blank |= matches!(byte, b' ' | b'\t') && self.count > 0;
            if *byte == b'\n' {
                has_line_end |= had_cr;
                self.count = self.count.saturating_add(1);
            }
        }
        has_line_end
    }

    /// Text begins.
    pub(super) fn text(&mut self) {
        self.has_blank = false;
        self.is_odd |= std::mem::take(&mut self.has_cr);
    }

    /// A line, without its LF.
    pub(super) fn line(&mut self, line: &[u8]) {
        self.is_reported = false;
        self.is_odd |= line.iter().position(|byte| *byte == b'\r') != line.len().checked_sub(1);
        self.has_cr = false;
        self.passed = std::mem::take(&mut self.count);
    }

    /// A line that is taken without its LF.
    pub(super) fn part(&mut self, line: &[u8]) {
        self.has_cr = line.ends_with(b"\r");
        self.ends_part = self.has_cr;
        self.passed = std::mem::take(&mut self.count);
    }

    /// Data have come, or a token that can't be a line.
    pub(super) fn data(&mut self) {
        *self = Self { is_odd: self.is_odd, ..Self::default() };
    }

    /// The number of line ends since the last line or data.
    pub(super) fn count(self) -> u8 {
        self.count
    }

    /// The number of line ends before the last line.
    pub(super) fn passed(self) -> u8 {
        self.passed
    }

    /// True if the LF of a CR has not come.
    pub(super) fn awaits_line_feed(self) -> bool {
        self.has_cr
    }

    /// True if no line end has come since the last line or data, not even its CR.
    pub(super) fn is_between_frames(self) -> bool {
        self.count == 0 && !self.has_cr
    }

    /// True if this CR is the first byte of a frame.
    pub(super) fn begins_frame(self) -> bool {
        self.has_cr && !self.ends_part
    }

    /// True if a line end was odd; only once for those between two lines.
    pub(super) fn take_odd(&mut self) -> bool {
        let is_news = std::mem::take(&mut self.is_odd) && !self.is_reported;
        self.is_reported |= is_news;
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_end_is_cr_lf_and_nothing_else() {
        for (blanks, has_end, is_odd) in [
            (&b"\r\n"[..], true, false),
            (b"\r\n\r\n ", true, false),
            (b" ", false, false),
            (b"\n", false, true),
            (b"\r\r\n", true, true),
            (b"\n\r\n", true, true),
            (b"\r\n \r\n", true, true),
            (b"\r\n\0\r\n", true, false),
        ] {
            let mut ends = LineEnds::default();
            assert_eq!(ends.blanks(blanks), has_end, "{}", blanks.escape_ascii());
            ends.text();
            assert_eq!(ends.take_odd(), is_odd, "{}", blanks.escape_ascii());
            assert!(!ends.take_odd());
        }
    }

    #[test]
    fn a_line_ends_with_its_only_cr() {
        for (line, is_odd) in [(&b"OK\r"[..], false), (b"OK", true), (b"O\rK\r", true)] {
            let mut ends = LineEnds::default();
            ends.line(line);
            assert_eq!(ends.take_odd(), is_odd, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn the_line_feed_of_a_line_that_was_taken_without_it_may_still_come() {
        let mut ends = LineEnds::default();
        ends.part(b"OK\r");
        assert!(ends.awaits_line_feed());
        ends.blanks(b"\n\r\n");
        ends.text();
        assert!(!ends.take_odd() && !ends.awaits_line_feed());
    }

    #[test]
    fn a_cr_begins_a_frame_unless_it_ends_a_line_that_was_taken_without_its_lf() {
        let mut ends = LineEnds::default();
        assert!(!ends.begins_frame());
        ends.blanks(b"\r");
        assert!(ends.begins_frame());
        ends.part(b"OK\r");
        assert!(!ends.begins_frame());
        ends.blanks(b"");
        assert!(!ends.begins_frame(), "nothing has come");
        ends.blanks(b"\n\r");
        assert!(ends.begins_frame());
    }
}
