//! Notations of bytes in logs: hexadecimal, escapes, names of control characters, quotes.

use std::borrow::Cow;

use super::super::escape::{escape_at, hex_byte};
use super::text::{find, is_answer, is_command};

/// The names that tools give to bytes. Of two names that begin alike, the longer one stands first.
const NAMES: [(&str, u8); 27] = [
    ("<ctrl-z>", 0x1a),
    ("<ctrl+z>", 0x1a),
    ("<sub>", 0x1a),
    ("<esc>", 0x1b),
    ("<nul>", 0),
    ("<cr>", b'\r'),
    ("<lf>", b'\n'),
    ("<ln>", b'\n'),
    ("<tab>", b'\t'),
    ("<sp>", b' '),
    ("[cr]", b'\r'),
    ("[lf]", b'\n'),
    ("[sub]", 0x1a),
    ("{cr}", b'\r'),
    ("{lf}", b'\n'),
    ("(\\r)", b'\r'),
    ("(\\n)", b'\n'),
    ("(\\t)", b'\t'),
    ("␍", b'\r'),
    ("␊", b'\n'),
    ("␚", 0x1a),
    ("\\'", b'\''),
    ("\\\"", b'"'),
    ("\\e", 0x1b),
    ("^m", b'\r'),
    ("^j", b'\n'),
    ("^z", 0x1a),
];

/// The byte that a notation at the start of `text` stands for, and the length of the notation. `None` for a byte that
/// stands for itself.
fn named(text: &[u8]) -> Option<(u8, usize)> {
    if !matches!(text.first()?, b'<' | b'[' | b'{' | b'(' | b'\\' | b'^' | 0xe2) {
        return None;
    }
    let is_name =
        |name: &str| text.get(..name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name.as_bytes()));
    let name = NAMES.iter().find(|(name, _)| is_name(name));
    let named =
        name.map(|(name, byte)| (*byte, name.len())).or_else(|| escape_at(text)).or_else(|| octal(text));
    named.or_else(|| match text {
        [b'<', b'0', b'x' | b'X', high, low, b'>', ..] => Some((hex_byte(&[*high, *low])?, 6)),
        [b'<' | b'[', high, low, b'>' | b']', ..] => Some((hex_byte(&[*high, *low])?, 4)),
        [b'\\', b'u', b'0', b'0', high, low, ..] => Some((hex_byte(&[*high, *low])?, 6)),
        [b'(', digits @ ..] if digits.get(3) == Some(&b')') => Some((decimal(&digits[..3])?, 5)),
        _ => None,
    })
}

/// The control character that an escape of C with up to three octal digits names.
fn octal(text: &[u8]) -> Option<(u8, usize)> {
    let digits = text.strip_prefix(b"\\")?;
    let length = digits.iter().take(3).take_while(|digit| matches!(digit, b'0'..=b'7')).count();
    let value = u8::from_str_radix(str::from_utf8(&digits[..length]).ok()?, 8).ok()?;
    value.is_ascii_control().then_some((value, length.saturating_add(1)))
}

/// The text before a Ctrl-Z at its end, which may be a name or an escape. A word is one in brackets or in capitals.
pub(super) fn without_ctrl_z(text: &[u8]) -> Option<&[u8]> {
    const SHOWN: [&str; 12] = [
        "\x1a", "\\x1a", "\\u001a", "\\032", "\\32", "0x1a", "^z", "␚", "\u{2192}", "ctrl-z", "ctrl+z",
        "ctrl z",
    ];
    const BRACKETED: [&str; 8] = ["ctrl-z", "ctrl+z", "ctrl z", "sub", "1a", "0x1a", "26", "^z"];
    let text = if text.ends_with(b"\x1a") { text } else { text.trim_ascii_end() };
    let before = |name: &str| {
        let (before, end) = text.split_at_checked(text.len().checked_sub(name.len())?)?;
        end.eq_ignore_ascii_case(name.as_bytes()).then_some(before)
    };
    let bracketed = |name: &str| {
        let (inner, close) = text.split_last().map(|(last, inner)| (inner, last))?;
        let open = match close {
            b'>' => b'<',
            b')' => b'(',
            b']' => b'[',
            b'}' => b'{',
            _ => return None,
        };
        let (before, end) = inner.split_at_checked(inner.len().checked_sub(name.len())?)?;
        before.strip_suffix(&[open]).filter(|_| end.eq_ignore_ascii_case(name.as_bytes()))
    };
    BRACKETED.into_iter().find_map(bracketed).or_else(|| SHOWN.into_iter().find_map(before))
}

/// The single byte at the end of a line, and the text in front of it: `0x41 (A)`, `41`, `A`, `\\r`, `' '`.
pub(super) fn single(text: &[u8]) -> Option<(&[u8], u8)> {
    let text = text.trim_ascii_end();
    let text = text.strip_suffix(b",,").or_else(|| text.strip_suffix(b",")).unwrap_or(text);
    let remark = text.strip_suffix(b")").and_then(|text| {
        let from = text.len().saturating_sub(6);
        find(&text[from..], b" (").map(|at| &text[..from.saturating_add(at)])
    });
    let text = remark.unwrap_or(text);
    let (front, value) = match text {
        [front @ .., quote @ (b'\'' | b'"'), byte, end] if quote == end => {
            (front, std::slice::from_ref(byte))
        }
        _ => {
            let at =
                text.iter().rposition(|byte| matches!(byte, b' ' | b',' | b';' | b'\t'))?.checked_add(1)?;
            text.split_at(at)
        }
    };
    let byte = match value {
        [byte] => *byte,
        b"COMMA" => b',',
        [b'0', b'x', high, low] | [high, low] if hex_byte(&[*high, *low]).is_some() => {
            hex_byte(&[*high, *low])?
        }
        _ => named(value).filter(|(_, length)| *length == value.len())?.0,
    };
    (!front.is_empty()).then_some((front, byte))
}

/// Whether a text ends where a list of strings begins.
pub(super) fn is_list(front: &[u8]) -> bool {
    [&b"['"[..], b"[b'", b"[\"", b"[b\""].into_iter().any(|open| front.ends_with(open))
}

/// The strings of a list, `'+CSQ: 20,0', 'OK'`, joined, each with a line end.
pub(super) fn unlisted<'a>(front: &[u8], text: &'a [u8]) -> Cow<'a, [u8]> {
    let Some(quote) = front.last().filter(|_| is_list(front)) else { return Cow::Borrowed(text) };
    let mut joined = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find(rest, &[*quote, b',', b' ']) {
        let (string, more) = rest.split_at(at);
        let next = more.get(3..).unwrap_or_default();
        let next = next.strip_prefix(b"b").unwrap_or(next);
        let Some(next) = next.strip_prefix(&[*quote]) else { break };
        joined.extend_from_slice(string);
        // An echo ends with CR alone.
        match ends_spelled(string) {
            true if string.ends_with(b"\\r") => joined.extend_from_slice(b"\\n"),
            true => {}
            false => joined.extend_from_slice(b"\\r\\n"),
        }
        rest = next;
    }
    joined.extend_from_slice(rest);
    Cow::Owned(joined)
}

/// The control character that three decimal digits name: `013`.
fn decimal(digits: &[u8]) -> Option<u8> {
    let value: u8 = str::from_utf8(digits).ok()?.parse().ok()?;
    digits.iter().all(u8::is_ascii_digit).then_some(value).filter(u8::is_ascii_control)
}

/// The bytes of a text in which bytes may be escaped or named. A number in brackets, `(013)`, is a byte only in a text
/// that begins or ends with such a line end.
pub(super) fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    let has_decimals = text.starts_with(b"(013)") || text.ends_with(b"(013)") || text.ends_with(b"(010)");
    let is_other = |rest: &[u8]| has_decimals || !rest.get(1).is_some_and(u8::is_ascii_digit);
    while let Some((&byte, _)) = rest.split_first() {
        let found = named(rest).filter(|_| byte != b'(' || is_other(rest));
        let (value, length) = found.unwrap_or((byte, 1));
        bytes.push(value);
        rest = rest.get(length..).unwrap_or_default();
    }
    // A command or an answer escaped twice: a program's string within a string of the log.
    let is_shown = bytes.len() < text.len() && !bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    if is_shown && is_spelled(&bytes) {
        let twice = unescaped(&bytes);
        let mut lines = twice.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty());
        let is_wire = |line: &[u8]| is_command(line) || is_answer(line) || line.trim_ascii() == b">";
        if lines.next().is_some_and(is_wire) {
            return twice;
        }
    }
    bytes
}

/// Whether a text ends or begins with an escaped line end.
pub(super) fn is_spelled(text: &[u8]) -> bool {
    let starts = named(text).is_some_and(|(byte, length)| {
        matches!(byte, b'\r' | b'\n') && length > 2 || text.starts_with(b"\\r\\")
    });
    starts || ends_spelled(text)
}

/// Whether a text ends with an escaped line end.
pub(super) fn ends_spelled(text: &[u8]) -> bool {
    (2..=8).filter_map(|length| text.get(text.len().checked_sub(length)?..)).any(|end| {
        named(end).is_some_and(|(byte, length)| length == end.len() && matches!(byte, b'\r' | b'\n'))
    })
}

/// The text between quotes, if it is quoted from end to end: `b'AT\r\n'`, `"AT"`, `"b'OK'"`.
pub(super) fn unquoted(text: &[u8]) -> Option<&[u8]> {
    for (open, close) in [("“", "”"), ("「", "」"), ("‘", "’")] {
        let inner = text.trim_ascii().strip_prefix(open.as_bytes());
        if let Some(inner) = inner.and_then(|inner| inner.strip_suffix(close.as_bytes())) {
            return Some(inner);
        }
    }
    match text.trim_ascii() {
        [b'"', b'b', b'\'', inner @ .., b'\'', b'"']
        | [b'b', b'"', inner @ .., b'"']
        | [b'b', b'\'', inner @ .., b'\'']
        | [b'"', inner @ .., b'"']
        | [b'\'', inner @ .., b'\''] => Some(inner),
        _ => None,
    }
}

/// The bytes of a line of a hexadecimal dump: pairs of digits, perhaps with an offset before them and the same
/// bytes as text after them.
pub(super) fn dump(text: &[u8]) -> Option<Vec<u8>> {
    if let Some(bytes) = interleaved(text.trim_ascii_start()) {
        return Some(bytes);
    }
    let (text, has_offset) = after_offset(text.trim_ascii());
    let mut bytes = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(rest.len());
        let digits = rest[..length].strip_prefix(b"0x").unwrap_or(&rest[..length]);
        let digits = digits.strip_suffix(b",").unwrap_or(digits);
        let wide = has_offset && matches!(digits.len(), 4 | 8);
        if !(digits.len() == 2 || wide) || !digits.iter().all(u8::is_ascii_hexdigit) {
            // Two blanks or a tab separate the text from the pairs.
            let before = &text[..text.len().saturating_sub(rest.len())];
            let is_apart = before.ends_with(b"  ") || before.ends_with(b"\t");
            let is_its = is_apart && is_reading(rest, bytes.len()) || reads(rest, &bytes);
            return is_its.then_some(bytes);
        }
        bytes.extend(digits.chunks(2).filter_map(hex_byte));
        let more = rest.get(length..).unwrap_or_default();
        rest = more.trim_ascii_start();
        let blanks = more.len().saturating_sub(rest.len());
        // Dumps leave a wider gap after eight pairs.
        if blanks > 2 || blanks == 2 && (!bytes.len().is_multiple_of(8) || wide) {
            return is_reading(rest, bytes.len()).then_some(bytes);
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

/// The bytes of `41A|54T|0D `, in which each pair is followed by the byte as text.
fn interleaved(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    loop {
        let byte = hex_byte(rest.get(..2)?)?;
        let is_read = |shown: &u8| *shown == byte || *shown == b' ' && !byte.is_ascii_graphic();
        bytes.push(byte);
        match rest.get(2..)? {
            [shown, b'|', more @ ..] if is_read(shown) => rest = more,
            [shown, more @ ..]
                if is_read(shown) && bytes.len() > 1 && is_reading(more.trim_ascii(), bytes.len()) =>
            {
                return Some(bytes);
            }
            _ => return None,
        }
    }
}

/// Whether a text can be this number of bytes as text: a character or a name like `<CR>` for each byte, a gap in the
/// middle, and a frame. The test refuses lines like `10   0.200000 ..`, whose first number is no dump of one byte.
fn is_reading(text: &[u8], bytes: usize) -> bool {
    const NAME: usize = 4;
    const FRAME: usize = 4;
    String::from_utf8_lossy(text).chars().count() <= bytes.saturating_mul(NAME).saturating_add(FRAME)
}

/// Whether a line of a dump begins with an offset other than zero.
pub(super) fn has_offset(text: &[u8]) -> bool {
    let digits = text.trim_ascii_start();
    after_offset(digits).1
        && digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).any(|byte| *byte != b'0')
}

/// Whether a text shows exactly these bytes, with or without a frame.
fn reads(text: &[u8], bytes: &[u8]) -> bool {
    let text = text.strip_prefix(b"|").unwrap_or(text);
    let text = if text.len() > bytes.len() { text.strip_suffix(b"|").unwrap_or(text) } else { text };
    let is_shown = |(shown, byte): (&u8, &u8)| shown == byte || !byte.is_ascii_graphic();
    bytes.len() > 1 && text.len() == bytes.len() && text.iter().zip(bytes).all(is_shown)
}

/// The text after an offset, `00000010`, `0000-0020:` or `0x3ffb7c94`, and whether there is an offset.
fn after_offset(text: &[u8]) -> (&[u8], bool) {
    let end = text.iter().take(20).position(|byte| matches!(byte, b' ' | b':')).unwrap_or(text.len());
    let (offset, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
    let digits = offset.strip_prefix(b"0x").unwrap_or(offset);
    let is_offset = digits.len() >= 4 && digits.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    match rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"  ")) {
        Some(rest) if is_offset => (rest.trim_ascii_start(), true),
        _ => (text, false),
    }
}

/// The bytes of a text that consists of hexadecimal pairs, with blanks, hyphens, colons or nothing in between.
pub(super) fn pairs(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    if text.len() < 2 {
        return None;
    }
    let joined: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b' ' | b'-' | b':')).collect();
    let spaced = text.len() > 2 && joined.len() < text.len();
    let groups = || text.split(|byte| matches!(byte, b' ' | b'-' | b':')).map(<[u8]>::len);
    let width = groups().next().filter(|width| matches!(width, 2 | 4 | 8));
    let last = groups().next_back();
    // The last group may be shorter than the others.
    let is_even =
        groups().all(|group| Some(group) == width || Some(group) == last && group < width.unwrap_or(0));
    if !joined.len().is_multiple_of(2) || spaced && !is_even {
        return None;
    }
    joined.chunks(2).map(hex_byte).collect()
}

/// The text from the first quote to the next quote without a backslash in front.
pub(super) fn quoted(line: &[u8]) -> Option<&[u8]> {
    let start = find(line, b"\"")?;
    let rest = line.get(start.checked_add(1)?..)?;
    let end = (0..rest.len()).find(|&at| rest[at] == b'"' && rest[..at].last() != Some(&b'\\'))?;
    Some(&rest[..end])
}

/// Whether a tool shows the Ctrl-Z that it sent as a byte.
pub(super) fn is_ctrl_z_in_hex(text: &[u8]) -> bool {
    text.trim_ascii().eq_ignore_ascii_case(b"1A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_bytes_are_read_and_broken_escapes_are_kept() {
        for (text, bytes) in [
            (r"xx\0a\r\n\x1A\'\q\x1", &b"xx\0a\r\n\x1a'\\q\\x1"[..]),
            ("AT<CR><LF>", b"AT\r\n"),
            (r"OK(\r)(\n)", b"OK\r\n"),
            ("hi<CTRL-Z>", b"hi\x1a"),
            ("<1A>", b"\x1a"),
            ("<0x0D>", b"\r"),
            (r"a\u000d\", b"a\r\\"),
            ("OK␍␊", b"OK\r\n"),
            ("{\\\"a\\\":1}", b"{\"a\":1}"),
            ("(013)(010)OK(013)(010)", b"\r\nOK\r\n"),
            ("call (010) 5(013)5", b"call (010) 5(013)5"),
        ] {
            assert_eq!(unescaped(text.as_bytes()), bytes, "{text}");
        }
        assert!(ends_spelled(b"OK\\r\\n") && ends_spelled(b"OK<LF>") && !ends_spelled(b"OK"));
        assert!(is_spelled(b"\\r\\n> ") && !is_spelled(b"> "));
        assert_eq!(unquoted(b"\"b'OK\\r'\""), Some(&b"OK\\r"[..]));
    }

    #[test]
    fn dumps_of_many_tools_are_read() {
        for (text, bytes) in [
            ("0D 0A 52 44    <CR><LF>RD", &b"\r\nRD"[..]),
            ("45 0D 0A  E", b"E\r\n"),
            ("0000-0020: 30 2C 43 4C 4F 53 45 44  0D 0A      0,CLOSED..", b"0,CLOSED\r\n"),
            ("00000000  41 54 0d 0d 0a 4f 4b 0d  0a                       |AT...OK..|", b"AT\r\r\nOK\r\n"),
            ("00000000: 4154 2b43 5351 0d0a                      AT+CSQ..", b"AT+CSQ\r\n"),
            ("0x41 0x54 0x0D", b"AT\r"),
            ("41A|54T|0D                          AT.      ", b"AT\r"),
            ("0D |0A |4FO|4BK|0D |0A          ..OK..     ", b"\r\nOK\r\n"),
        ] {
            assert_eq!(dump(text.as_bytes()).as_deref(), Some(bytes), "{text}");
        }
        for text in ["AT+CSQ", "OK", "be quick", "10.1.2.3", ""] {
            assert_eq!(dump(text.as_bytes()), None, "{text}");
        }
        assert_eq!(pairs(b"41540D0A").as_deref(), Some(&b"AT\r\n"[..]));
        assert_eq!(pairs(b"41-54").as_deref(), Some(&b"AT"[..]));
        assert_eq!(pairs(b"AT"), None);
        assert_eq!(pairs(b"4 154"), None);
    }
}
