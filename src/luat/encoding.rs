//! Encodings of trace files: bytes without conversion, or UTF-16 converted to UTF-8.

use std::io::{self, BufRead, Read};

/// A reader with a known encoding.
///
/// A file without a mark or the look of UTF-16 is read without conversion: UTF-8, GBK and broken bytes all preserve the
/// ASCII of the trace. UTF-16 does not. Editors on Windows save text in it, with a mark at the beginning, which is lost
/// if a file is cut.
#[derive(Debug)]
pub(super) enum Source<R> {
    Bytes(Begun<R>),
    Wide(Wide<Begun<R>>),
}

/// The number of bytes that decide the encoding: a sufficient part of a line.
const HEAD: usize = 64;
/// The number of bytes below which the encoding is not decided.
const FEW: usize = 16;

impl<R: BufRead> Source<R> {
    /// Reads the first bytes and removes a byte order mark.
    pub(super) fn new(input: R) -> Self {
        let mut begun = Begun::new(input);
        let (is_wide, is_big, length) = match begun.head[..] {
            [0xef, 0xbb, 0xbf, ..] => (false, false, 3),
            [0xff, 0xfe, ..] => (true, false, 2),
            [0xfe, 0xff, ..] => (true, true, 2),
            _ => {
                let big = wide(&begun.head);
                (big.is_some(), big == Some(true), 0)
            }
        };
        begun.taken = length;
        if is_wide { Self::Wide(Wide::new(begun, is_big)) } else { Self::Bytes(begun) }
    }

    /// The available bytes; empty at the end. An interrupted read is repeated.
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Bytes(input) => fill(input),
            Self::Wide(input) => input.fill(),
        }
    }

    /// Consumes `count` of the bytes that [`Self::fill`] returned.
    pub(super) fn consume(&mut self, count: usize) {
        match self {
            Self::Bytes(input) => input.consume(count),
            Self::Wide(input) => input.taken = input.taken.saturating_add(count),
        }
    }
}

/// The byte order of UTF-16 without a mark (true: big end first); `None` for other encodings. In UTF-16, every other
/// byte is zero with few exceptions, as in a line of mostly ASCII, and no other byte is.
fn wide(head: &[u8]) -> Option<bool> {
    let zeros = |first| head.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let is_most = |zeros: usize| head.len() >= FEW && zeros.saturating_mul(8) >= head.len().saturating_mul(3);
    match (even, odd) {
        (0, odd) if is_most(odd) => Some(false),
        (even, 0) if is_most(even) => Some(true),
        _ => None,
    }
}

/// A reader whose first bytes were read to find the encoding.
#[derive(Debug)]
pub(super) struct Begun<R> {
    /// The first bytes; `taken` of them are consumed.
    head: Vec<u8>,
    taken: usize,
    /// The error after the first bytes. It is returned after them.
    error: Option<io::Error>,
    input: R,
}

impl<R: BufRead> Begun<R> {
    fn new(mut input: R) -> Self {
        let mut head = Vec::new();
        let mut error = None;
        while head.len() < HEAD {
            match fill(&mut input) {
                Ok([]) => break,
                Ok(bytes) => {
                    let count = bytes.len().min(HEAD.saturating_sub(head.len()));
                    head.extend_from_slice(&bytes[..count]);
                    input.consume(count);
                }
                Err(failed) => {
                    error = Some(failed);
                    break;
                }
            }
        }
        Self { head, taken: 0, error, input }
    }
}

impl<R: BufRead> Read for Begun<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buf)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Begun<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken < self.head.len() {
            return Ok(&self.head[self.taken..]);
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.input.fill_buf(),
        }
    }

    fn consume(&mut self, count: usize) {
        if self.taken < self.head.len() {
            self.taken = self.taken.saturating_add(count);
        } else {
            self.input.consume(count);
        }
    }
}

/// UTF-16, converted to UTF-8. A unit that is no half of a pair becomes U+FFFD.
#[derive(Debug)]
pub(super) struct Wide<R> {
    input: R,
    is_big: bool,
    /// The first byte of a unit without its second byte.
    half: Option<u8>,
    /// The first unit of a pair without its second unit.
    high: Option<u16>,
    /// The decoded bytes; `taken` of them are consumed.
    decoded: Vec<u8>,
    taken: usize,
}

impl<R: BufRead> Wide<R> {
    fn new(input: R, is_big: bool) -> Self {
        Self { input, is_big, half: None, high: None, decoded: Vec::new(), taken: 0 }
    }

    fn fill(&mut self) -> io::Result<&[u8]> {
        while self.taken >= self.decoded.len() {
            self.decoded.clear();
            self.taken = 0;
            let bytes = fill(&mut self.input)?.to_vec();
            self.input.consume(bytes.len());
            if bytes.is_empty() {
                break;
            }
            for byte in bytes {
                self.push(byte);
            }
        }
        Ok(&self.decoded[self.taken..])
    }

    fn push(&mut self, byte: u8) {
        let Some(first) = self.half.take() else {
            self.half = Some(byte);
            return;
        };
        let unit =
            if self.is_big { u16::from_be_bytes([first, byte]) } else { u16::from_le_bytes([first, byte]) };
        let is_high = (0xd800..0xdc00).contains(&unit);
        match self.high.take() {
            None if is_high => self.high = Some(unit),
            None => self.decode(&[unit]),
            // The first unit has no second; this one may be the first of a pair.
            Some(high) if is_high => {
                self.decode(&[high]);
                self.high = Some(unit);
            }
            Some(high) => self.decode(&[high, unit]),
        }
    }

    fn decode(&mut self, units: &[u16]) {
        for decoded in char::decode_utf16(units.iter().copied()) {
            let character = decoded.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

fn fill<R: BufRead>(input: &mut R) -> io::Result<&[u8]> {
    // The borrow of a buffer that is returned from inside a loop would last for the whole loop.
    while let Err(error) = input.fill_buf() {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    input.fill_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The decoded bytes, read in pieces of `chunk` bytes.
    fn decoded(bytes: &[u8], chunk: usize) -> Vec<u8> {
        let mut source = Source::new(io::BufReader::with_capacity(chunk, bytes));
        let mut all = Vec::new();
        loop {
            let piece = source.fill().unwrap().to_vec();
            if piece.is_empty() {
                return all;
            }
            source.consume(1);
            all.push(piece[0]);
        }
    }

    fn wide(text: &str, big: bool) -> Vec<u8> {
        let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    #[test]
    fn both_kinds_of_utf_16_and_all_marks_give_the_same_text_at_any_chunk_size() {
        let text = "[I]-[工具] 𝄞 €\n";
        for chunk in 1..9 {
            assert_eq!(decoded(text.as_bytes(), chunk), text.as_bytes());
            assert_eq!(decoded(format!("\u{feff}{text}").as_bytes(), chunk), text.as_bytes());
            assert_eq!(decoded(&wide(text, false), chunk), text.as_bytes());
            assert_eq!(decoded(&wide(text, true), chunk), text.as_bytes());
        }
    }

    #[test]
    fn broken_pairs_become_replacement_characters_and_the_rest_survives() {
        let units = [0xfeff, 0xd834, 0xd834, 0xdd1e, 0xdd1e, 0x41];
        let bytes: Vec<u8> = units.into_iter().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(&bytes, 3), "\u{fffd}𝄞\u{fffd}A".as_bytes());
        assert_eq!(decoded(&bytes[..bytes.len() - 1], 3), "\u{fffd}𝄞\u{fffd}".as_bytes());
    }

    #[test]
    fn utf_16_is_known_without_its_mark_too() {
        let text = "[I]-[工具] 𝄞 and then some more text, longer than what is looked at\n";
        for chunk in [1, 5, 100] {
            for big in [false, true] {
                assert_eq!(decoded(&wide(text, big)[2..], chunk), text.as_bytes(), "{big}");
            }
        }
        // Zeros alone are not UTF-16, and neither are a few bytes of its form.
        for bytes in [&[0; 100][..], &[b'a', 0].repeat(7), &b"\0[I]-[a] 1\n[I]-[b] 2\n[I]-[c] 3\n"[..]] {
            assert_eq!(decoded(bytes, 7), bytes);
        }
    }

    #[test]
    fn an_error_among_the_first_bytes_is_returned_after_them() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let mut source = Source::new(io::BufReader::new((&b"abc"[..]).chain(Broken)));
        assert_eq!(source.fill().unwrap(), b"abc");
        source.consume(3);
        assert_eq!(source.fill().unwrap_err().to_string(), "gone");
    }

    #[test]
    fn short_and_broken_files_are_no_utf_16() {
        for bytes in [&b""[..], b"\xef", b"\xef\xbb", b"\xb9\xa4\xbe\xdf", b"a"] {
            assert_eq!(decoded(bytes, 1), bytes);
        }
    }
}
