//! simcom_atl: `[ASC][INFO] [TX] AT\r\n` with the bytes as C escapes (s02). Nothing has to be put back, but where
//! the logger ends what it received in a row of points: it left the rest out, line end included.

use super::super::{ReadError, Reason};
use super::text::{split_at, unescaped};
use super::{Collector, Line};

pub(super) fn recognises(line: &[u8]) -> bool {
    tagged(line, b"[TX] ").or(tagged(line, b"[RX] ")).is_some()
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    for line in lines {
        if let Some(text) = tagged(line.text, b"[TX] ") {
            out.sent(line.number, unescaped(text));
        } else if let Some(text) = tagged(line.text, b"[RX] ") {
            if text.ends_with(b"....") {
                out.remark(line.number, Reason::Elided);
                out.line_received(line.number, &unescaped(text));
            } else {
                out.received(line.number, unescaped(text));
            }
        } else {
            out.remark(line.number, Reason::Tool);
        }
    }
    Ok(())
}

/// The text behind the tag, if only other tags stand before it.
fn tagged<'a>(line: &'a [u8], tag: &[u8]) -> Option<&'a [u8]> {
    let (before, rest) = split_at(line, tag)?;
    let only_tags = before.trim_ascii_end().ends_with(b"]") && before.starts_with(b"[");
    (before.is_empty() || only_tags).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn escapes_are_bytes_and_the_rest_is_the_programs() {
        let log =
            "[A][I] library\n[A][I] [TX] AT\\r\\n\\x1A\n[A][I] [RX] \\r\\n> \n[A][I] [RX] +CENG: .....\n";
        assert_eq!(
            seen(log),
            r"1 #
2 > AT\r\n\x1a
3 < \r\n>\x20
4 < +CENG: .....\r\n
4 #"
        );
    }
}
