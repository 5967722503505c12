//! LLCOM: `[2024/10/16 21:14:40.669] ← AT+CREG?`, where `←` was sent and `→` received (a01 to a11).
//!
//! A byte below 0x20 that the user typed in hexadecimal is shown as `<1A>`. The captures were transcribed from
//! pictures; the byte counters in those confirm the line ends that [`Block`] puts back.

use super::super::ReadError;
use super::block::{Block, Direction, End};
use super::clock::{Clock, date_and_time};
use super::text::{hex_bytes, outside};
use super::{Collector, Line};

pub(super) fn recognises(line: &[u8]) -> bool {
    header(line).is_some()
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    let mut clock = Clock::default();
    let mut block: Option<Block<'_>> = None;
    for &line in lines {
        let Some((millis, direction, text)) = header(line.text) else {
            match &mut block {
                Some(block) => block.push(line),
                None => outside(line, out),
            }
            continue;
        };
        if let Some(block) = block.take() {
            block.finish(End::Stamp, out);
        }
        out.set_time(clock.millis(millis));
        match control(text) {
            Some(control) => out.sent(line.number, [control]),
            None => block = Some(Block::new(direction, line.number, text)),
        }
    }
    if let Some(block) = block {
        block.finish(End::Cut, out);
    }
    Ok(())
}

/// The stamp in milliseconds, the direction, and the text behind the arrow.
fn header(line: &[u8]) -> Option<(u64, Direction, &[u8])> {
    let rest = line.strip_prefix(b"[")?;
    let millis = date_and_time(rest.get(..23)?, b'/')?;
    let rest = rest[23..].strip_prefix(b"] ")?;
    let (direction, rest) = match rest.strip_prefix("←".as_bytes()) {
        Some(rest) => (Direction::ToModem, rest),
        None => (Direction::FromModem, rest.strip_prefix("→".as_bytes())?),
    };
    Some((millis, direction, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// The control byte that `<1A>` stands for.
fn control(text: &[u8]) -> Option<u8> {
    let digits = text.strip_prefix(b"<")?.strip_suffix(b">")?;
    let bytes = hex_bytes(digits)?;
    bytes.first().copied().filter(|byte| bytes.len() == 1 && *byte < 0x20)
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn line_ends_come_back_but_for_the_tools_own() {
        let log = "[2024/10/16 21:15:34.108] ← AT+CIPSEND\n\n[2024/10/16 21:15:34.215] → AT+CIPSEND\n\n> \n\
                   [2024/10/16 21:15:42.142] ← 1234\n\n[2024/10/16 21:16:12.476] ← <1A>\n\n\
                   [2024/10/16 21:30:06.207] → 123\n[2024/10/16 21:30:58.664] → \nOK\n";
        assert_eq!(
            seen(log),
            r"1 > AT+CIPSEND\r\n
2 #
3 < AT+CIPSEND\r\n
4 < \r\n
5 < >\x20
6 > 1234\r\n
7 #
8 > \x1a
9 #
10 < 123
11 < \r\n
12 < OK\r\n"
        );
    }
}
