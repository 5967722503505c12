//! The escaping of bytes as printable text, and its reverse.

use super::Fault;

/// Appends `bytes` to `line` as printable ASCII, which [`unescape`] converts back to the same bytes.
///
/// Printable ASCII is not changed, except the backslash and a blank at the end. An editor that trims lines would remove
/// this blank, which is half of the prompt `> `.
pub(super) fn escape(bytes: &[u8], line: &mut Vec<u8>) {
    let Some((&last, rest)) = bytes.split_last() else {
        return;
    };
    for &byte in rest {
        escape_byte(byte, line);
    }
    if last == b' ' {
        line.extend_from_slice(b"\\x20");
    } else {
        escape_byte(last, line);
    }
}

/// The bytes of the escaped `text`. `column` is the position of `text` in its line, counted from 1.
pub(super) fn unescape(text: &[u8], column: usize) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let here = column.saturating_add(at);
        match byte {
            b'\\' => {
                let (value, length) = escape_at(&text[at..]).ok_or(Fault::BadEscape { column: here })?;
                bytes.push(value);
                at = at.saturating_add(length);
            }
            b' '..=b'~' => {
                bytes.push(byte);
                at = at.saturating_add(1);
            }
            _ => return Err(Fault::Unescaped { column: here }),
        }
    }
    Ok(bytes)
}

/// The byte of the escape at the start of `text`, and the length of the escape. `None` if there is no escape of this
/// format.
pub(super) fn escape_at(text: &[u8]) -> Option<(u8, usize)> {
    let value = match text.strip_prefix(b"\\")?.first()? {
        b'r' => b'\r',
        b'n' => b'\n',
        b't' => b'\t',
        b'\\' => b'\\',
        b'x' => return Some((hex_byte(text.get(2..4)?)?, 4)),
        _ => return None,
    };
    Some((value, 2))
}

/// The byte of two hexadecimal digits of either case.
pub(super) fn hex_byte(digits: &[u8]) -> Option<u8> {
    let &[high, low] = digits else { return None };
    let high = char::from(high).to_digit(16)?;
    let low = char::from(low).to_digit(16)?;
    u8::try_from(high << 4 | low).ok()
}

fn escape_byte(byte: u8, line: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'\r' => line.extend_from_slice(b"\\r"),
        b'\n' => line.extend_from_slice(b"\\n"),
        b'\t' => line.extend_from_slice(b"\\t"),
        b'\\' => line.extend_from_slice(b"\\\\"),
        b' '..=b'~' => line.push(byte),
        _ => line.extend_from_slice(&[
            b'\\',
            b'x',
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(bytes: &[u8]) -> String {
        let mut line = Vec::new();
        escape(bytes, &mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn every_pair_of_bytes_reads_back_as_itself() {
        for first in 0..=255 {
            for second in 0..=255 {
                let bytes = [first, second];
                let text = escaped(&bytes);
                assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
                assert!(!text.ends_with(' '), "an editor would trim {text:?}");
                assert_eq!(unescape(text.as_bytes(), 1).unwrap(), bytes);
            }
        }
    }

    #[test]
    fn the_prompt_keeps_its_blank() {
        assert_eq!(escaped(b"\r\n> "), "\\r\\n>\\x20");
    }

    #[test]
    fn a_broken_escape_is_named_by_its_column() {
        for text in ["ab\\", "ab\\q", "ab\\x", "ab\\x1", "ab\\xg0", "ab\\R"] {
            assert_eq!(unescape(text.as_bytes(), 11), Err(Fault::BadEscape { column: 13 }), "{text}");
        }
    }

    #[test]
    fn a_raw_control_byte_is_refused() {
        assert_eq!(unescape(b"a\tb", 1), Err(Fault::Unescaped { column: 2 }));
        assert_eq!(unescape("é".as_bytes(), 1), Err(Fault::Unescaped { column: 1 }));
    }

    #[test]
    fn hexadecimal_of_both_cases_is_read() {
        assert_eq!(unescape(b"\\x1A\\x1a", 1).unwrap(), [0x1a, 0x1a]);
    }
}
