//! The end of a request's body. The bytes after it are another request, possibly for another host.

/// The longest line with the length of a chunk, and the most bytes after the last chunk.
const MAX_LINE: u64 = 8 * 1024;

/// The part of a request's body that has not come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestBody {
    /// This number of bytes.
    Length(u64),
    Chunks(ChunkPart),
}

/// The part of a chunk with the next byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChunkPart {
    /// A line with a length: the value of its digits so far, true if they have ended, and the length of the line.
    Line {
        length: u64,
        has_ended: bool,
        seen: u64,
    },
    Data(u64),
    /// The line end after the data.
    DataEnd,
    /// Lines after the last chunk, up to an empty one: the length of this one, and of all of them.
    Trailer {
        line: u64,
        seen: u64,
    },
}

impl RequestBody {
    /// A body in chunks before its first chunk.
    pub const CHUNKS: Self = Self::Chunks(ChunkPart::Line { length: 0, has_ended: false, seen: 0 });

    /// The number of these bytes that belong to the body. Bytes after an invalid chunk do not.
    pub fn take(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() {
            let left = bytes.len() - taken;
            match self {
                Self::Length(0) => break,
                Self::Length(length) | Self::Chunks(ChunkPart::Data(length)) if *length > 0 => {
                    let count = left.min(usize::try_from(*length).unwrap_or(usize::MAX));
                    *length -= count as u64;
                    taken += count;
                }
                Self::Chunks(part) => {
                    *self = part.after(bytes[taken]).map_or(Self::Length(0), Self::Chunks);
                    taken += 1;
                }
                Self::Length(_) => {}
            }
        }
        taken
    }
}

impl ChunkPart {
    /// The state after this byte; `None` at the end of the body, and after an invalid byte.
    fn after(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Line { seen: 0, .. }, b'\n') => None,
            (Self::Line { length: 0, .. }, b'\n') => Some(Self::Trailer { line: 0, seen: 0 }),
            (Self::Line { length, .. }, b'\n') => Some(Self::Data(length)),
            (Self::Line { length, has_ended, seen: seen @ 0..MAX_LINE }, byte) => {
                match (byte as char).to_digit(16).filter(|_| !has_ended) {
                    Some(digit) => {
                        let length = length.checked_mul(16)?.checked_add(u64::from(digit))?;
                        Some(Self::Line { length, has_ended, seen: seen + 1 })
                    }
                    None if seen == 0 => None,
                    None => Some(Self::Line { length, has_ended: true, seen: seen + 1 }),
                }
            }
            (Self::Data(_), b'\r') => Some(Self::DataEnd),
            (Self::Data(_) | Self::DataEnd, b'\n') => {
                Some(Self::Line { length: 0, has_ended: false, seen: 0 })
            }
            (Self::Trailer { line: 0, .. }, b'\n') => None,
            (Self::Trailer { seen, .. }, b'\n') => Some(Self::Trailer { line: 0, seen: seen + 1 }),
            (Self::Trailer { line, seen: seen @ 0..MAX_LINE }, byte) => {
                Some(Self::Trailer { line: line + u64::from(byte != b'\r'), seen: seen + 1 })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of bytes taken, at once and byte by byte.
    fn taken(body: RequestBody, bytes: &[u8]) -> usize {
        let (mut whole, mut pieces) = (body, body);
        let taken = whole.take(bytes);
        let singly: usize =
            bytes.chunks(1).map(|byte| pieces.take(byte)).take_while(|taken| *taken > 0).sum();
        assert_eq!(singly, taken, "{}", bytes.escape_ascii());
        taken
    }

    #[test]
    fn a_body_ends_where_it_ends() {
        const NEXT: &str = "GET http://other.test/ HTTP/1.1\r\n\r\n";
        assert_eq!(taken(RequestBody::Length(0), NEXT.as_bytes()), 0);
        assert_eq!(taken(RequestBody::Length(5), format!("hello{NEXT}").as_bytes()), 5);
        for body in [
            "0\r\n\r\n",
            "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
            "3;a=b\r\n\r\n\r\r\n0\r\nA: b\r\nC: d\r\n\r\n",
            "A\r\n0123456789\r\n000\r\n\r\n",
        ] {
            assert_eq!(taken(RequestBody::CHUNKS, format!("{body}{NEXT}").as_bytes()), body.len(), "{body}");
        }
    }

    #[test]
    fn what_is_no_chunk_ends_the_body() {
        for wrong in ["zz\r\n", "\r\n", "3\r\nhello\r\n", "fffffffffffffffff\r\n", "-1\r\n"] {
            let more = format!("{wrong}{}", "a".repeat(100));
            assert!(taken(RequestBody::CHUNKS, more.as_bytes()) <= wrong.len() + 1, "{wrong}");
        }
        assert!(taken(RequestBody::CHUNKS, &[b'1'; 100]) <= 17);
        let endless = format!("0\r\n{}", "A: b\r\n".repeat(100_000));
        assert!(taken(RequestBody::CHUNKS, endless.as_bytes()) as u64 <= MAX_LINE + 10);
    }
}
