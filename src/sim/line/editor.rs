//! The editor: it finds command lines in the host's bytes, and determines the echo.

use std::time::Duration;

use crate::time::Timestamp;

/// The longest command line (8910 SDK, protocol.md section 2). A longer one is skipped to its end and refused.
const MAX_LINE: usize = 1024;

/// The result of one byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Edit {
    /// The line is incomplete.
    More,
    /// A command line, without `AT` and without its end.
    Line(Vec<u8>),
    /// A line that was too long.
    TooLong,
}

/// The line under the cursor.
#[derive(Debug, Default)]
pub(in crate::sim) struct Editor {
    line: Vec<u8>,
    overflowed: bool,
    /// The line that `A/` repeats.
    last: Vec<u8>,
    /// The time of a line's carriage return whose line feed has not come yet.
    returned_at: Option<Timestamp>,
    /// True if line ends are skipped without echo, after a payload of fixed length (protocol.md section 2).
    skipping: bool,
}

impl Editor {
    /// Takes one byte. The echo of it is appended to `echo`.
    pub(in crate::sim) fn push(&mut self, now: Timestamp, byte: u8, echo: &mut Vec<u8>) -> Edit {
        if self.skipping && matches!(byte, b'\r' | b'\n') {
            return Edit::More;
        }
        self.skipping = false;
        echo.push(byte);
        match byte {
            b'\r' => self.end_line(now),
            b'\n' => {
                self.returned_at = None;
                Edit::More
            }
            0 => Edit::More,
            // S5=8: backspace removes a character.
            0x08 => {
                self.line.pop();
                Edit::More
            }
            _ => self.append(byte),
        }
    }

    /// True if this line feed is the second half of the line end before it.
    pub(in crate::sim) fn completes_line_end(&mut self, now: Timestamp, byte: u8, window: Duration) -> bool {
        let Some(returned_at) = self.returned_at else {
            return false;
        };
        let completes = byte == b'\n' && now - returned_at <= window;
        // A late line feed is no payload either, if a prompt comes before it is read.
        if completes || byte != b'\n' {
            self.returned_at = None;
        }
        completes
    }

    /// True if the last line has ended with a carriage return only so far.
    pub(in crate::sim) fn awaits_line_feed(&self) -> bool {
        self.returned_at.is_some()
    }

    /// Skips the line ends that follow, without echo.
    pub(in crate::sim) fn skip_line_ends(&mut self) {
        self.skipping = true;
        self.returned_at = None;
    }

    /// Forgets everything except the line that `A/` repeats.
    pub(in crate::sim) fn clear(&mut self) {
        self.line.clear();
        self.overflowed = false;
        self.returned_at = None;
        self.skipping = false;
    }

    fn append(&mut self, byte: u8) -> Edit {
        self.returned_at = None;
        if self.line.len() == MAX_LINE {
            self.overflowed = true;
            return Edit::More;
        }
        self.line.push(byte);
        if self.line.eq_ignore_ascii_case(b"A/") {
            self.line.clear();
            return Edit::Line(self.last.clone());
        }
        Edit::More
    }

    fn end_line(&mut self, now: Timestamp) -> Edit {
        self.returned_at = Some(now);
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.overflowed) {
            return Edit::TooLong;
        }
        // The bytes before AT are noise: ESC or 0x1A of an earlier send, a wrong rate (CLI, protocol.md section 0).
        let start = line.windows(2).position(|pair| pair.eq_ignore_ascii_case(b"AT"));
        let Some(start) = start else {
            return Edit::More;
        };
        self.last = line[start + 2..].to_vec();
        Edit::Line(self.last.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(editor: &mut Editor, text: &[u8]) -> (Vec<Edit>, Vec<u8>) {
        let mut echo = Vec::new();
        let edits = text.iter().map(|byte| editor.push(Timestamp::ZERO, *byte, &mut echo));
        let edits = edits.filter(|edit| *edit != Edit::More).collect();
        (edits, echo)
    }

    #[test]
    fn a_line_ends_with_a_carriage_return_and_is_echoed_verbatim() {
        let (edits, echo) = typed(&mut Editor::default(), b"at+CSQ\r");
        assert_eq!(edits, [Edit::Line(b"+CSQ".to_vec())]);
        assert_eq!(echo, b"at+CSQ\r");
    }

    #[test]
    fn noise_before_at_is_ignored() {
        let (edits, _) = typed(&mut Editor::default(), b"\x1b\x1a\xffAT\r");
        assert_eq!(edits, [Edit::Line(Vec::new())]);
    }

    #[test]
    fn a_line_without_at_is_no_command() {
        let (edits, _) = typed(&mut Editor::default(), b"hello\r\n\r\n");
        assert!(edits.is_empty());
    }

    #[test]
    fn a_slash_repeats_the_last_line_without_a_line_end() {
        let (edits, _) = typed(&mut Editor::default(), b"AT+CSQ\rA/");
        assert_eq!(edits[1], Edit::Line(b"+CSQ".to_vec()));
    }

    #[test]
    fn a_backspace_takes_back_a_character() {
        let (edits, _) = typed(&mut Editor::default(), b"AT+CSX\x08Q\r");
        assert_eq!(edits, [Edit::Line(b"+CSQ".to_vec())]);
    }

    #[test]
    fn a_line_of_1024_characters_is_taken_and_a_longer_one_is_refused_whole() {
        let mut editor = Editor::default();
        let mut line = b"AT".to_vec();
        line.resize(MAX_LINE, b'x');
        line.push(b'\r');
        assert!(matches!(typed(&mut editor, &line).0[..], [Edit::Line(_)]));
        line.insert(2, b'x');
        assert_eq!(typed(&mut editor, &line).0, [Edit::TooLong]);
        assert_eq!(typed(&mut editor, b"AT\r").0, [Edit::Line(Vec::new())]);
    }

    #[test]
    fn a_line_feed_completes_the_line_end_only_within_its_window() {
        let window = Duration::from_millis(20);
        let mut editor = Editor::default();
        typed(&mut editor, b"AT\r");
        assert!(editor.completes_line_end(Timestamp::from_millis(20), b'\n', window));
        typed(&mut editor, b"AT\r");
        assert!(!editor.completes_line_end(Timestamp::from_millis(21), b'\n', window));
        typed(&mut editor, b"AT\r");
        assert!(!editor.completes_line_end(Timestamp::ZERO, b'x', window));
    }

    #[test]
    fn line_ends_after_a_payload_vanish_without_echo() {
        let mut editor = Editor::default();
        editor.skip_line_ends();
        let (edits, echo) = typed(&mut editor, b"\r\nAT\r");
        assert_eq!(edits, [Edit::Line(Vec::new())]);
        assert_eq!(echo, b"AT\r");
    }
}
