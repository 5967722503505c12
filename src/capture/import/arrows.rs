//! Adafruit's debug prints: `---> AT+CIPSHUT` was sent, `<---` received (s13). The program prints lines without
//! their line ends; each gets its CR LF back.

use super::super::{ReadError, Reason};
use super::{Collector, Line};

pub(super) fn recognises(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    line.starts_with(b"---> ") || line.starts_with(b"<--- ")
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    for line in lines {
        let text = line.text.trim_ascii_start();
        if let Some(text) = text.strip_prefix(b"---> ") {
            out.line_sent(line.number, text);
        } else if let Some(text) = text.strip_prefix(b"<--- ") {
            out.line_received(line.number, text);
        } else {
            out.remark(line.number, Reason::Tool);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn arrows_tell_the_direction() {
        let log = "\t---> AT\n\t<--- AT\nConnection failed\n";
        assert_eq!(seen(log), "1 > AT\\r\\n\n2 < AT\\r\\n\n3 #");
    }
}
