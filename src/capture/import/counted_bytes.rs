//! Bytes below a header that gives their number, as `socat -v` prints the bytes that it relays:
//!
//! ```text
//! > 2024/10/10 15:53:37.317000  length=8 from=0 to=7
//! AT+CSQ\r
//! < 2024/10/10 15:53:37.321000  length=20 from=0 to=19
//! \r
//! +CSQ: 20,0\r
//! ```
//!
//! A line end is printed as such, and every other control character escaped. The next header follows the last byte,
//! which may be in the middle of a line.

use super::super::Reason;
use super::clock::{Clock, number};
use super::exchange::Wire;
use super::stamp::{Stamp, stamp};
use super::text::{find, is_command};
use super::{Encoding, Line};

/// The header of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CountedHeader {
    arrow: u8,
    stamp: Stamp,
    len: usize,
}

/// The header at the end of a line, and the place where it begins.
fn header(line: &[u8]) -> Option<(usize, CountedHeader)> {
    let counts = find(line, b"  length=")?;
    let begins = |at: &usize| matches!(line[*at..], [b'<' | b'>', b' ', ..]);
    let at = (0..counts).rev().find(begins)?;
    let (stamp, rest) = stamp(line.get(at.checked_add(2)?..)?)?;
    let mut fields = rest.trim_ascii().split(|byte| *byte == b' ');
    let mut field = |name: &[u8]| number(fields.next()?.strip_prefix(name)?);
    let (len, from, to) = (field(b"length=")?, field(b"from=")?, field(b"to=")?);
    let is_whole = fields.next().is_none() && to.checked_sub(from)?.checked_add(1)? == len;
    let len = usize::try_from(len).ok().filter(|_| is_whole)?;
    Some((at, CountedHeader { arrow: line[at], stamp, len }))
}

/// The arrow of the headers that stand over bytes to the modem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    to_modem: u8,
}

impl Counted {
    /// The arrow that points to the modem, if the lines have such headers and a command below one of them. The first
    /// command defines the arrow.
    pub(super) fn of(lines: &[Line<'_>]) -> Option<Self> {
        let mut texts = lines.iter().map(|line| line.text).skip_while(|text| header(text).is_none());
        let mut last = header(texts.next()?)?.1.arrow;
        for text in texts {
            let found = header(text);
            let data = found.map_or(text, |(at, _)| &text[..at]);
            if is_command(data.strip_suffix(br"\r").unwrap_or(data)) {
                return Some(Self { to_modem: last });
            }
            last = found.map_or(last, |(_, header)| header.arrow);
        }
        None
    }

    pub(super) fn read(self, lines: &[Line<'_>], encoding: Encoding) -> Wire {
        let mut wire = Wire::new(encoding);
        let (mut clock, mut arrow, mut left) = (Clock::default(), self.to_modem, 0_usize);
        for line in lines {
            let found = header(line.text).filter(|(at, _)| unescaped(&line.text[..*at]).len() <= left);
            let mut bytes = unescaped(found.map_or(line.text, |(at, _)| &line.text[..at]));
            if found.is_none() && bytes.len() < left {
                bytes.push(b'\n');
            }
            match bytes.len() {
                0 if found.is_none() => wire.out.remark(line.number, Reason::Blank),
                0 => {}
                more if more > left => wire.out.remark(line.number, Reason::Tool),
                count => {
                    left = left.saturating_sub(count);
                    if arrow == self.to_modem {
                        wire.sent(line.number, bytes);
                    } else {
                        wire.received(line.number, bytes);
                    }
                }
            }
            let Some((_, header)) = found else { continue };
            if left > 0 {
                wire.out.gap(line.number);
            }
            (arrow, left) = (header.arrow, header.len);
            match header.stamp {
                Stamp::TimeOfDay(millis) => wire.out.set_time(clock.time_of_day(millis)),
                Stamp::Count(millis) => wire.out.set_time(clock.millis(millis)),
                Stamp::Since => {}
            }
            wire.out.remark(line.number, Reason::Mark);
        }
        wire
    }
}

/// The bytes of a text in which control characters are escaped as in C.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some((&byte, more)) = rest.split_first() {
        let escape = more.first().filter(|_| byte == b'\\').and_then(|letter| match letter {
            b'0' => Some(0),
            b'a' => Some(7),
            b'b' => Some(8),
            b't' => Some(b'\t'),
            b'n' => Some(b'\n'),
            b'v' => Some(11),
            b'f' => Some(12),
            b'r' => Some(b'\r'),
            b'\\' => Some(b'\\'),
            _ => None,
        });
        bytes.push(escape.unwrap_or(byte));
        rest = &more[usize::from(escape.is_some())..];
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_complete_header_is_read_as_a_header() {
        let whole = b"OK\\r> 2024/10/10 15:53:37.317000  length=8 from=0 to=7";
        let (at, found) = header(whole).unwrap();
        assert_eq!((at, found.arrow, found.len), (4, b'>', 8));
        for text in [
            "> 2024/10/10 15:53:37.317000  length=8 from=0 to=8",
            "> 2024/10/10 15:53:37.317000  length=8 from=0 to=7 more",
            "> 2024/10/10 15:53:37.317000  length=0 from=1 to=0",
            "> 2024/10/10 15:53:37.317000  length=x from=0 to=7",
            "> soon  length=8 from=0 to=7",
            "2024/10/10 15:53:37.317000  length=8 from=0 to=7",
            ">  length=8 from=0 to=7",
        ] {
            assert_eq!(header(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_escapes_are_those_of_c() {
        assert_eq!(unescaped(br"a\r\\n\x\"), b"a\r\\n\\x\\");
    }
}
