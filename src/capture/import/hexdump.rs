//! Lines of hexadecimal bytes, `0D 0A 52 44 59 0D 0A    <CR><LF>RDY<CR><LF>`, under headings that quote the command
//! (s01). The bytes are exact; only the hexadecimal is read, not the reading of it beside or below.

use super::super::{ReadError, Reason};
use super::text::{find, hex_bytes, unescaped};
use super::{Collector, Line};

pub(super) fn recognises(line: &[u8]) -> bool {
    dumped(line).is_some_and(|bytes| bytes.len() >= 4)
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    let mut command = Vec::new();
    for line in lines {
        if let Some(bytes) = dumped(line.text) {
            out.received(line.number, bytes);
        } else if let Some(asked) = asked(line.text) {
            command = [asked.trim_ascii_end(), b"\r\n"].concat();
            out.sent(line.number, command.clone());
        } else if let Some(bytes) = quoted(line.text).and_then(hex_bytes) {
            out.sent(line.number, command.clone());
            out.received(line.number, bytes);
        } else if line.text.starts_with(b"or") && !command.is_empty() {
            // Another answer to the same command.
            out.remark(line.number, Reason::Comment);
            out.sent(line.number, command.clone());
        } else if line.text.is_empty() {
            out.remark(line.number, Reason::Blank);
        } else {
            out.remark(line.number, Reason::Comment);
        }
    }
    Ok(())
}

/// The bytes of a line that begins with hexadecimal pairs, up to the first two blanks in a row.
fn dumped(line: &[u8]) -> Option<Vec<u8>> {
    let end = find(line, b"  ").unwrap_or(line.len());
    hex_bytes(line[..end].trim_ascii_end())
}

/// The command that a heading quotes.
fn asked(line: &[u8]) -> Option<Vec<u8>> {
    let command = unescaped(quoted(line)?);
    command.starts_with(b"AT").then_some(command)
}

/// The text between the first quote and the next one that no backslash stands before.
fn quoted(line: &[u8]) -> Option<&[u8]> {
    let start = line.iter().position(|&byte| byte == b'"')?;
    let rest = line.get(start.checked_add(1)?..)?;
    let end = (0..rest.len()).find(|&at| rest[at] == b'"' && rest[..at].last() != Some(&b'\\'))?;
    Some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn headings_are_commands_and_pairs_are_bytes() {
        let log = "First output:\n0D 0A 52 44    <CR><LF>RD\n\nReply to \"AT+CSTT=\\\"x\\\"\":\n4F 4B 0D 0A\nor\n45 0D 0A  E\n\
                   reply : \"20 0D\" = \" <CR>\"\nguess:   OK\n";
        assert_eq!(
            seen(log),
            r#"1 #
2 < \r\nRD
3 #
4 > AT+CSTT="x"\r\n
5 < OK\r\n
6 > AT+CSTT="x"\r\n
6 #
7 < E\r\n
8 > AT+CSTT="x"\r\n
8 <  \r
9 #"#
        );
    }
}
