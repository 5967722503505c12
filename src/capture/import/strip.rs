//! Removes from a line what a tool added: stamps, levels, names, and the mark of a side.

use std::borrow::Cow;

use super::marks::Marks;
use super::stamp::{Stamp, stamp};
use super::text::is_answer;

/// A line and the parts that a tool added to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct StrippedLine<'a> {
    pub(super) stamp: Option<Stamp>,
    /// The number of stamps in the line.
    pub(super) stamps: usize,
    /// The row of the mark that assigns the line to a side.
    pub(super) mark: Option<usize>,
    /// Whether the mark is a word in front of another mark: `modem: >> AT`.
    pub(super) leads: bool,
    /// Whether the line begins with a level or a group in brackets, as programs print them.
    pub(super) tagged: bool,
    /// The text after the mark. Without a mark, the text after the stamps at the start.
    pub(super) text: &'a [u8],
    /// The text after every part that can be removed.
    pub(super) core: &'a [u8],
}

/// The most parts that are removed from a line.
const MAX_LAYERS: usize = 10;

/// Removes the parts that a tool added, and at most `most` stamps. `wanted` selects the rows of the table that count
/// as marks.
pub(super) fn strip<'a>(
    line: &'a [u8],
    marks: &Marks,
    most: usize,
    wanted: impl Fn(usize) -> bool,
) -> StrippedLine<'a> {
    let mut stripped = StrippedLine {
        stamp: None,
        stamps: 0,
        mark: None,
        leads: false,
        tagged: false,
        text: line,
        core: line,
    };
    let mut named = false;
    for _ in 0..MAX_LAYERS {
        let rest = stripped.core.trim_ascii_start();
        if let Some((found, rest)) = stamp(rest).filter(|_| stripped.stamps < most) {
            stripped.stamp = stripped.stamp.or(Some(found));
            stripped.stamps = stripped.stamps.saturating_add(1);
            stripped.core = rest;
            if !stripped.tagged && !named {
                stripped.text = rest;
            }
        } else if let Some((row, after)) = mark(rest, marks, |row| {
            wanted(row) && !(marks.rows()[row].is_weak() && (stripped.tagged || named || tag(rest).is_some()))
        }) {
            let strong = |inner: usize| inner != row && wanted(inner) && !marks.rows()[inner].is_weak();
            let leads =
                !marks.rows()[row].is_arrow() && name(rest).is_some() && leads_to_mark(after, marks, strong);
            let rest = after;
            let rest = rest.strip_prefix(b" - ").or_else(|| rest.strip_prefix(b" ")).unwrap_or(rest);
            let rest = rest.strip_prefix(b"\t").unwrap_or(rest);
            let also = stamp(rest).filter(|_| stripped.stamps < most);
            let (also, rest) = also.map_or((None, rest), |(also, rest)| (Some(also), rest));
            stripped.stamp = stripped.stamp.or(also);
            stripped.stamps = stripped.stamps.saturating_add(usize::from(also.is_some()));
            return StrippedLine { mark: Some(row), leads, text: rest, core: rest, ..stripped };
        } else if let Some(rest) = tag(rest) {
            stripped.tagged = true;
            stripped.core = rest;
        } else if let Some(rest) = name(rest) {
            stripped.core = rest;
            named = true;
        } else {
            break;
        }
    }
    stripped
}

/// The mark at the start of a text.
fn mark<'a>(text: &'a [u8], marks: &Marks, wanted: impl Fn(usize) -> bool) -> Option<(usize, &'a [u8])> {
    marks.side(text, &wanted).filter(|_| !is_answer(text))
}

/// Whether a mark follows within a few parts.
fn leads_to_mark(text: &[u8], marks: &Marks, wanted: impl Fn(usize) -> bool) -> bool {
    let mut rest = text.trim_ascii_start();
    for _ in 0..4 {
        if marks.side(rest, &wanted).is_some() {
            return true;
        }
        let next = stamp(rest).map(|(_, rest)| rest).or_else(|| tag(rest)).or_else(|| name(rest));
        let Some(next) = next else { return false };
        rest = next.trim_ascii_start();
    }
    false
}

/// The text after a level or a group in brackets.
fn tag(text: &[u8]) -> Option<&[u8]> {
    const LEVELS: [&[u8]; 10] = [
        b"TRACE",
        b"DEBUG",
        b"INFO",
        b"NOTICE",
        b"WARN",
        b"WARNING",
        b"CRITICAL",
        b"FATAL",
        b"debug",
        b"info",
    ];
    let grouped = |close: u8| {
        let end = text.iter().take(48).position(|byte| *byte == close)?;
        let (inside, rest) = (text.get(1..end)?, text.get(end.checked_add(1)?..)?);
        let is_name = inside.iter().any(u8::is_ascii_alphabetic) && inside != b"OK";
        is_name.then(|| rest.strip_prefix(b"-").or_else(|| rest.strip_prefix(b":")).unwrap_or(rest))
    };
    match text {
        [b'[', ..] => grouped(b']'),
        [b'<', first, ..] if first.is_ascii_alphanumeric() => grouped(b'>'),
        [b'-' | b'|' | b':' | b',', b' ' | b'[', ..] => text.get(1..),
        // For example `I (1311) name: ` and `D/name: `.
        [b'E' | b'W' | b'I' | b'D' | b'V' | b'T', b' ', b'(', ..] => text.get(1..),
        [b'E' | b'W' | b'I' | b'D' | b'V', b'/', rest @ ..] => {
            let length = rest.iter().take(40).position(|byte| matches!(byte, b' ' | b':'))?;
            rest.get(length..).map(|rest| rest.strip_prefix(b":").unwrap_or(rest))
        }
        _ => {
            let level = LEVELS.iter().find_map(|level| text.strip_prefix(*level));
            let level =
                level.filter(|rest| matches!(rest.first(), Some(b' ' | b':' | b'|' | b'\t' | b']' | b'-')));
            level.map(|rest| rest.strip_prefix(b":").unwrap_or(rest))
        }
    }
}

/// The text after a name: `name: `, `name[123]: `, `module.name - `.
fn name(text: &[u8]) -> Option<&[u8]> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-/$".contains(byte);
    let length = text.iter().take(40).take_while(|byte| is_part(byte)).count();
    let (name, rest) = text.split_at_checked(length)?;
    if length < 2 || !name.first()?.is_ascii_alphabetic() {
        return None;
    }
    let rest = match rest {
        [b'[' | b'(', inside @ ..] => {
            let end = inside.iter().take(24).position(|byte| matches!(byte, b']' | b')'))?;
            inside.get(end.checked_add(1)?..)?
        }
        _ => rest,
    };
    rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b" - ")).filter(|rest| !rest.is_empty())
}

/// A line without the colours of a terminal, and without text that was erased there.
pub(super) fn without_colours(line: &[u8]) -> Cow<'_, [u8]> {
    if !line.contains(&0x1b) && !line.contains(&8) {
        return Cow::Borrowed(line);
    }
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((byte, more)) = rest.split_first() {
        if let Some(sequence) = rest.strip_prefix(b"\x1b[") {
            let length = sequence.iter().take(16).take_while(|byte| !byte.is_ascii_alphabetic()).count();
            if sequence.get(length).is_some_and(u8::is_ascii_alphabetic) {
                rest = sequence.get(length.saturating_add(1)..).unwrap_or_default();
                continue;
            }
        }
        // A character that was typed and erased.
        if let Some(more) = rest.strip_prefix(b"\x08 \x08").filter(|_| !plain.is_empty()) {
            plain.pop();
            rest = more;
            continue;
        }
        // The title of a window, which ends with a bell.
        if let Some(title) = rest.strip_prefix(b"\x1b]")
            && let Some(end) = title.iter().take(200).position(|byte| *byte == 7)
        {
            rest = title.get(end.saturating_add(1)..).unwrap_or_default();
            continue;
        }
        plain.push(*byte);
        rest = more;
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_up_to_the_mark_are_removed() {
        let marks = Marks::default();
        for (line, mark, text) in [
            ("I (1311) at_engine: RX:|RDY", "RX*|", "RDY"),
            ("[I]-[ril.sendat] AT", "[ril.sendat]", "AT"),
            ("[2020-06-24 23:19:17.161] [I]-[ril.proatc] OK", "[ril.proatc]", "OK"),
            ("[ASC][INFO] [TX] AT\\r\\n", "[TX*]", "AT\\r\\n"),
            ("[D/AT] sendline: 41 54", "sendline", "41 54"),
            ("\"5/9/2023 1:38:59 PM\",D (12507) esp-modem: Sending command:AT", "Sending command", "AT"),
            (
                "Oct 10 15:53:37 pi ModemManager[3]: <debug> [1.234567] [ttyUSB2] --> 'AT<CR>'",
                "-->",
                "'AT<CR>'",
            ),
            ("DEBUG:root:Write: b'AT'", "Write", "b'AT'"),
            ("[serial (WiFi)] TX: AT(\\r)(\\n)", "TX", "AT(\\r)(\\n)"),
            ("6/20/2012 10:00:24.552 [RX] - <CR><LF>OK", "[RX*]", "<CR><LF>OK"),
        ] {
            let stripped = strip(line.as_bytes(), &marks, usize::MAX, |_| true);
            let found = stripped.mark.map(|row| marks.rows()[row].text.as_str());
            assert_eq!((found, str::from_utf8(stripped.text).unwrap()), (Some(mark), text), "{line}");
        }
    }

    #[test]
    fn a_line_without_a_mark_keeps_its_words() {
        let marks = Marks::default();
        for line in ["STATE: IP STATUS", "+CREG: 0,1", "AT+CSQ", "OK", " ERROR", "C: 0,0", "ERROR"] {
            let stripped = strip(line.as_bytes(), &marks, usize::MAX, |_| true);
            assert_eq!((stripped.mark, str::from_utf8(stripped.text).unwrap()), (None, line));
        }
        assert_eq!(*without_colours(b"AT+CSW\x08 \x08Q\x08"), b"AT+CSQ\x08"[..]);
        assert_eq!(*without_colours(b"\x1b[0;32mI (1) x\x1b[0m\x1b"), b"I (1) x\x1b"[..]);
    }
}
