//! RT-Thread's log of a driver: `[2202632] E/at.skt: socket(0) connect failed` (a29). It says what the driver thought,
//! and shows not one byte of the exchange: every line becomes a note.

use super::super::{ReadError, Reason};
use super::clock::{Clock, number};
use super::text::{find, split_at};
use super::{Collector, Line};

pub(super) fn recognises(line: &[u8]) -> bool {
    logged(line).is_some()
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    let mut clock = Clock::default();
    for line in lines {
        let Some((ticks, text)) = logged(line.text) else {
            out.remark(line.number, Reason::Tool);
            continue;
        };
        out.set_time(clock.millis(ticks));
        out.note(line.number, text);
    }
    Ok(())
}

/// The ticks (milliseconds in the published log) and the text with its level.
fn logged(line: &[u8]) -> Option<(u64, &[u8])> {
    let rest = line.strip_prefix(b"[")?;
    let (ticks, text) = split_at(rest, b"] ")?;
    let ticks = number(ticks)?;
    let levelled = matches!(text, [b'E' | b'W' | b'I' | b'D', b'/', ..]);
    (levelled && find(text, b": ").is_some()).then_some((ticks, text))
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn a_drivers_own_words_are_notes() {
        let log = "[2202632] E/at.skt: connect failed\nboot\n";
        assert_eq!(seen(log), "1 ; E/at.skt: connect failed\n2 #");
    }
}
