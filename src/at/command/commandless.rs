//! Payload that contains no command, so that it can be written before the module has asked for it.

use super::harmless::{harmless_len, is_command_name};
use super::link::MAX_CHUNK;

/// The number of bytes of `payload` that can be written with their `AT+CIPSEND` as one piece.
///
/// A module that refuses the send reads the piece as command lines, and that happens each time its buffer is full. So
/// no line of the piece contains a command: `AT` with a command after it, or `A/`, in any case, as a module edits a
/// line (V.250 sections 5.1, 5.2 and 6.2.3). Otherwise the piece ends after the `A`. The end of the piece counts as the
/// end of a line, because the session writes one after a refused piece. A piece whose result does not come may be
/// written once more, directly after the first, so no command is in the piece twice, either. Random data are divided
/// about once in 50 000 bytes. Most lines of text are divided.
///
/// The result is at most [`harmless_len`] of the same bytes, and zero for an empty payload only.
pub(crate) fn commandless_len(payload: &[u8], max: usize) -> usize {
    let mut piece = payload.get(..max.min(MAX_CHUNK)).unwrap_or(payload);
    loop {
        piece = piece.get(..harmless_len(piece, MAX_CHUNK)).unwrap_or_default();
        let mut line = EditedLine::new();
        let len = match line.command_within(piece) {
            Some(cut) => cut,
            None if piece.len() > 1 && line.begins_command_with(piece) => piece.len() / 2,
            None => return piece.len(),
        };
        piece = piece.get(..len).unwrap_or_default();
    }
}

/// A line as a module has it after the backspaces, and where its bytes stand in the piece.
struct EditedLine {
    bytes: [u8; MAX_CHUNK],
    places: [u16; MAX_CHUNK],
    len: usize,
}

impl EditedLine {
    fn new() -> Self {
        Self { bytes: [0; MAX_CHUNK], places: [0; MAX_CHUNK], len: 0 }
    }

    /// Takes a piece. Returns the length of the piece that ends before its first command, if it has one.
    fn command_within(&mut self, piece: &[u8]) -> Option<usize> {
        for (at, byte) in piece.iter().enumerate() {
            match byte {
                0 | b'\n' => {}
                b'\r' => match self.command() {
                    Some(cut) => return Some(cut),
                    None => self.len = 0,
                },
                0x08 => self.len = self.len.saturating_sub(1),
                b'/' if self.last().is_some_and(|last| last.eq_ignore_ascii_case(&b'A')) => {
                    return Some(self.cut_after(self.len.saturating_sub(1)));
                }
                byte => self.push(*byte, at),
            }
        }
        self.command()
    }

    /// True if the line has the beginning of a command that these bytes would complete.
    fn begins_command_with(&mut self, bytes: &[u8]) -> bool {
        let mut own = 0_usize;
        for byte in bytes {
            match byte {
                b'\r' => return false,
                0 | b'\n' => {}
                0x08 if own == 0 => self.len = self.len.saturating_sub(1),
                0x08 => own = own.saturating_sub(1),
                byte => {
                    let ends_with = |end: &[u8]| {
                        let line = self.text().trim_ascii_end();
                        let at = line.len().checked_sub(end.len());
                        at.and_then(|at| line.get(at..)).is_some_and(|line| line.eq_ignore_ascii_case(end))
                    };
                    let is_half = || matches!(byte, b'T' | b't' | b'/') && ends_with(b"A");
                    if own == 0 && (is_half() || ends_with(b"AT")) {
                        return true;
                    }
                    own = own.saturating_add(1);
                }
            }
        }
        false
    }

    fn push(&mut self, byte: u8, place: usize) {
        if let (Some(slot), Some(at)) = (self.bytes.get_mut(self.len), self.places.get_mut(self.len)) {
            *slot = byte;
            *at = u16::try_from(place).unwrap_or(u16::MAX);
            self.len = self.len.saturating_add(1);
        }
    }

    fn text(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn last(&self) -> Option<&u8> {
        self.text().last()
    }

    /// The length of the piece that ends after a byte of the line.
    fn cut_after(&self, index: usize) -> usize {
        self.places.get(index).map_or(0, |place| usize::from(*place).saturating_add(1))
    }

    /// If the line has a command, the length of the piece that ends after the `A` of the first one.
    fn command(&self) -> Option<usize> {
        let text = self.text();
        let begins = |byte: &u8| byte.is_ascii_alphanumeric() || is_command_name(*byte);
        let is_command = |rest: &[u8]| match rest.split_at_checked(2) {
            Some((at, after)) if at.eq_ignore_ascii_case(b"AT") => {
                after.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(begins)
            }
            _ => false,
        };
        let mut places = 0..text.len();
        places.find(|at| text.get(*at..).is_some_and(is_command)).map(|at| self.cut_after(at))
    }
}

#[cfg(test)]
mod tests {
    use super::super::harmless::tests::payloads;
    use super::*;

    /// The lines that a module executes: without NUL and LF, and with the backspaces done.
    fn lines(piece: &[u8]) -> Vec<String> {
        let edited = piece.split(|byte| *byte == b'\r').map(|line| {
            let mut text = String::new();
            for byte in line.iter().filter(|byte| **byte != 0 && **byte != b'\n') {
                match byte {
                    0x08 => _ = text.pop(),
                    byte => text.push(char::from(*byte)),
                }
            }
            text.to_ascii_uppercase()
        });
        edited.collect()
    }

    fn has_command(line: &str) -> bool {
        let after_at = line.match_indices("AT").map(|(at, _)| line[at + 2..].trim_start());
        let is_command =
            |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || "+&*".contains(c));
        line.contains("A/") || after_at.into_iter().any(is_command)
    }

    #[test]
    fn no_piece_has_a_line_with_a_command_and_none_is_empty() {
        for payload in payloads(b"AaTtEZ1; N.\r\n\0\x08+/").take(100_000) {
            let mut rest = &payload[..];
            while !rest.is_empty() {
                let len = commandless_len(rest, 10);
                assert!((1..=10).contains(&len), "{} of {}", rest.escape_ascii(), payload.escape_ascii());
                let (piece, after) = rest.split_at(len);
                for times in [1, 2] {
                    let lines = lines(&piece.repeat(times));
                    assert!(!lines.iter().any(|line| has_command(line)), "{}", piece.escape_ascii());
                }
                rest = after;
            }
        }
    }

    #[test]
    fn a_piece_ends_after_the_first_letter_of_a_command() {
        for (payload, len) in [
            (&b"x\rATZ\r"[..], 3),
            (b"look at everything\r", 6),
            (b"look at\r", 8),
            (b"A\x08ATE1", 3),
            (b"ATE1\x08\x08\x08\x08", 8),
            (b"a/", 1),
            (&[0x81; 4000], 1460),
        ] {
            assert_eq!(commandless_len(payload, 1460), len, "{}", payload.escape_ascii());
        }
    }
}
