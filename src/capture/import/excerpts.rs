//! Excerpts of a log, pasted each under a title: `--- receive ---` (a28). Line ends are shown as new lines, or
//! as `\r\n` on a line of its own where the author wanted to show just these; a NUL is shown as `\0`.

use super::super::{ReadError, Reason};
use super::text::{is_command, unescaped};
use super::{Collector, Line};

pub(super) fn recognises(line: &[u8]) -> bool {
    line.len() > 8 && line.starts_with(b"--- ") && line.ends_with(b" ---")
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    for (at, line) in lines.iter().enumerate() {
        let text = line.text.trim_ascii();
        if recognises(text) {
            out.gap(line.number);
            out.remark(line.number, Reason::Comment);
        } else if line.text.starts_with(b"#") {
            out.remark(line.number, Reason::Comment);
        } else if text == LINE_END {
            out.received(line.number, b"\r\n");
        } else if is_command(text) {
            out.line_sent(line.number, text);
        } else if lines.get(at.saturating_add(1)).is_some_and(|next| next.text == LINE_END) {
            out.received(line.number, unescaped(text));
        } else {
            out.line_received(line.number, &unescaped(text));
        }
    }
    Ok(())
}

const LINE_END: &[u8] = br"\r\n";

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn shown_line_ends_are_not_doubled() {
        let log =
            "# pasted\n--- one burst ---\n\\r\\n\n+CIPACK: 1,1,0\n\\r\\n\n--- receive ---\n  xx\\0\n\nAT\n";
        assert_eq!(
            seen(log),
            r"1 #
2 ~
2 #
3 < \r\n
4 < +CIPACK: 1,1,0
5 < \r\n
6 ~
6 #
7 < xx\x00\r\n
8 < \r\n
9 > AT\r\n"
        );
    }
}
