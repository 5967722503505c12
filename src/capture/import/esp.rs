//! ESP-IDF log of a driver: `I (1311) at_engine: RX:|RDY` (a19).
//!
//! The driver prints whole lines without their line ends; each gets its CR LF back. Other lines are the program's.

use super::super::{ReadError, Reason};
use super::clock::{Clock, number};
use super::text::split_at;
use super::{Collector, Line};

pub(super) fn recognises(line: &[u8]) -> bool {
    logged(line).is_some_and(|(_, text)| text.starts_with(b"RX:|") || text.starts_with(b"TX:|"))
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    let mut clock = Clock::default();
    for line in lines {
        let Some((millis, text)) = logged(line.text) else {
            out.remark(line.number, Reason::Tool);
            continue;
        };
        out.set_time(clock.millis(millis));
        if let Some(text) = text.strip_prefix(b"RX:|") {
            out.line_received(line.number, text);
        } else if let Some(text) = text.strip_prefix(b"TX:|") {
            out.line_sent(line.number, text);
        } else {
            out.remark(line.number, Reason::Tool);
        }
    }
    Ok(())
}

/// The milliseconds since start and the text behind the tag.
fn logged(line: &[u8]) -> Option<(u64, &[u8])> {
    let [b'E' | b'W' | b'I' | b'D' | b'V', b' ', b'(', rest @ ..] = line else {
        return None;
    };
    let (millis, rest) = split_at(rest, b") ")?;
    let millis = number(millis)?;
    let (_, text) = split_at(rest, b": ")?;
    Some((millis, text))
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn only_the_engines_lines_are_the_modems() {
        let log = "I (1311) at: RX:|RDY\nI (1311) at: TX:|ATE0\nW (10311) modem: ATE0 failed: x\nnoise\n";
        assert_eq!(seen(log), "1 < RDY\\r\\n\n2 > ATE0\\r\\n\n3 #\n4 #");
    }
}
