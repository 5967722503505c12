//! The states of the decoder, the tokens that can't come, and the line end between a header and its payload.

use super::framing::Start;
use super::header::RawHeader;

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum DecoderState {
    #[default]
    Text,
    /// The rest of a line that was already reported as too long.
    Overlong,
    /// Raw bytes.
    Payload { left: usize, line_end: LineEnd, reader: Reader },
}

/// The destination of raw bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reader {
    Caller,
    /// No channel: the header named an impossible one.
    Absent,
    /// The caller, which announced them itself. The bytes after them are unknown.
    Raw,
}

/// The one optional CR LF between a header and its payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LineEnd {
    /// CR may follow.
    Cr,
    /// CR has come; LF may follow.
    Lf,
    /// CR came, but no LF after it.
    NotOne,
    Done,
}

/// The line ends after headers of pushed data, of the same kind as the last one.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct HeaderEnds {
    habit: Start,
    /// True if the last one was a header of a single connection.
    is_single: bool,
}

impl HeaderEnds {
    /// A header has come.
    pub(super) fn header(&mut self, is_single: bool) {
        if std::mem::replace(&mut self.is_single, is_single) != is_single {
            self.habit = Start::Unknown;
        }
    }

    /// Starts again after damage, which may have been the loss of a line end.
    pub(super) fn start_over(&mut self) {
        if self.habit == Start::Bare {
            self.habit = Start::Unknown;
        }
    }
}

impl LineEnd {
    /// Skips the part of the line end that has come. Returns the part that is left, and false if the header lacks the
    /// line end that earlier headers had. If the firmware writes no line end after headers, CR LF is payload. If it
    /// writes one after some headers only, no header is doubted any more.
    pub(super) fn pass(self, input: &mut &[u8], ends: &mut HeaderEnds) -> (Self, bool) {
        let habit = &mut ends.habit;
        if self == Self::Cr && *habit == Start::Bare {
            return (Self::Done, true);
        }
        let len = input.len();
        let passed = pass_line_end(input, self);
        let end = match (self, passed) {
            (Self::Cr | Self::Lf, Self::NotOne) => Start::Bare,
            (Self::Cr | Self::Lf, Self::Done) if input.len() < len => Start::Framed,
            (Self::Cr | Self::Lf, Self::Done) => Start::Bare,
            (_, _) => return (passed, true),
        };
        let was = *habit;
        *habit = match (was, end) {
            (Start::Unknown, end) => end,
            (Start::Framed, Start::Bare) => Start::Doubtful,
            (known, _) => known,
        };
        (passed, (was, *habit) != (Start::Framed, Start::Doubtful))
    }
}

/// Skips the part that has come of the CR LF between header and payload.
fn pass_line_end(input: &mut &[u8], mut line_end: LineEnd) -> LineEnd {
    loop {
        line_end = match (line_end, input.first()) {
            (LineEnd::Cr, Some(b'\r')) => LineEnd::Lf,
            (LineEnd::Lf, Some(b'\n')) => LineEnd::Done,
            (LineEnd::Cr | LineEnd::Lf, None) => return line_end,
            (LineEnd::Lf, Some(_)) => return LineEnd::NotOne,
            (LineEnd::Cr, Some(_)) | (LineEnd::NotOne | LineEnd::Done, _) => return LineEnd::Done,
        };
        *input = &input[1..];
    }
}

/// The headers and prompts that can't come at the moment.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct ImpossibleTokens {
    /// The module pushes no data.
    pub(crate) pushed: bool,
    /// No fetch is in flight, and none is late.
    pub(crate) fetched: bool,
    /// Prompts of this firmware have a blank after them, and no command waits for one of another form.
    pub(crate) prompt_without_blank: bool,
    /// Prompts are switched off. If a prompt comes nevertheless, a line end stands before it.
    pub(crate) prompt_after_data: bool,
}

impl ImpossibleTokens {
    /// True if a line is a prompt that lacks its blank: the rest of data that lack their header.
    pub(super) fn contain_prompt(self, raw: &[u8]) -> bool {
        self.prompt_without_blank && raw.trim_ascii() == b">" && !raw.contains(&b' ')
    }

    pub(super) fn contain(self, header: RawHeader) -> bool {
        if header.is_pushed() { self.pushed } else { self.fetched && header.fetched_channel().is_some() }
    }
}
