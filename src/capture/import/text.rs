//! Small tools for lines of published logs.

use super::super::Reason;
use super::super::escape::{escape_at, hex_byte};
use super::{Collector, Line};

/// Notes a line that stands around the exchange, not in it.
pub(super) fn outside(line: Line<'_>, out: &mut Collector) {
    let reason = if line.text.trim_ascii().is_empty() { Reason::Blank } else { Reason::Comment };
    out.remark(line.number, reason);
}

/// A line without the `//` remark that its publisher put behind it.
///
/// A remark begins the line or has a blank before it, so the two slashes of a URL are none.
pub(super) fn without_comment(text: &[u8]) -> (&[u8], bool) {
    let mut at = 0;
    while let Some(found) = find(&text[at..], b"//") {
        let place = at.saturating_add(found);
        if text[..place].last().is_none_or(|before| before.is_ascii_whitespace()) {
            return (text[..place].trim_ascii_end(), true);
        }
        at = place.saturating_add(2);
    }
    (text, false)
}

/// Whether a person wrote this: it has Chinese characters in it, which no line of these modems has.
pub(super) fn is_prose(text: &[u8]) -> bool {
    let is_chinese =
        |c: char| matches!(c, '\u{3000}'..='\u{303f}' | '\u{4e00}'..='\u{9fff}' | '\u{ff00}'..='\u{ff5e}');
    str::from_utf8(text).is_ok_and(|text| text.contains(is_chinese))
}

/// Whether a line is a command: `AT` alone, an extended command, or one letter and digits.
pub(super) fn is_command(text: &[u8]) -> bool {
    match text.strip_prefix(b"AT") {
        None => false,
        Some([]) => true,
        Some([b'+' | b'&' | b'*' | b'^', letter, ..]) => {
            letter.is_ascii_uppercase() || letter.is_ascii_lowercase()
        }
        Some([letter, rest @ ..]) => letter.is_ascii_uppercase() && rest.iter().all(u8::is_ascii_digit),
    }
}

/// The place of `wanted` in `text`.
pub(super) fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// The text before the first `wanted`, and the text behind it.
pub(super) fn split_at<'a>(text: &'a [u8], wanted: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (before, rest) = text.split_at_checked(find(text, wanted)?)?;
    Some((before, rest.strip_prefix(wanted)?))
}

/// The parts of a line that stand at least two blanks apart.
pub(super) fn cells(text: &[u8]) -> Vec<&[u8]> {
    let mut cells = Vec::new();
    let mut rest = text.trim_ascii();
    while let Some(end) = find(rest, b"  ") {
        cells.push(&rest[..end]);
        rest = rest[end..].trim_ascii_start();
    }
    if !rest.is_empty() {
        cells.push(rest);
    }
    cells
}

/// A text with the escapes of C or Python replaced by their bytes.
pub(super) fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, more)) = rest.split_first() {
        let (value, length) = match rest {
            [b'\\', b'0', ..] => (0, 2),
            [b'\\', quote @ (b'\'' | b'"'), ..] => (*quote, 2),
            [b'\\', ..] => escape_at(rest).unwrap_or((byte, 1)),
            _ => (byte, 1),
        };
        bytes.push(value);
        rest = more.get(length.saturating_sub(1)..).unwrap_or_default();
    }
    bytes
}

/// The bytes of a line of hexadecimal pairs with single blanks between them.
pub(super) fn hex_bytes(text: &[u8]) -> Option<Vec<u8>> {
    text.split(|&byte| byte == b' ').map(hex_byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slashes_of_a_url_are_no_comment() {
        assert_eq!(without_comment(b"AT+X=\"http://a/b\"  //why"), (&b"AT+X=\"http://a/b\""[..], true));
        assert_eq!(without_comment(b"http://a"), (&b"http://a"[..], false));
        assert_eq!(without_comment(b"// all of it"), (&b""[..], true));
    }

    #[test]
    fn only_what_looks_like_a_command_is_one() {
        for line in [
            "AT",
            "ATI",
            "ATE0",
            "AT&W",
            "AT&FZ",
            "AT+CSQ",
            "AT+IPR=115200;&W",
            "AT*SIMAUTO=1",
            "AT^tracectrl=0",
        ] {
            assert!(is_command(line.as_bytes()), "{line}");
        }
        for line in ["", "A", "at", "ATTENTION", "AT ", "AT+", "ATEL=1", "OK"] {
            assert!(!is_command(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn escapes_of_c_and_python_are_read_and_broken_ones_kept() {
        assert_eq!(unescaped(br"xx\0a\r\n\x1A\'\q\x1"), b"xx\0a\r\n\x1a'\\q\\x1");
        assert_eq!(unescaped(b"\\"), b"\\");
    }

    #[test]
    fn cells_stand_two_blanks_apart() {
        assert_eq!(cells(b"  a b   c  d "), [&b"a b"[..], b"c", b"d"]);
        assert!(cells(b"   ").is_empty());
    }
}
