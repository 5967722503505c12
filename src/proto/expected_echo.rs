//! The echo of a module that does not switch it off: everything that was written comes back among the module's lines.

use std::collections::VecDeque;

/// The written bytes whose echo has not come. A frame of the module may interrupt the echo at any byte. It begins with
/// CR LF, as a line of the payload may, so the bytes from a CR on count as echo only until the next read shows their
/// end.
#[derive(Default)]
pub(super) struct ExpectedEcho {
    /// Whether the module may echo what is written. If not, nothing is kept.
    is_possible: bool,
    /// Whether the echo of a whole write has come since [`has_come`](Self::has_come) was called.
    has_come: bool,
    /// One for each write. The module may leave out the echo of some.
    writes: VecDeque<Vec<u8>>,
    /// The number of bytes of the first write whose echo has come for certain.
    settled: usize,
    /// The echoed bytes after that which may be the beginning of a frame.
    open: Vec<u8>,
}

/// The most writes that are kept. The echo of a write comes before the answer to it.
const MAX_WRITES: usize = 8;

impl ExpectedEcho {
    /// Sets whether the module may echo what is written.
    pub(super) fn is_possible(&mut self, is_possible: bool) {
        self.is_possible = is_possible;
        if !is_possible {
            self.forget();
        }
    }

    /// True once after the echo of a whole write has come.
    pub(super) fn has_come(&mut self) -> bool {
        std::mem::take(&mut self.has_come)
    }

    /// Bytes were written.
    pub(super) fn written(&mut self, bytes: &[u8]) {
        if !self.is_possible {
            return;
        }
        self.writes.push_back(bytes.to_vec());
        if self.writes.len() > MAX_WRITES {
            self.drop_first();
        }
    }

    /// No echo will come of what was written.
    pub(super) fn forget(&mut self) {
        while !self.writes.is_empty() {
            self.drop_first();
        }
        self.open.clear();
        self.has_come = false;
    }

    /// The end of the last read, if it counted as echo and may be the beginning of a frame. It is read again in front
    /// of the next bytes.
    pub(super) fn reopen(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.open)
    }

    /// The number of bytes at the beginning of a line that are echo. The echo ends with what was written, or where a
    /// frame interrupts it.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        let mut came = 0usize;
        while let Some(rest) = bytes.get(came..).filter(|rest| !rest.is_empty()) {
            let Some((skipped, part)) = self.find(rest) else { break };
            for _ in 0..skipped {
                self.drop_first();
            }
            came = came.saturating_add(part.came);
            if part.is_whole {
                self.has_come = true;
                self.drop_first();
                continue;
            }
            self.settled = part.settled;
            self.open = rest.get(part.open..part.came).unwrap_or_default().to_vec();
            break;
        }
        came
    }

    /// The write whose echo these bytes are: the number of writes before it, and its part here. The echo of the writes
    /// before it does not come any more.
    fn find(&self, bytes: &[u8]) -> Option<(usize, Part)> {
        for (index, written) in self.writes.iter().enumerate() {
            let settled = if index == 0 { self.settled } else { 0 };
            let next = self.writes.get(index.saturating_add(1)).and_then(|next| next.first().copied());
            // The line end of the echo may have been read as that of a frame.
            let line_end = written.get(settled..).is_some_and(|rest| rest.starts_with(LINE_END));
            for from in [Some(settled), line_end.then_some(settled.saturating_add(LINE_END.len()))] {
                let part = from.map(|from| Part::of(written, from, bytes, next));
                if let Some(part) = part.filter(|part| part.came > 0) {
                    return Some((index, part));
                }
            }
        }
        None
    }

    fn drop_first(&mut self) {
        if let Some(mut written) = self.writes.pop_front() {
            // It may have held a key or a password.
            written.fill(0);
        }
        self.settled = 0;
    }
}

const LINE_END: &[u8] = b"\r\n";

/// A part of an echo.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Part {
    /// The number of bytes.
    came: usize,
    /// The number of written bytes whose echo has come for certain.
    settled: usize,
    /// The bytes from here on may be the beginning of a frame.
    open: usize,
    /// Whether it is the end of the echo.
    is_whole: bool,
}

impl Part {
    /// The part of the echo at the beginning of these bytes, from a place of what was written on. After it the echo of
    /// the next write may follow, which begins with the byte `next`.
    fn of(written: &[u8], from: usize, bytes: &[u8], next: Option<u8>) -> Self {
        let (mut place, mut came) = (from, 0usize);
        // Where a frame may have begun: the line of a text of people may begin like a command.
        let mut frame = (from == 0).then_some((0, 0));
        while let (Some(expected), Some(byte)) = (written.get(place), bytes.get(came)) {
            if *byte == b'\r' && frame.is_none_or(|(_, begun)| begun < came) {
                frame = Some((place, came));
            }
            match expected == byte {
                true => came = came.saturating_add(1),
                // Some firmware echoes no LF.
                false if *expected == b'\n' => {}
                false => break,
            }
            place = place.saturating_add(1);
        }
        let follows = bytes.get(came).copied();
        let is_end = place == written.len();
        let ends_with_frame = frame.is_some_and(|(settled, _)| settled + LINE_END.len() >= written.len());
        match (frame, follows) {
            // The line end may be that of a frame, whose text follows.
            (Some((settled, open)), None) if !is_end || ends_with_frame => {
                Self { came, settled, open, is_whole: false }
            }
            (Some((settled, came)), Some(byte))
                if !is_end || (ends_with_frame && byte != b'\r' && Some(byte) != next) =>
            {
                Self { came, settled, open: came, is_whole: false }
            }
            (None, Some(_)) if !is_end => Self::default(),
            (_, _) => Self { came, settled: place, open: came, is_whole: is_end },
        }
    }
}

/// Shows numbers only, because the bytes may be a key.
impl std::fmt::Debug for ExpectedEcho {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "ExpectedEcho({} writes, {} settled, {} open)",
            self.writes.len(),
            self.settled,
            self.open.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo_of(writes: &[&[u8]]) -> ExpectedEcho {
        let mut echo = ExpectedEcho::default();
        echo.is_possible(true);
        writes.iter().for_each(|written| echo.written(written));
        echo
    }

    const PAYLOAD: &[u8] = b"ab\r\n+CSQ: 1\r\ncd";

    #[test]
    fn bytes_from_a_line_end_on_are_echo_until_the_next_read_shows_a_frame() {
        let mut echo = echo_of(&[PAYLOAD]);
        assert_eq!(echo.take(b"ab\r\n+CS"), 7);
        let read = [echo.reopen(), b"Q: 9\r\n".to_vec()].concat();
        assert_eq!(read, b"\r\n+CSQ: 9\r\n");
        assert_eq!(echo.take(&read), 0);
        assert_eq!((echo.reopen(), echo.take(&PAYLOAD[2..])), (Vec::new(), PAYLOAD.len() - 2));
    }

    #[test]
    fn a_frame_ends_the_echo_at_the_last_line_end_before_it() {
        for (bytes, expected) in [
            (&b"ab\r\n0, CLOSED\r\n"[..], 2),
            (b"a\r\n0, CLOSED\r\n", 1),
            (b"ab\r\n+CSQ: 1\r\n0, CLOSED\r\n", 11),
            (b"ab\r+CSQ: 1\rcd\r\nOK\r\n", 13),
            (b"abc", 0),
            (b"0, CLOSED\r\n", 0),
        ] {
            assert_eq!(echo_of(&[PAYLOAD]).take(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_line_end_belongs_to_the_frame_whose_text_follows() {
        let mut echo = echo_of(&[b"AT\r\n"]);
        assert_eq!(echo.take(b"AT\r\n+CREG: 1\r\n"), 2);
        assert_eq!(echo.take(b"\r\n\r\nOK\r\n"), 2);
        assert_eq!(echo_of(&[b"hello\r\n", b"AT\r\n"]).take(b"hello\r\nAT\r\n\r\nOK\r\n"), 11);
        let mut echo = echo_of(&[PAYLOAD]);
        assert_eq!(echo.take(b"ab\r\n0, CLOSED\r\n"), 2);
        assert_eq!(echo.take(b"+CSQ: 1\r\ncd"), 11, "its line end was that of the frame");
        let mut echo = echo_of(&[PAYLOAD]);
        assert_eq!(echo.take(b"ab\r\r\n0, CLOSED\r\n"), 3);
        assert_eq!(echo.take(b"\n+CSQ: 1\r\ncd"), 12, "the frame stood between CR and LF");
    }

    #[test]
    fn a_line_that_begins_like_a_command_is_read_again() {
        let mut echo = echo_of(&[b"AT+CSQ\r\n"]);
        assert_eq!(echo.take(b"AT+C"), 4);
        let read = [echo.reopen(), b"hina\r\n".to_vec()].concat();
        assert_eq!((read.as_slice(), echo.take(&read)), (&b"AT+China\r\n"[..], 0));
    }

    #[test]
    fn writes_that_are_not_echoed_are_left_out() {
        let mut echo = echo_of(&[b"file", b"AT+CSQ\r\n", b"AT\r\n"]);
        assert_eq!(echo.take(b"AT+CSQ\r\n\r\n+CSQ: 1\r\n"), 8);
        assert_eq!(echo.take(b"AT\r\n\r\nfile"), 4);
        assert_eq!(echo.take(b"AT\r\n"), 0);
    }

    #[test]
    fn little_is_kept_and_nothing_if_the_module_echoes_nothing() {
        let mut echo = ExpectedEcho::default();
        echo.written(b"AT\r\n");
        assert!(echo.writes.is_empty());
        echo.is_possible(true);
        (0..2 * MAX_WRITES).for_each(|_| echo.written(b"AT\r\n"));
        assert_eq!(echo.writes.len(), MAX_WRITES);
        echo.is_possible(false);
        assert!(echo.writes.is_empty());
    }
}
