//! Dots in place of control characters: `AT RESPONSE: [..+CREG: 0,2....OK..]`.

use std::borrow::Cow;

use super::text::{find, is_answer, is_command};

/// The lines with escapes for the dots, if the file shows bytes so: in brackets at the end of a line, and commands and
/// answers that dots end or separate. One dot alone is text, as in an address.
pub(super) fn without_dots(lines: Vec<Cow<'_, [u8]>>) -> Vec<Cow<'_, [u8]>> {
    if !lines.iter().any(|line| enclosed(line).is_some_and(|(_, inner)| is_dotted(inner))) {
        return lines;
    }
    let plain = |line: &[u8]| enclosed(line).map(|(front, inner)| [front, &escaped(inner)].concat());
    lines.into_iter().map(|line| plain(&line).map_or(line, Cow::Owned)).collect()
}

/// The text in brackets at the end of a line, and the text before it.
fn enclosed(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = line.trim_ascii_end().strip_suffix(b"]")?;
    let at = find(inner, b": [")?;
    Some((inner.get(..at.checked_add(2)?)?, inner.get(at.checked_add(3)?..)?))
}

/// The parts of a text between two dots or more.
fn parts(text: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    let mut parts = vec![];
    let mut rest = text;
    while let Some(at) = find(rest, b"..") {
        let (part, dots) = rest.split_at(at);
        parts.push(part);
        rest = &dots[dots.iter().take_while(|byte| **byte == b'.').count()..];
    }
    parts.push(rest);
    parts.into_iter().filter(|part| !part.is_empty())
}

fn is_wire(part: &[u8]) -> bool {
    is_command(part) || is_answer(part)
}

fn is_dotted(text: &[u8]) -> bool {
    find(text, b"..").is_some() && parts(text).next().is_some() && parts(text).all(is_wire)
}

/// A text with escapes for its dots, and for a line end that the program took away.
fn escaped(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, more)) = rest.split_first() {
        let dots = rest.iter().take_while(|byte| **byte == b'.').count();
        if dots < 2 {
            escaped.push(*byte);
            rest = more;
            continue;
        }
        // The echo of a command ends with CR and CR LF.
        let echo: &[u8] = if dots.is_multiple_of(2) { b"" } else { b"\\r" };
        escaped.extend_from_slice(echo);
        escaped.extend_from_slice(&b"\\r\\n".repeat(dots / 2));
        rest = &rest[dots..];
    }
    if !text.ends_with(b"..") && parts(text).next_back().is_some_and(is_wire) {
        escaped.extend_from_slice(b"\\r\\n");
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_line_ends_where_commands_and_answers_show_it() {
        let read = |lines: &[&str]| -> Vec<String> {
            let lines = lines.iter().map(|line| Cow::Borrowed(line.as_bytes())).collect();
            without_dots(lines).iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
        };
        assert_eq!(
            read(&["x: [AT+CIFSR..]", "x: [..10.0.0.1....OK..]", "x: [ATE0...OK]", "x: [..> ]", "x [y..]"]),
            [
                r"x: AT+CIFSR\r\n",
                r"x: \r\n10.0.0.1\r\n\r\nOK\r\n",
                r"x: ATE0\r\r\nOK\r\n",
                r"x: \r\n> ",
                "x [y..]"
            ]
        );
        let others = ["x: [wait..]", "x: [OK]", "x: [1..2]", "OK..", "x: [..]"];
        assert_eq!(read(&others), others);
    }
}
