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

impl LineEnd {
    /// Passes over what has come of it. Returns what is left of it, and whether a firmware may end headers so that has ended them
    /// as `habit` says. Where one does it otherwise once, none of its headers is doubted any more.
    pub(super) fn pass(self, input: &mut &[u8], habit: &mut Start) -> (Self, bool) {
        let len = input.len();
        let passed = pass_line_end(input, self);
        let end = match (self, passed) {
            (Self::Cr | Self::Lf, Self::NotOne) => Start::Bare,
            (Self::Cr | Self::Lf, Self::Done) if input.len() < len => Start::Framed,
            (Self::Cr | Self::Lf, Self::Done) => Start::Bare,
            (_, _) => return (passed, true),
        };
        let was = *habit;
        if was != Start::Bare {
            *habit = end;
        }
        (passed, (was, end) != (Start::Framed, Start::Bare))
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
