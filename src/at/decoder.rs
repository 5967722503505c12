//! Bytes from the modem, cut into tokens.

use nom::IResult;
use nom::bytes::streaming::take_until;

use super::header::{self, Header, Impossible, RawHeader, Scan};

/// The longest line that is kept. The module's own command lines end at 1024 bytes (protocol section 2) and its
/// longest documented answers are shorter; what is longer is reported as [`Fault::LineTooLong`] and passed over.
pub const MAX_LINE: usize = 2048;

/// What the engine knows of the next bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// Lines only: a `>` is text.
    Line,
    /// A send waits for its `> `, so a `>` at the start of a line is the prompt.
    Prompt,
    /// Text of people behind its header: each line as it came up to its LF, empty ones too, and no header or prompt.
    Text,
    /// No text at all: every byte is payload (transparent mode). Asked for where a line ends.
    Raw,
}

/// One piece of what the modem wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Token<'a> {
    /// A line of text without its line end and outer blanks; never empty, not necessarily UTF-8. Of text of people
    /// ([`Expect::Text`]) the line without its LF, perhaps empty.
    Line(&'a [u8]),
    /// The `> ` that asks for payload. The blank may follow later and is passed over.
    Prompt,
    /// The next [`Header::len`] bytes are payload: [`Token::Data`] tokens follow until one is the last.
    Header(Header),
    /// Raw payload, as much as there is. Borrowed from the input: nothing is copied or searched.
    Data {
        /// The bytes; empty only if the header announced none.
        bytes: &'a [u8],
        /// Whether the payload is complete.
        last: bool,
    },
    /// Something that no modem should write. The decoder has passed over it.
    Fault(Fault),
}

/// What was wrong with the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A line longer than [`MAX_LINE`].
    #[error("a line of more than {MAX_LINE} bytes")]
    LineTooLong,
    /// Data for a channel that does not exist; they are passed over.
    #[error("{len} bytes of data for channel {number}, which does not exist")]
    ImpossibleChannel {
        /// The number that the modem wrote.
        number: u32,
        /// How many bytes it announced.
        len: usize,
    },
    /// A header that announces more than [`MAX_PAYLOAD`](super::MAX_PAYLOAD) bytes; what follows is read as text.
    #[error("a header that announces {len} bytes of data")]
    ImpossibleLength {
        /// The length that the modem wrote.
        len: u32,
    },
}

/// Cuts the modem's bytes into [`Token`]s, one at a time, in linear time at any chunk size.
///
/// ```
/// use air724ug::at::{Decoder, Expect, Token};
///
/// let mut decoder = Decoder::new();
/// let mut input: &[u8] = b"\r\n+CSQ: 20,0\r\n\r\nOK\r\n";
/// let mut lines = Vec::new();
/// while let Some(token) = decoder.next(&mut input, Expect::Line) {
///     let Token::Line(line) = token else { unreachable!() };
///     lines.push(line.to_vec());
/// }
/// assert_eq!(lines, [b"+CSQ: 20,0".to_vec(), b"OK".to_vec()]);
/// ```
///
/// | state | on | next |
/// |---|---|---|
/// | `Text` | line end; prompt, where expected | `Text` |
/// | `Text` | a header | `Payload` (for nobody, if the channel is impossible) |
/// | `Text` | `MAX_LINE` bytes without a line end | `Overlong` |
/// | `Overlong` | line end | `Text` |
/// | `Payload` | the last announced byte, or [`abandon_data`](Self::abandon_data) | `Text` |
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    /// The part of a line that came without its end.
    line: Vec<u8>,
    /// Whether `line` was handed out and is to be cleared.
    taken: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum State {
    #[default]
    Text,
    /// The rest of a line of which the start was already reported as too long.
    Overlong,
    /// Raw bytes.
    Payload { left: usize, line_end: LineEnd, reader: Reader },
}

/// Who gets raw bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reader {
    Caller,
    /// They came for an impossible channel.
    Nobody,
}

/// The one optional CR LF between a header and its payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LineEnd {
    /// CR may come.
    Cr,
    /// CR came; LF may come.
    Lf,
    /// CR came, but no LF behind it.
    NotOne,
    Done,
}

impl Decoder {
    /// A decoder at the start of a line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next token off the front of `input`; `None` when more bytes are needed. Call until `None`.
    pub fn next<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8], expect: Expect) -> Option<Token<'s>> {
        if std::mem::take(&mut self.taken) {
            self.line.clear();
        }
        if expect == Expect::Raw {
            let bytes = std::mem::take(input);
            return (!bytes.is_empty()).then_some(Token::Data { bytes, last: false });
        }
        loop {
            match self.state {
                State::Text if expect == Expect::Text => return self.whole_line(input),
                State::Text => return self.text(input, expect),
                State::Overlong => {
                    let (rest, _) = line_end(input).ok().or_else(|| {
                        *input = &[];
                        None
                    })?;
                    *input = &rest[1..];
                    self.state = State::Text;
                }
                State::Payload { left, line_end, reader } => {
                    let data = self.payload(input, left, line_end, reader)?;
                    if reader == Reader::Caller {
                        return Some(data);
                    }
                }
            }
        }
    }

    /// The next `len` bytes are raw, without a header: the echo of a payload, or a transparent connection
    /// (`usize::MAX`: for ever).
    pub fn expect_data(&mut self, len: usize) {
        self.state = State::Payload { left: len, line_end: LineEnd::Done, reader: Reader::Caller };
    }

    /// How many raw bytes are still announced; zero in text.
    pub fn data_left(&self) -> usize {
        match self.state {
            State::Text | State::Overlong => 0,
            State::Payload { left, .. } => left,
        }
    }

    /// Gives up waiting for announced bytes that do not come: what follows is text again.
    pub fn abandon_data(&mut self) {
        self.state = State::Text;
    }

    /// The start of a line whose end has not come.
    ///
    /// Old firmware forgets the CR LF behind some lines (protocol section 2), so a line on which nothing follows for
    /// a while may be whole: the engine then calls [`end_line`](Self::end_line).
    pub fn partial_line(&self) -> &[u8] {
        if self.taken { &[] } else { self.line.trim_ascii() }
    }

    /// Takes the partial line as a whole one.
    pub fn end_line(&mut self) -> Option<Token<'_>> {
        if self.partial_line().is_empty() {
            return None;
        }
        self.taken = true;
        Some(Token::Line(self.line.trim_ascii()))
    }

    fn text<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8], expect: Expect) -> Option<Token<'s>> {
        if self.line.is_empty() {
            let blanks = input.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0).count();
            *input = &input[blanks..];
            if expect == Expect::Prompt && input.first() == Some(&b'>') {
                *input = &input[1..];
                return Some(Token::Prompt);
            }
            match header::scan(input) {
                Scan::Complete { header, consumed } => {
                    *input = &input[consumed..];
                    return Some(self.begin_data(header, LineEnd::Cr));
                }
                Scan::NotHeader | Scan::UntilLineEnd => {}
                Scan::Undecided => return self.collect_header(input),
            }
            if let Ok((rest, line)) = line_end(input) {
                *input = &rest[1..];
                return Some(if line.len() > MAX_LINE {
                    Token::Fault(Fault::LineTooLong)
                } else {
                    self.line(line)
                });
            }
            return self.keep(input);
        }
        if header::scan(&self.line) == Scan::Undecided {
            return self.collect_header(input);
        }
        match line_end(input) {
            Ok((rest, line)) => {
                let too_long = self.line.len().saturating_add(line.len()) > MAX_LINE;
                *input = &rest[1..];
                self.taken = true;
                if too_long {
                    return Some(Token::Fault(Fault::LineTooLong));
                }
                self.line.extend_from_slice(line);
                Some(self.kept_line())
            }
            Err(_) => self.keep(input),
        }
    }

    /// A line as it came, up to its LF.
    fn whole_line<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Token<'s>> {
        let Ok((rest, line)) = line_end(input) else { return self.keep(input) };
        *input = rest.get(1..).unwrap_or_default();
        if self.line.len().saturating_add(line.len()) > MAX_LINE {
            self.line.clear();
            return Some(Token::Fault(Fault::LineTooLong));
        }
        if self.line.is_empty() {
            return Some(Token::Line(line));
        }
        self.line.extend_from_slice(line);
        self.taken = true;
        Some(Token::Line(&self.line))
    }

    /// Keeps the bytes of an unfinished line.
    fn keep(&mut self, input: &mut &[u8]) -> Option<Token<'static>> {
        let bytes = std::mem::take(input);
        if self.line.len().saturating_add(bytes.len()) > MAX_LINE {
            self.line.clear();
            self.state = State::Overlong;
            return Some(Token::Fault(Fault::LineTooLong));
        }
        self.line.extend_from_slice(bytes);
        None
    }

    /// Takes byte by byte what may be a header, because its colon ends it and payload follows without a line end.
    fn collect_header<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Token<'s>> {
        while let Some((&byte, rest)) = input.split_first() {
            *input = rest;
            if byte == b'\n' {
                self.taken = true;
                return Some(self.kept_line());
            }
            self.line.push(byte);
            match header::scan(&self.line) {
                Scan::Complete { header, .. } => {
                    self.taken = true;
                    return Some(self.begin_data(header, LineEnd::Cr));
                }
                Scan::Undecided => {}
                Scan::NotHeader | Scan::UntilLineEnd => {
                    // An ordinary line after all; its start is already kept.
                    return self.text(input, Expect::Line);
                }
            }
        }
        None
    }

    fn kept_line(&mut self) -> Token<'_> {
        let kept = self.line.trim_ascii();
        match header::of_line(kept) {
            // The line end is gone already.
            Some(header) => self.begin_data(header, LineEnd::Done),
            None => Token::Line(self.line.trim_ascii()),
        }
    }

    fn line<'a>(&mut self, line: &'a [u8]) -> Token<'a> {
        let line = line.trim_ascii();
        match header::of_line(line) {
            Some(header) => self.begin_data(header, LineEnd::Done),
            None => Token::Line(line),
        }
    }

    fn begin_data<'a>(&mut self, header: RawHeader, line_end: LineEnd) -> Token<'a> {
        match header.check() {
            Ok(header) => {
                self.state = State::Payload { left: header.len, line_end, reader: Reader::Caller };
                Token::Header(header)
            }
            Err(Impossible::Channel { number, len }) => {
                self.state = State::Payload { left: len, line_end, reader: Reader::Nobody };
                Token::Fault(Fault::ImpossibleChannel { number, len })
            }
            Err(Impossible::Length(len)) => Token::Fault(Fault::ImpossibleLength { len }),
        }
    }

    fn payload<'a>(
        &mut self,
        input: &mut &'a [u8],
        left: usize,
        line_end: LineEnd,
        reader: Reader,
    ) -> Option<Token<'a>> {
        if left == 0 {
            self.state = State::Text;
            return Some(Token::Data { bytes: &[], last: true });
        }
        let passed = pass_line_end(input, line_end);
        self.state = State::Payload { left, line_end: passed, reader };
        let bytes: &[u8] = if passed == LineEnd::NotOne {
            b"\r" // The CR was payload, no half of a line end.
        } else {
            let (bytes, rest) = input.split_at(left.min(input.len()));
            *input = rest;
            bytes
        };
        if bytes.is_empty() {
            return None;
        }
        let left = if left == usize::MAX { left } else { left.saturating_sub(bytes.len()) };
        self.state =
            if left == 0 { State::Text } else { State::Payload { left, line_end: LineEnd::Done, reader } };
        Some(Token::Data { bytes, last: left == 0 })
    }
}

/// Passes over what has come of the one CR LF between header and payload.
fn pass_line_end(input: &mut &[u8], mut line_end: LineEnd) -> LineEnd {
    loop {
        line_end = match (line_end, input.first()) {
            (LineEnd::Cr, Some(b'\r')) => LineEnd::Lf,
            (LineEnd::Lf, Some(b'\n')) => LineEnd::Done,
            (LineEnd::Cr | LineEnd::Lf, None) => return line_end,
            (LineEnd::Lf, Some(_)) => return LineEnd::NotOne,
            (LineEnd::Cr, Some(_)) | (LineEnd::NotOne | LineEnd::Done, _) => return LineEnd::Done,
        };
        *input = &input[1..];
    }
}

fn line_end(input: &[u8]) -> IResult<&[u8], &[u8]> {
    take_until("\n")(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a stream of bytes says, payload pieces joined: comparable at any chunk size.
    #[derive(Clone, PartialEq, Debug)]
    enum Seen {
        Line(String),
        Prompt,
        Data(Vec<u8>),
        Fault(Fault),
    }

    fn decode(bytes: &[u8], chunk: usize, expect: Expect) -> Vec<Seen> {
        let mut decoder = Decoder::new();
        let mut seen = Vec::new();
        let mut data = Vec::new();
        for mut input in bytes.chunks(chunk) {
            while let Some(token) = decoder.next(&mut input, expect) {
                match token {
                    Token::Line(line) => seen.push(Seen::Line(String::from_utf8_lossy(line).into_owned())),
                    Token::Prompt => seen.push(Seen::Prompt),
                    Token::Header(_) => {}
                    Token::Data { bytes, last } => {
                        data.extend_from_slice(bytes);
                        if last {
                            seen.push(Seen::Data(std::mem::take(&mut data)));
                        }
                    }
                    Token::Fault(fault) => seen.push(Seen::Fault(fault)),
                }
            }
            assert!(input.is_empty(), "bytes left over");
        }
        seen
    }

    fn same_at_every_chunk_size(bytes: &[u8], expect: Expect) -> Vec<Seen> {
        let whole = decode(bytes, bytes.len().max(1), expect);
        for chunk in 1..=64 {
            assert_eq!(decode(bytes, chunk, expect), whole, "chunks of {chunk}");
        }
        whole
    }

    fn line(text: &str) -> Seen {
        Seen::Line(text.to_owned())
    }

    fn data(bytes: &[u8]) -> Seen {
        Seen::Data(bytes.to_vec())
    }

    #[test]
    fn payload_is_never_searched_for_text() {
        let seen = same_at_every_chunk_size(
            b"\r\n+RECEIVE,0,26:\r\n\r\nOK\r\n+RECEIVE,1,3:\r\nabc\r\n0, CLOSED\r\n",
            Expect::Line,
        );
        assert_eq!(seen, [data(b"\r\nOK\r\n+RECEIVE,1,3:\r\nabc\r\n"), line("0, CLOSED")]);
    }

    #[test]
    fn a_header_may_be_glued_to_its_payload() {
        let seen = same_at_every_chunk_size(b"\r\n+RECEIVE,5,6:ABCDEF\r\nOK\r\n", Expect::Line);
        assert_eq!(seen, [data(b"ABCDEF"), line("OK")]);
    }

    #[test]
    fn a_lone_cr_behind_a_glued_header_is_payload() {
        let seen = same_at_every_chunk_size(b"+RECEIVE,5,2:\rX\r\nOK\r\n", Expect::Line);
        assert_eq!(seen, [data(b"\rX"), line("OK")]);
    }

    #[test]
    fn only_one_line_end_is_passed_over() {
        let seen = same_at_every_chunk_size(b"+RECEIVE,1,4:\r\n\r\nAB\r\nOK\r\n", Expect::Line);
        assert_eq!(seen, [data(b"\r\nAB"), line("OK")]);
    }

    #[test]
    fn fetched_payload_follows_its_line() {
        let bytes = b"\r\n+CIPRXGET: 2,0,4,0\r\nOK\r\n\r\n\r\n\r\nOK\r\n\r\n+CIPRXGET: 2,3,0,0\r\n\r\nOK\r\n";
        let seen = same_at_every_chunk_size(bytes, Expect::Line);
        assert_eq!(seen, [data(b"OK\r\n"), line("OK"), data(b""), line("OK")]);
    }

    #[test]
    fn echoes_blank_lines_and_glued_frames_are_lines() {
        let bytes =
            b"AT\r\r\nOK\r\n\r\n\r\n\r\nRDY\r\nOK\r\n\r\nCONNECT OK\r\n^boot.rom'v'!\n \r\n0, SEND OK\r\n";
        let seen = same_at_every_chunk_size(bytes, Expect::Line);
        assert_eq!(seen, ["AT", "OK", "RDY", "OK", "CONNECT OK", "^boot.rom'v'!", "0, SEND OK"].map(line));
    }

    #[test]
    fn a_prompt_is_one_only_where_it_is_expected() {
        for prompt in [&b"\r\n> \r\nOK\r\n"[..], b"\r\n>\r\nOK\r\n", b"\r\n>OK\r\n"] {
            assert_eq!(same_at_every_chunk_size(prompt, Expect::Prompt), [Seen::Prompt, line("OK")]);
        }
        assert_eq!(same_at_every_chunk_size(b"\r\n> \r\nOK\r\n", Expect::Line), [line(">"), line("OK")]);
    }

    #[test]
    fn a_line_too_long_is_a_fault_and_the_next_line_is_read() {
        let mut bytes = vec![b'x'; MAX_LINE + 1];
        bytes.extend_from_slice(b"\r\nOK\r\n");
        let seen = same_at_every_chunk_size(&bytes, Expect::Line);
        assert_eq!(seen, [Seen::Fault(Fault::LineTooLong), line("OK")]);
    }

    #[test]
    fn payload_of_an_impossible_channel_is_passed_over() {
        let seen = same_at_every_chunk_size(b"+RECEIVE,8,6:\r\n\r\nOK\r\n\r\nRDY\r\n", Expect::Line);
        assert_eq!(seen, [Seen::Fault(Fault::ImpossibleChannel { number: 8, len: 6 }), line("RDY")]);
    }

    #[test]
    fn an_impossible_length_is_not_waited_for() {
        let seen = same_at_every_chunk_size(b"+RECEIVE,0,60000:\r\nRDY\r\n", Expect::Line);
        assert_eq!(seen, [Seen::Fault(Fault::ImpossibleLength { len: 60_000 }), line("RDY")]);
    }

    #[test]
    fn an_unfinished_line_can_be_ended_by_hand() {
        let mut decoder = Decoder::new();
        let mut input: &[u8] = b"\r\n0, CONNECT OK";
        assert_eq!(decoder.next(&mut input, Expect::Line), None);
        assert_eq!(decoder.partial_line(), b"0, CONNECT OK");
        assert_eq!(decoder.end_line(), Some(Token::Line(b"0, CONNECT OK")));
        let mut input: &[u8] = b"\r\nOK\r\n";
        assert_eq!(decoder.next(&mut input, Expect::Line), Some(Token::Line(b"OK")));
    }

    #[test]
    fn announced_bytes_that_never_come_can_be_given_up() {
        let mut decoder = Decoder::new();
        let mut input: &[u8] = b"+RECEIVE,0,9:\r\nabc";
        while decoder.next(&mut input, Expect::Line).is_some() {}
        assert_eq!(decoder.data_left(), 6);
        decoder.abandon_data();
        let mut input: &[u8] = b"\r\nOK\r\n";
        assert_eq!(decoder.next(&mut input, Expect::Line), Some(Token::Line(b"OK")));
    }
}
