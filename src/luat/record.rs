//! The records of a trace.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use crate::capture::leveled;
use crate::time::Timestamp;

use super::Print;

/// The longest text of one record, in bytes: 64 KiB. Lines beyond it are dropped, and [`Record::cut`] is set, so that a
/// trace of one endless record uses no more memory than one line.
pub const MAX_RECORD: usize = 64 * 1024;

/// One print: one line, or several if the text contains line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Its lines in the file, counted from 1.
    pub lines: RangeInclusive<u64>,
    /// The time of its print, since the first stamp of the trace; `None` if its line has no stamp.
    pub at: Option<Timestamp>,
    /// Its printer.
    pub origin: Origin,
    /// The text: that after the tag of a script's print, otherwise the whole line. It may contain any bytes, with LF
    /// between lines.
    pub text: Vec<u8>,
    /// True if the record is longer than the part that is kept ([`MAX_RECORD`], [`MAX_LINE`](super::MAX_LINE)).
    pub cut: bool,
    /// True if a line other than the first has the form of a record.
    pub look_alike: bool,
}

/// The printer of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A script or one of its libraries: `[I]-[tag] text`.
    Script {
        /// The level.
        level: Level,
        /// The text in the second brackets; any bytes.
        tag: Vec<u8>,
    },
    /// The core, or another AT channel: a line without a tag. It may also be payload that a script printed, so it
    /// proves nothing.
    Core,
    /// The tool that wrote the trace: `工具提示: text` of Luatools.
    Tool,
}

/// The level of a script's print, as its letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// `T`
    Trace,
    /// `D`: hidden at the script's default level.
    Debug,
    /// `I`: the default.
    Info,
    /// `W`
    Warning,
    /// `E`
    Error,
    /// `F`
    Fatal,
}

impl Record {
    /// The print in the record, if it is from the socket, link or AT library (protocol section 18).
    pub fn print(&self) -> Option<Print> {
        match &self.origin {
            Origin::Script { tag, .. } => Print::parse(tag, &self.text),
            Origin::Core | Origin::Tool => None,
        }
    }

    /// The text for display: bytes that are not UTF-8 are replaced.
    pub fn words(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.text)
    }

    /// Adds a line that belongs to it.
    pub(super) fn extend(&mut self, number: u64, line: &[u8], cut: bool) {
        self.lines = *self.lines.start()..=number;
        self.cut |= cut;
        self.look_alike |= is_script(line);
        if self.text.len().saturating_add(line.len()) < MAX_RECORD {
            self.text.push(b'\n');
            self.text.extend_from_slice(line);
        } else {
            self.cut = true;
        }
    }
}

impl Origin {
    /// The printer of a line without its stamp, and the text after the printer's mark.
    pub(super) fn of(line: &[u8]) -> (Self, &[u8]) {
        if let Some((level, tag, text)) = script(line) {
            return (Self::Script { level, tag: tag.to_vec() }, text);
        }
        match tool(line) {
            Some(text) => (Self::Tool, text.trim_ascii_start()),
            None => (Self::Core, line),
        }
    }
}

impl Level {
    fn of(letter: u8) -> Option<Self> {
        Some(match letter {
            b'T' => Self::Trace,
            b'D' => Self::Debug,
            b'I' => Self::Info,
            b'W' => Self::Warning,
            b'E' => Self::Error,
            b'F' => Self::Fatal,
            _ => return None,
        })
    }
}

impl fmt::Display for Level {
    /// The letter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trace => "T",
            Self::Debug => "D",
            Self::Info => "I",
            Self::Warning => "W",
            Self::Error => "E",
            Self::Fatal => "F",
        })
    }
}

/// True if a line has the form of a script's print.
pub(super) fn is_script(line: &[u8]) -> bool {
    script(line).is_some()
}

/// Level, tag and text of a script's print. A blank or a tabulator ends the tag's bracket, so a tag may contain
/// brackets.
fn script(line: &[u8]) -> Option<(Level, &[u8], &[u8])> {
    let (letter, rest) = leveled(line)?;
    let level = Level::of(letter)?;
    let ends = |&at: &usize| matches!(rest.get(at.saturating_add(1)), None | Some(b' ' | b'\t'));
    let brackets = || rest.iter().enumerate().filter(|(_, byte)| **byte == b']').map(|(at, _)| at);
    let end = brackets().find(ends).or_else(|| brackets().next())?;
    let text = rest.get(end.saturating_add(1)..)?;
    let text = text.strip_prefix(b" ").or_else(|| text.strip_prefix(b"\t")).unwrap_or(text);
    Some((level, &rest[..end], text))
}

/// The text in a line of Luatools itself, in UTF-8 and in GBK.
fn tool(line: &[u8]) -> Option<&[u8]> {
    const GBK: &[u8] = b"\xb9\xa4\xbe\xdf\xcc\xe1\xca\xbe:";
    line.strip_prefix("工具提示:".as_bytes()).or_else(|| line.strip_prefix(GBK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_ends_at_a_bracket_with_a_blank_after_it() {
        let parts = |line: &'static str| {
            script(line.as_bytes()).map(|(level, tag, text)| (level, tag.to_vec(), text.to_vec()))
        };
        let is = |level, tag: &str, text: &str| Some((level, tag.into(), text.into()));
        assert_eq!(parts("[I]-[a b:] 1 x]"), is(Level::Info, "a b:", "1 x]"));
        assert_eq!(parts("[D]-[a[1]: b]\tx"), is(Level::Debug, "a[1]: b", "x"));
        assert_eq!(parts("[W]-[a]"), is(Level::Warning, "a", ""));
        assert_eq!(parts("[E]-[a]b]c"), is(Level::Error, "a", "b]c"));
        assert_eq!(parts("[F]-[]  two"), is(Level::Fatal, "", " two"));
        for line in ["[I]-[open", "[X]-[a] b", "[I]-a] b", " [I]-[a] b", "[I] -[a] b", ""] {
            assert_eq!(parts(line), None, "{line}");
        }
    }

    #[test]
    fn the_tool_is_known_in_both_encodings() {
        assert_eq!(Origin::of("工具提示: soc".as_bytes()), (Origin::Tool, &b"soc"[..]));
        assert_eq!(
            Origin::of(b"\xb9\xa4\xbe\xdf\xcc\xe1\xca\xbe: \xb4\xf2"),
            (Origin::Tool, &b"\xb4\xf2"[..])
        );
        assert_eq!(Origin::of(b"AT+CGSN"), (Origin::Core, &b"AT+CGSN"[..]));
    }

    #[test]
    fn a_record_stops_growing_at_its_limit() {
        let text = vec![b'x'; 10];
        let mut record =
            Record { lines: 1..=1, at: None, origin: Origin::Core, text, cut: false, look_alike: false };
        record.extend(2, &vec![b'y'; MAX_RECORD - 11], false);
        assert_eq!((record.text.len(), record.cut), (MAX_RECORD, false));
        record.extend(3, b"", false);
        assert_eq!((record.text.len(), record.cut, record.lines), (MAX_RECORD, true, 1..=3));
    }
}
