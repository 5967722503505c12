//! SSCOM: `[14:42:30.346]发→◇AT+CFGRI?` was sent, `收←◆` received, `□` ends what was sent (a13 to a26).
//!
//! The captures are quotations in guides: prose and fences around them, `//` remarks behind the lines.

use super::super::{ReadError, Reason};
use super::block::{Block, Direction, End};
use super::clock::{Clock, time};
use super::text::{is_prose, outside, without_comment};
use super::{Collector, Line};

pub(super) fn recognises(line: &[u8]) -> bool {
    header(line).is_some()
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    let mut clock = Clock::default();
    let mut received: Option<Block<'_>> = None;
    for &line in lines {
        let (text, commented) = without_comment(line.text);
        if commented {
            out.remark(line.number, Reason::Comment);
        }
        if let Some((millis, direction, text)) = header(text) {
            finish(received.take(), End::Stamp, out);
            out.set_time(clock.time_of_day(millis));
            match direction {
                Direction::ToModem => out.line_sent(line.number, text.trim_ascii_end()),
                Direction::FromModem => received = Some(Block::new(direction, line.number, text)),
            }
        } else if text == "□".as_bytes() || text.starts_with(b"```") {
            finish(received.take(), End::Cut, out);
            out.remark(line.number, Reason::Mark);
        } else if commented && text.is_empty() {
            // The remark was all there was.
        } else if let Some(block) = &mut received
            && !is_prose(text)
        {
            block.push(Line { text, ..line });
        } else {
            outside(Line { text, ..line }, out);
        }
    }
    finish(received, End::Cut, out);
    Ok(())
}

fn finish(block: Option<Block<'_>>, end: End, out: &mut Collector) {
    if let Some(block) = block {
        block.finish(end, out);
    }
}

/// The stamp in milliseconds, the direction, and the text behind the marks.
fn header(line: &[u8]) -> Option<(u64, Direction, &[u8])> {
    let rest = line.strip_prefix(b"[")?;
    let millis = time(rest.get(..12)?)?;
    let rest = rest[12..].strip_prefix(b"]")?;
    match rest.strip_prefix("发→◇".as_bytes()) {
        Some(rest) => Some((millis, Direction::ToModem, rest)),
        None => Some((millis, Direction::FromModem, rest.strip_prefix("收←◆".as_bytes())?)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn prose_fences_and_remarks_are_not_the_modems() {
        let log = "查询\n```lua\n[14:42:30.346]发→◇AT+CFGRI?   //ask\n□\n[14:42:30.350]收←◆AT+CFGRI?\n\n\
                   +CFGRI: 0\t//off\n\nOK\n\n[14:42:51.105]收←◆test  //data\n```\nmore prose\n";
        assert_eq!(
            seen(log),
            r"1 #
2 #
3 > AT+CFGRI?\r\n
3 #
4 #
5 < AT+CFGRI?\r\n
6 < \r\n
7 < +CFGRI: 0\r\n
7 #
8 < \r\n
9 < OK\r\n
10 #
11 < test\r\n
11 #
12 #
13 #"
        );
    }
}
