//! The sequence of a capture: the next write, and the bytes that follow it.

use std::time::Duration;

use super::departure::{Departure, DepartureOutcome};
use crate::time::Timestamp;

/// The length from which an unknown command without a line end counts as complete.
const MAX_COMMAND: usize = 4 * 1024;
/// The most departures that are kept. The first ones are the most useful.
const MAX_DEPARTURES: usize = 1024;
const REFUSAL: &[u8] = b"\r\nERROR\r\n";

/// One write, and the bytes that followed it.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    /// The line of the capture.
    pub(super) line: usize,
    pub(super) at: Timestamp,
    pub(super) expected: Vec<u8>,
    /// Each piece, with its time since the write.
    pub(super) output: Vec<(Duration, Vec<u8>)>,
}

impl Step {
    /// The written bytes without the line end.
    fn text(&self) -> &[u8] {
        trimmed(&self.expected)
    }

    fn opens_payload(&self) -> bool {
        let last = self.output.iter().rev().find(|(_, bytes)| !bytes.trim_ascii().is_empty());
        last.is_some_and(|(_, bytes)| bytes.trim_ascii_end().ends_with(b">"))
    }
}

/// The steps, and the position of the program.
#[derive(Clone, Debug)]
pub(super) struct Script {
    steps: Vec<Step>,
    /// The index of the next write.
    next: usize,
    /// The written bytes that are not compared yet.
    written: Vec<u8>,
    departures: Vec<Departure>,
}

impl Script {
    /// The first step has no write: its bytes come at the beginning.
    pub(super) fn new(steps: Vec<Step>) -> Self {
        Self { steps, next: 1, written: Vec::new(), departures: Vec::new() }
    }

    pub(super) fn opening(&self) -> Vec<(Duration, Vec<u8>)> {
        self.steps.first().map_or_else(Vec::new, |step| step.output.clone())
    }

    pub(super) fn departures(&self) -> &[Departure] {
        &self.departures
    }

    /// True if every write of the capture was made.
    pub(super) fn is_over(&self) -> bool {
        self.next >= self.steps.len()
    }

    /// Takes bytes of the program. Returns the bytes that follow, each piece with its time.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Vec<(Duration, Vec<u8>)> {
        self.written.extend_from_slice(bytes);
        let mut output = Vec::new();
        while let Some(answer) = self.compare() {
            output.extend(answer);
        }
        output
    }

    /// Compares the written bytes with the next step; `None` if more are needed.
    fn compare(&mut self) -> Option<Vec<(Duration, Vec<u8>)>> {
        let Some(step) = self.steps.get(self.next) else {
            self.written.clear();
            return None;
        };
        let is_payload = self
            .next
            .checked_sub(1)
            .and_then(|before| self.steps.get(before))
            .is_some_and(Step::opens_payload);
        // Skips the end of the line before, unless the payload begins with a line end.
        if !is_payload || !step.expected.first().copied().is_some_and(is_line_end) {
            let ends = self.written.iter().take_while(|&&byte| is_line_end(byte)).count();
            self.written.drain(..ends);
        }
        if self.written.is_empty() {
            return None;
        }
        let expected = if is_payload { step.expected.as_slice() } else { step.text() };
        let compared = expected.len().min(self.written.len());
        if is_like(expected.get(..compared)?, self.written.get(..compared)?) {
            if compared < expected.len() {
                return None;
            }
            let ends_line = !is_payload && step.text().len() < step.expected.len();
            match self.written.get(compared) {
                None if ends_line => return None,
                // A longer command with the same beginning.
                Some(&more) if ends_line && !is_line_end(more) => {}
                Some(_) | None => {
                    self.written.drain(..compared);
                    return Some(self.matched(self.next));
                }
            }
        }
        if is_payload {
            return self.other_payload(expected.len());
        }
        self.other_command()
    }

    fn matched(&mut self, step: usize) -> Vec<(Duration, Vec<u8>)> {
        self.next = step.saturating_add(1);
        self.steps.get(step).map_or_else(Vec::new, |step| step.output.clone())
    }

    fn other_payload(&mut self, length: usize) -> Option<Vec<(Duration, Vec<u8>)>> {
        if self.written.len() < length {
            return None;
        }
        let written = self.written.drain(..length).collect();
        self.depart(written, DepartureOutcome::TakenAsPayload);
        Some(self.matched(self.next))
    }

    fn other_command(&mut self) -> Option<Vec<(Duration, Vec<u8>)>> {
        let end = self.written.iter().position(|&byte| is_line_end(byte));
        let end = end.or_else(|| (self.written.len() >= MAX_COMMAND).then_some(self.written.len()))?;
        let written: Vec<u8> = self.written.drain(..end).collect();
        let ahead = self.steps.iter().enumerate().skip(self.next.saturating_add(1));
        let found = ahead
            .filter(|(_, step)| is_like(step.text(), &written))
            .map(|(place, step)| (place, step.line))
            .next();
        match found {
            Some((place, line)) => {
                self.depart(written, DepartureOutcome::SkippedTo(line));
                Some(self.matched(place))
            }
            None => {
                self.depart(written, DepartureOutcome::Refused);
                Some(vec![(Duration::ZERO, REFUSAL.to_vec())])
            }
        }
    }

    fn depart(&mut self, written: Vec<u8>, outcome: DepartureOutcome) {
        let Some(step) = self.steps.get(self.next) else { return };
        if self.departures.len() < MAX_DEPARTURES {
            let (line, expected) = (step.line, step.expected.clone());
            self.departures.push(Departure { line, expected, written, outcome });
        }
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    let ends = bytes.iter().rev().take_while(|&&byte| is_line_end(byte)).count();
    bytes.get(..bytes.len().saturating_sub(ends)).unwrap_or_default()
}

/// Compares bytes. A `*` of the capture matches any byte, because masked secrets consist of it.
fn is_like(expected: &[u8], written: &[u8]) -> bool {
    expected.len() == written.len()
        && expected.iter().zip(written).all(|(expected, written)| expected == written || *expected == b'*')
}

#[cfg(test)]
mod tests {
    use super::super::super::read_own;
    use super::super::Player;
    use super::*;

    const CAPTURE: &[u8] = b"# what: a\n# source: b\n# expect: c\n\
        0.0 < \\r\\nRDY\\r\\n\n\
        1.0 > AT\\r\\n\n1.1 < \\r\\nOK\\r\\n\n\
        2.0 > AT+CPIN=\"****\"\\r\\n\n2.2 < \\r\\nOK\\r\\n\n\
        3.0 > AT+CIPSEND=0,5\\r\\n\n3.1 < \\r\\n> \n\
        3.2 > hello\n3.3 < \\r\\nDATA ACCEPT:0,5\\r\\n\n4.3 < \\r\\n0, CLOSED\\r\\n\n\
        5.0 > AT+CSQ\\r\\n\n5.1 < \\r\\n+CSQ: 9,0\\r\\n\\r\\nOK\\r\\n\n";

    fn script() -> Script {
        Player::new(&read_own(CAPTURE).unwrap()).script
    }

    fn written(script: &mut Script, bytes: &[u8]) -> String {
        let output = script.write(bytes);
        String::from_utf8(output.into_iter().flat_map(|(_, piece)| piece).collect()).unwrap()
    }

    #[test]
    fn each_write_brings_what_came_after_it_in_whatever_pieces_and_with_whatever_line_end() {
        for size in 1..8 {
            let mut script = script();
            let mut output = String::new();
            for piece in b"AT\rAT+CPIN=\"1234\"\r\nAT+CIPSEND=0,5\nhelloAT+CSQ\r\n".chunks(size) {
                output.push_str(&written(&mut script, piece));
            }
            assert_eq!(output.matches("OK\r\n").count(), 3, "{size} {output}");
            assert!(output.contains("0, CLOSED") && output.contains("+CSQ: 9,0"), "{output}");
            assert_eq!(script.departures(), []);
            assert!(script.is_over());
        }
    }

    #[test]
    fn pieces_keep_their_distance_from_the_write_before_them() {
        let mut script = script();
        assert_eq!(script.opening(), [(Duration::ZERO, b"\r\nRDY\r\n".to_vec())]);
        script.write(b"AT\r\nAT+CPIN=\"1234\"\r\nAT+CIPSEND=0,5\r\n");
        let output = script.write(b"hello");
        let pauses: Vec<u128> = output.iter().map(|(pause, _)| pause.as_millis()).collect();
        assert_eq!(pauses, [100, 1_100]);
    }

    #[test]
    fn a_departure_is_reported_with_its_line_and_what_became_of_it() {
        let mut script = script();
        assert_eq!(written(&mut script, b"ATI\r\n"), "\r\nERROR\r\n");
        assert_eq!(written(&mut script, b"AT+CIPSEND=0,5\r\n"), "\r\n> ");
        assert_eq!(written(&mut script, b"other"), "\r\nDATA ACCEPT:0,5\r\n\r\n0, CLOSED\r\n");
        let departures: Vec<String> = script.departures().iter().map(ToString::to_string).collect();
        assert_eq!(
            departures,
            [
                "line 5: \"AT\\r\\n\" was next, \"ATI\" was written; it does not stand further on",
                "line 5: \"AT\\r\\n\" was next, \"AT+CIPSEND=0,5\" was written; it stands in line 9",
                "line 11: \"hello\" was next, \"other\" was written; taken as the payload",
            ]
        );
    }

    #[test]
    fn after_its_end_a_capture_says_nothing() {
        let mut script = script();
        written(&mut script, b"AT+CSQ\r\n");
        assert!(script.is_over());
        assert_eq!(written(&mut script, b"AT\r\n"), "");
        assert_eq!(script.departures().len(), 1);
    }
}
