//! Payload that has no effect if the module reads it as a command.

/// The number of bytes of `payload` that can be sent as one piece without the risk that the module executes them as a
/// command.
///
/// After a lost prompt only the payload itself may be written: a module that waits for it would take any other byte for
/// payload. But the command may have been lost instead, and then the module reads the payload as command lines. So a
/// piece never contains the beginning of a command: `AT` and a character that begins an extended command, directly or
/// after basic commands, or `A/`, in any case. The piece ends after the `A`. Random data are divided like this about
/// once in 50 000 bytes.
///
/// The bytes after the piece do not matter: after a piece that was written in doubt, the session writes a line end
/// before any other byte. For the same reason an incomplete piece is harmless, too.
///
/// A module that got the piece but not the command may get the piece once more, directly after the first, when its
/// result does not come. So the piece twice is harmless, too: otherwise it is halved.
///
/// The result is at most `max`, and zero for an empty payload only.
pub fn harmless_len(payload: &[u8], max: usize) -> usize {
    let mut piece = &payload[..payload.len().min(max)];
    loop {
        let mut line = CommandLine::default();
        // The command that the piece has begun may continue in the next piece.
        let len = if line.acts_within(piece) || line.text == (LineText::At { is_bare: true }) {
            line.cut
        } else if piece.len() > 1 && line.acts_in_front_of(piece) {
            piece.len() / 2
        } else {
            return piece.len();
        };
        piece = &piece[..len];
    }
}

/// A command line as a module collects it. NUL and LF are ignored, a backspace removes a character (V.250 sections 5.1
/// and 6.2.3).
#[derive(Default)]
struct CommandLine {
    text: LineText,
    /// The end of the piece that leaves the command without its second half.
    cut: usize,
    /// True if the line has an `A` that becomes its last character after backspaces.
    has_a: bool,
}

/// The part of a command at the end of a line.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum LineText {
    #[default]
    Nothing,
    A,
    /// `AT`, alone or with basic commands after it.
    At {
        is_bare: bool,
    },
    /// `D` of a dialled number after `AT`.
    Dial,
    /// The line after a backspace. It may end with any of the other parts.
    Edited,
}

impl CommandLine {
    /// Takes bytes until they complete a command. Returns true if they do.
    fn acts_within(&mut self, bytes: &[u8]) -> bool {
        let mut at = self.passed_over(bytes);
        while let Some(byte) = bytes.get(at) {
            if self.acts_with(at, *byte) {
                return true;
            }
            at = at.saturating_add(1);
            at = at.saturating_add(self.passed_over(bytes.get(at..).unwrap_or_default()));
        }
        false
    }

    /// True if the beginning of these bytes completes a command of this line.
    fn acts_in_front_of(&mut self, bytes: &[u8]) -> bool {
        if self.text == LineText::Nothing && !self.has_a {
            return false;
        }
        let first = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        (self.text != LineText::Nothing || first.contains(&0x08)) && self.acts_within(first)
    }

    /// The number of bytes that leave the state unchanged. These are most bytes of a payload.
    fn passed_over(&self, bytes: &[u8]) -> usize {
        let begins = |byte: &u8| matches!(byte, b'A' | b'a');
        let ends = |byte: &u8| matches!(byte, b'A' | b'a' | b'\r' | 0x08);
        let next = match (self.text, self.has_a) {
            (LineText::Nothing, false) => bytes.iter().position(begins),
            (LineText::Nothing, true) => bytes.iter().position(ends),
            (LineText::A | LineText::At { .. } | LineText::Dial | LineText::Edited, _) => Some(0),
        };
        next.unwrap_or(bytes.len())
    }

    /// Takes a byte. Returns true if it completes a command.
    fn acts_with(&mut self, at: usize, byte: u8) -> bool {
        let may_be_at = matches!(self.text, LineText::At { .. } | LineText::Edited);
        let may_be_a = matches!(self.text, LineText::A | LineText::Edited);
        self.text = match byte {
            0 | b'\n' => return false,
            b'\r' => {
                self.has_a = false;
                LineText::Nothing
            }
            0x08 if self.has_a => {
                if self.text == LineText::Nothing {
                    self.cut = at;
                }
                LineText::Edited
            }
            b'/' if may_be_a => return true,
            b'T' | b't' if may_be_a => LineText::At { is_bare: true },
            b'+' | b'0'..=b'9' | b'*' | b'#' | b'>' if self.text == LineText::Dial => return true,
            b'T' | b't' | b'P' | b'p' | b' ' if self.text == LineText::Dial => LineText::Dial,
            byte if may_be_at && is_command_name(byte) => return true,
            b'D' | b'd' if may_be_at => LineText::Dial,
            b'A' | b'a' => {
                self.has_a = true;
                self.cut = at.saturating_add(1);
                LineText::A
            }
            byte if byte.is_ascii_whitespace() && may_be_at => self.text,
            byte if may_be_at && is_basic(byte) => match self.text {
                LineText::Edited => LineText::Edited,
                _ => LineText::At { is_bare: false },
            },
            _ => LineText::Nothing,
        };
        false
    }
}

/// Characters that begin extended commands. Basic commands (`ATE1`, `ATZ`) change settings only, which the session
/// detects and restores. Dialling is the exception, see above.
pub(super) fn is_command_name(byte: u8) -> bool {
    matches!(byte, b'+' | b'*' | b'^' | b'&' | b'%' | b'$' | b'#' | b'@' | b'!' | b'\\')
}

/// Basic commands, with their values, that another command may follow on the same line (V.250 section 5.2.2).
fn is_basic(byte: u8) -> bool {
    let name = byte.to_ascii_uppercase();
    name.is_ascii_digit() || b"EHILMOPQSTVWXZ=?;".contains(&name)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Random payloads of 24 bytes of an alphabet, the same in each run.
    pub(in super::super) fn payloads(alphabet: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        let mut random = 0x9e37_79b9_u64;
        let mut byte = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            alphabet[random as usize % alphabet.len()]
        };
        std::iter::repeat_with(move || std::iter::repeat_with(&mut byte).take(24).collect())
    }

    fn chunks(payload: &[u8], max: usize) -> Vec<&[u8]> {
        let mut rest = payload;
        let mut chunks = Vec::new();
        while !rest.is_empty() {
            let (chunk, tail) = rest.split_at(harmless_len(rest, max));
            chunks.push(chunk);
            rest = tail;
        }
        chunks
    }

    #[test]
    fn ordinary_payload_is_one_chunk() {
        let text =
            b"GET /path HTTP/1.1\r\nDate: today\r\nContent-Type: application/json\r\nattention\r\n\r\n";
        assert_eq!(harmless_len(text, 1460), text.len());
        assert_eq!(harmless_len(&[0; 4000], 1460), 1460);
    }

    /// The cut of a command in these bytes, byte by byte, without skipping.
    fn cut_by_each_byte(bytes: &[u8]) -> Option<usize> {
        let mut line = CommandLine::default();
        let acts = bytes.iter().enumerate().any(|(at, byte)| line.acts_with(at, *byte));
        (acts || line.text == LineText::At { is_bare: true }).then_some(line.cut)
    }

    /// The same as [`harmless_len`], byte by byte.
    fn by_each_byte(piece: &[u8]) -> usize {
        match cut_by_each_byte(piece) {
            Some(cut) => by_each_byte(&piece[..cut]),
            None if piece.len() > 1 && cut_by_each_byte(&piece.repeat(2)).is_some() => {
                by_each_byte(&piece[..piece.len() / 2])
            }
            None => piece.len(),
        }
    }

    #[test]
    fn no_byte_that_counts_is_passed_over() {
        const BYTES: [u8; 8] = [b'A', b't', b'+', b'x', b'\r', 0x08, b'/', b'D'];
        let mut piece = [0; 6];
        for number in 0..8_usize.pow(6) {
            for (place, byte) in piece.iter_mut().enumerate() {
                *byte = BYTES[number >> (3 * place) & 7];
            }
            assert_eq!(harmless_len(&piece, 6), by_each_byte(&piece), "{}", piece.escape_ascii());
        }
    }

    #[test]
    fn no_chunk_holds_the_beginning_of_a_command() {
        for payload in [
            &b"x\rAT+CFUN=0\r"[..],
            b"at+cipshut\r",
            b"\nA/\nA/",
            b"AT&F",
            b"ATD112;\r",
            b"AtAT+X AT",
            b"AAT+",
        ] {
            for chunk in chunks(payload, 1460) {
                let upper = chunk.to_ascii_uppercase();
                let harmful = upper.windows(2).any(|two| two == b"A/")
                    || upper.windows(3).any(|three| three.starts_with(b"AT") && b"+&D".contains(&three[2]));
                assert!(!harmful, "{:?}", String::from_utf8_lossy(chunk));
            }
        }
    }

    #[test]
    fn a_piece_that_was_cut_off_is_harmless_by_the_same_rule() {
        let cut_after = [[b'.'; 1458].as_slice(), b"ATLAS and more"].concat();
        assert_eq!(harmless_len(&cut_after, 1460), 1459, "not cut in the middle of AT");
        for payload in payloads(b"AaTt+/D1E \r\n\x08\0x").take(20_000) {
            for chunk in chunks(&payload, 10) {
                assert_eq!(harmless_len(chunk, usize::MAX), chunk.len(), "{}", chunk.escape_ascii());
            }
        }
    }

    #[test]
    fn no_disguise_of_a_command_stays_whole() {
        for payload in [
            &b"ATE1+CFUN=0\r"[..],
            b"ATE0V1 Q0 +CFUN=0\r",
            b"A\0T\n+CFUN=0\r",
            b"AX\x08T+CFUN=0\r",
            b"ATX\x08+CFUN=0\r",
            b"AT;+CFUN=0\r",
            b"ATH0D112;\r",
        ] {
            assert!(chunks(payload, 1460).len() > 1, "{}", payload.escape_ascii());
        }
    }

    #[test]
    fn a_piece_that_is_written_twice_in_a_row_is_no_command() {
        for payload in [
            &b"T+CFUN=0\r\rA"[..],
            b"/A",
            b"+CFUN=0\rATE1",
            b"D112;\r ATE1",
            b"\x08T+CFUN=0\rAx",
            b"\0\nT+CFUN=0\rA\0",
        ] {
            for chunk in chunks(payload, 1460) {
                assert_eq!(cut_by_each_byte(&chunk.repeat(2)), None, "{}", payload.escape_ascii());
            }
        }
    }

    #[test]
    fn a_chunk_is_never_empty_and_never_too_long() {
        let hostile = b"AT+".repeat(1000);
        assert!(chunks(&hostile, 10).iter().all(|chunk| (1..=10).contains(&chunk.len())));
    }
}
