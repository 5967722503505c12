//! The lines of a trace of any length.

use std::io::{self, BufRead};

use super::encoding::Source;

/// The longest line that is kept, in bytes: 64 KiB, more than any print of a script (whose strings the firmware cuts at
/// a smaller length). The rest of a longer line is dropped, and the line is marked as cut.
pub const MAX_LINE: usize = 64 * 1024;

/// One line without its line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TextLine {
    /// The number of the line, counted from 1.
    pub(super) number: u64,
    pub(super) text: Vec<u8>,
    /// True if the end of the line was dropped.
    pub(super) cut: bool,
}

/// Reads line by line and keeps one line at a time.
#[derive(Debug)]
pub(super) struct Lines<R> {
    state: InputState<R>,
    number: u64,
}

#[derive(Debug)]
enum InputState<R> {
    Unopened(R),
    Open(Source<R>),
    /// After the end or an error.
    Over,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { state: InputState::Unopened(input), number: 0 }
    }

    /// The next line; `None` at the end, and after an error. LF ends a line; CRs before it are part of the line end.
    pub(super) fn next(&mut self) -> io::Result<Option<TextLine>> {
        let line = self.read();
        if !matches!(line, Ok(Some(_))) {
            self.state = InputState::Over;
        }
        line
    }

    fn read(&mut self) -> io::Result<Option<TextLine>> {
        if let InputState::Unopened(_) = self.state {
            let InputState::Unopened(input) = std::mem::replace(&mut self.state, InputState::Over) else {
                return Ok(None);
            };
            self.state = InputState::Open(Source::new(input));
        }
        let InputState::Open(source) = &mut self.state else {
            return Ok(None);
        };
        let mut text = Vec::new();
        let (mut cut, mut any) = (false, false);
        loop {
            let bytes = source.fill()?;
            if bytes.is_empty() && !any {
                return Ok(None);
            }
            let end = bytes.iter().position(|&byte| byte == b'\n');
            let part = &bytes[..end.unwrap_or(bytes.len())];
            let room = MAX_LINE.saturating_sub(text.len());
            text.extend_from_slice(&part[..part.len().min(room)]);
            cut |= part.len() > room;
            let is_last = end.is_some() || bytes.is_empty();
            let count = part.len().saturating_add(usize::from(end.is_some()));
            source.consume(count);
            any = true;
            if is_last {
                break;
            }
        }
        while !cut && text.last() == Some(&b'\r') {
            text.pop();
        }
        self.number = self.number.saturating_add(1);
        Ok(Some(TextLine { number: self.number, text, cut }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn lines(bytes: &[u8], chunk: usize) -> Vec<(u64, Vec<u8>, bool)> {
        let mut lines = Lines::new(BufReader::with_capacity(chunk, bytes));
        std::iter::from_fn(|| lines.next().unwrap()).map(|line| (line.number, line.text, line.cut)).collect()
    }

    #[test]
    fn line_ends_of_all_kinds_are_taken_away_at_any_chunk_size() {
        let text = b"one\ntwo\r\n\nthree\r\r\n\xff\rfour";
        let expected = [&b"one"[..], b"two", b"", b"three", b"\xff\rfour"];
        for chunk in 1..12 {
            let found: Vec<Vec<u8>> = lines(text, chunk).into_iter().map(|line| line.1).collect();
            assert_eq!(found, expected, "{chunk}");
        }
        assert_eq!(lines(b"", 4), []);
        assert_eq!(lines(b"\n", 4), [(1, vec![], false)]);
        assert_eq!(lines(b"\xff\xfea\0\n\0b\0", 4), [(1, vec![b'a'], false), (2, vec![b'b'], false)]);
    }

    #[test]
    fn a_line_of_the_limit_is_whole_and_a_longer_one_is_cut_and_said_to_be() {
        let whole = vec![b'x'; MAX_LINE];
        let longer = [&whole[..], b"y\nnext"].concat();
        assert_eq!(lines(&whole, 999), [(1, whole.clone(), false)]);
        assert_eq!(lines(&longer, 999), [(1, whole, true), (2, b"next".to_vec(), false)]);
    }

    #[test]
    fn an_error_of_the_reader_is_returned_once() {
        #[derive(Debug)]
        struct Broken;
        impl io::Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let mut lines = Lines::new(BufReader::new(Broken));
        assert_eq!(lines.next().unwrap_err().to_string(), "gone");
        assert_eq!(lines.next().unwrap(), None);
    }
}
