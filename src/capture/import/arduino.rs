//! The Arduino serial monitor: `01:51:10.547 -> AT` (s04, s10), a stamp on every line of a
//! [terminal's transcript](super::transcript). Where the publisher printed a line in bold, its `**` are taken away.

use super::super::{ReadError, Reason};
use super::clock::{Clock, time};
use super::transcript::Transcript;
use super::{Collector, Line};

pub(super) fn recognises(line: &[u8]) -> bool {
    stamped(line).is_some()
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    let mut clock = Clock::default();
    let mut transcript = Transcript::new(lines.iter().map(|line| line.text));
    for &line in lines {
        let Some((millis, text)) = stamped(line.text) else {
            out.remark(line.number, Reason::Comment);
            continue;
        };
        out.set_time(clock.time_of_day(millis));
        let plain = without_bold(text);
        transcript.line(Line { text: &plain, ..line }, out);
    }
    Ok(())
}

/// The stamp in milliseconds and the text behind it.
fn stamped(line: &[u8]) -> Option<(u64, &[u8])> {
    let millis = time(line.get(..12)?)?;
    let rest = line[12..].strip_prefix(b" ->")?;
    Some((millis, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// A text without the marks of bold print around it.
fn without_bold(text: &[u8]) -> Vec<u8> {
    let blanks = text.len().saturating_sub(text.trim_ascii_start().len());
    let (before, marked) = text.split_at(blanks);
    match marked.strip_prefix(b"**").and_then(|bold| bold.strip_suffix(b"**")) {
        Some(bold) => [before, bold].concat(),
        None => text.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn stamps_and_bold_print_are_taken_away() {
        let log = "01:51:10.547 -> AT+CMGF=1\n01:52:26.092 -> \n01:52:26.092 -> **0, CONNECT FAIL**\nmore\n";
        assert_eq!(seen(log), "1 > AT+CMGF=1\\r\\n\n2 < \\r\\n\n3 < 0, CONNECT FAIL\\r\\n\n4 #");
    }
}
