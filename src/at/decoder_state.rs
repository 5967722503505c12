//! The states of the decoder, and the line end between a header and its payload.

use super::framing::Start;

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum DecoderState {
    #[default]
    Text,
    /// The rest of a line of which the start was already reported as too long.
    Overlong,
    /// Raw bytes.
    Payload { left: usize, line_end: LineEnd, reader: Reader },
}

/// The destination of raw bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reader {
    Caller,
    /// They came for an impossible channel.
    Absent,
    /// The caller, which announced them: nothing is known of what stands behind them.
    Raw,
}

/// The one optional CR LF between a header and its payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LineEnd {
    /// CR may come.
    Cr,
    /// CR came; LF may come.
    Lf,
    /// CR came, but no LF behind it.
    NotOne,
    Done,
}

/// The way in which a firmware ends headers of pushed data, of those that are like the last one.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct HeaderEnds {
    habit: Start,
    /// Whether that was one of a single connection.
    is_single: bool,
}

impl HeaderEnds {
    /// A header has come.
    pub(super) fn header(&mut self, is_single: bool) {
        if std::mem::replace(&mut self.is_single, is_single) != is_single {
            self.habit = Start::Unknown;
        }
    }

    /// Behind damage, which may have been the loss of a line end.
    pub(super) fn start_over(&mut self) {
        if self.habit == Start::Bare {
            self.habit = Start::Unknown;
        }
    }
}

impl LineEnd {
    /// Passes over what has come of it. Returns what is left of it, and whether a firmware may end headers so that has ended them
    /// as its others say. Behind headers without a line end, CR LF is payload. Where one has a line end and another none, none is
    /// doubted any more.
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

/// Passes over what has come of the one CR LF between header and payload.
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
