//! The log of a Lua script that drives the modem itself: `atc: OK` is the modem's, the rest are the script's own
//! prints (a30). Commands are not shown, so the whole log stands behind a gap. The script prints the text of each
//! frame; the CR LF before and after it are put back, but for the one after the prompt, which has none.

use super::super::{ReadError, Reason};
use super::{Collector, Line};

pub(super) fn recognises(line: &[u8]) -> bool {
    line.starts_with(b"atc: ")
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    if let Some(first) = lines.first() {
        out.gap(first.number);
    }
    for line in lines {
        match line.text.strip_prefix(b"atc: ") {
            None => out.remark(line.number, Reason::Tool),
            Some(b">") => out.received(line.number, b"\r\n> "),
            Some(text) => out.received(line.number, [b"\r\n", text, b"\r\n"].concat()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn frames_are_put_back_behind_a_gap() {
        let log = "cgatt: 1\natc: OK\natc: >\n";
        assert_eq!(seen(log), "1 ~\n1 #\n2 < \\r\\nOK\\r\\n\n3 < \\r\\n>\\x20");
    }
}
