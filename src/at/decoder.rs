//! The decoder, which divides the modem's bytes into tokens.

use super::ChannelId;
use super::data_ends::DataEnds;
use super::decoder_state::{DecoderState, HeaderEnds, ImpossibleTokens, LineEnd, Reader};
use super::framing::{Echo, Front, LineEnds, Start, Tail, line_end};
use super::header::{self, Impossible, RawHeader, Scan};
use super::token::{Expect, Fault, MAX_LINE, Token};

/// Divides the modem's bytes into [`Token`]s, one at a time, in linear time for any size of chunks.
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
/// | `Text` | a header | `Payload` (dropped, if the channel is impossible) |
/// | `Text` | `MAX_LINE` bytes without a line end | `Overlong` |
/// | `Overlong` | line end | `Text` |
/// | `Payload` | the last announced byte, or [`abandon_data`](Self::abandon_data) | `Text` |
///
/// A module begins each line with CR LF, so CR LF follows data that are as long as announced. Other bytes there are a
/// [`Fault::NoLineEnd`], with three exceptions: an echo, until [`echo_is_off`](Self::echo_is_off); and an expected
/// prompt or a header, if the first prompt or header has shown that the firmware begins them without a line end.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    state: DecoderState,
    /// The part of a line that has come so far.
    pub(super) line: Vec<u8>,
    /// True if `line` was returned and must be cleared.
    taken: bool,
    /// The bytes before the next line, or before the one that has begun.
    pub(super) before: Front,
    /// True if the last line had no line end of its own before it.
    loose: bool,
    headers: Start,
    prompts: Start,
    /// The line ends after headers of pushed data.
    header_ends: HeaderEnds,
    pub(super) data_ends: DataEnds,
    pub(super) line_ends: LineEnds,
    /// The last bytes of the latest data.
    pub(super) tail: Tail,
    pub(super) echo: Echo,
    pub(super) impossible: ImpossibleTokens,
}

impl Decoder {
    /// A decoder at the start of a line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next token from the front of `input`; `None` if more bytes are needed. The caller repeats it until
    /// `None`.
    pub fn next<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8], expect: Expect) -> Option<Token<'s>> {
        if std::mem::take(&mut self.taken) {
            self.line.clear();
        }
        if self.line_ends.take_odd() {
            return Some(Token::OddLineEnd);
        }
        if let Some(fault) = self.data_ends.take_fault() {
            return Some(Token::Fault(fault));
        }
        if expect == Expect::Raw {
            let bytes = std::mem::take(input);
            return (!bytes.is_empty()).then_some(Token::Data { bytes, last: false });
        }
        loop {
            match self.state {
                DecoderState::Text if expect == Expect::Text => return self.whole_line(input),
                DecoderState::Text => return self.text(input, expect),
                DecoderState::Overlong => {
                    let (rest, _) = line_end(input).ok().or_else(|| {
                        *input = &[];
                        None
                    })?;
                    *input = &rest[1..];
                    self.state = DecoderState::Text;
                }
                DecoderState::Payload { left, line_end, reader } => {
                    let data = self.payload(input, left, line_end, reader)?;
                    if reader != Reader::Absent {
                        return Some(data);
                    }
                }
            }
        }
    }

    /// The next `len` bytes are raw, without a header: the echo of a payload, or a transparent connection
    /// (`usize::MAX`: without end).
    #[cfg(any(feature = "import", feature = "unstable-core"))]
    pub fn expect_data(&mut self, len: usize) {
        self.state = DecoderState::Payload { left: len, line_end: LineEnd::Done, reader: Reader::Raw };
    }

    /// True if the last line had no line end of its own before it. This applies to echoes, to the rest of a line whose
    /// start was lost, and to data without their header. For a header or a prompt: true if earlier ones had a line end.
    pub fn was_loose(&self) -> bool {
        self.loose
    }

    /// True if the last byte was CR, and its LF has not come.
    pub fn awaits_line_feed(&self) -> bool {
        self.state == DecoderState::Text && self.line_ends.awaits_line_feed()
    }

    /// True if a line has begun, if only with the CR before it.
    pub(crate) fn has_begun_line(&self) -> bool {
        !self.partial_line().is_empty() || self.line_ends.begins_frame()
    }

    /// Forgets the token that has begun: the next byte is the first of a line. The knowledge about the firmware is
    /// kept, except that headers have no line end.
    pub fn start_over(&mut self) {
        self.abandon_data();
        self.header_ends.start_over();
        self.line.clear();
        self.taken = false;
    }

    /// The number of raw bytes that are still announced; zero in text.
    pub fn data_left(&self) -> usize {
        match self.state {
            DecoderState::Text | DecoderState::Overlong => 0,
            DecoderState::Payload { left, .. } => left,
        }
    }

    /// Stops waiting for announced bytes that do not come: the next bytes are text.
    pub fn abandon_data(&mut self) {
        self.state = DecoderState::Text;
        self.before = Front::LineEnd;
        self.line_ends = LineEnds::default();
        self.data_ends.abandon();
    }

    /// The part of an unfinished line that has come.
    ///
    /// Old firmware omits the CR LF after some lines (protocol section 2), so a line may be complete if no bytes
    /// follow for a while: the engine then calls [`end_line`](Self::end_line).
    pub fn partial_line(&self) -> &[u8] {
        if self.taken { &[] } else { self.line.trim_ascii() }
    }

    /// Takes the partial line as a complete one.
    pub fn end_line(&mut self) -> Option<Token<'_>> {
        if self.partial_line().is_empty() {
            return None;
        }
        self.taken = true;
        self.line_begins();
        if self.impossible.contain_prompt(&self.line) {
            return Some(Token::Fault(Fault::NoLineEnd));
        }
        self.line_ends.part(&self.line);
        Some(Token::Line(self.line.trim_ascii()))
    }

    fn text<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8], expect: Expect) -> Option<Token<'s>> {
        if self.line.is_empty() {
            if matches!(self.before, Front::Data | Front::DataCr) && !self.after_data(input, expect)? {
                return Some(Token::Fault(Fault::NoLineEnd));
            }
            let blanks = input.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0).count();
            if self.line_ends.blanks(&input[..blanks]) {
                self.before = Front::LineEnd;
            }
            *input = &input[blanks..];
            if !input.is_empty() {
                self.line_ends.text();
            }
            if self.line_ends.take_odd() {
                return Some(Token::OddLineEnd);
            }
            if expect == Expect::Prompt && input.first() == Some(&b'>') {
                *input = &input[1..];
                return Some(self.prompt());
            }
            match self.scan(input) {
                Scan::Complete { header, consumed } => {
                    *input = &input[consumed..];
                    self.line_begins();
                    return Some(self.begin_data(header, LineEnd::Cr));
                }
                Scan::NotHeader | Scan::UntilLineEnd => {}
                Scan::Undecided => return self.collect_header(input),
            }
            if let Ok((rest, line)) = line_end(input) {
                *input = &rest[1..];
                self.line_begins();
                self.line_ends.line(line);
                return Some(if line.len() > MAX_LINE {
                    Token::Fault(Fault::LineTooLong)
                } else {
                    self.line(line)
                });
            }
            return self.keep(input);
        }
        if self.scan(&self.line) == Scan::Undecided {
            return self.collect_header(input);
        }
        match line_end(input) {
            Ok((rest, line)) => {
                let too_long = self.line.len().saturating_add(line.len()) > MAX_LINE;
                *input = &rest[1..];
                self.taken = true;
                self.line_begins();
                if too_long {
                    return Some(Token::Fault(Fault::LineTooLong));
                }
                self.line.extend_from_slice(line);
                self.line_ends.line(&self.line);
                Some(self.kept_line())
            }
            Err(_) => self.keep(input),
        }
    }

    /// True if the data that came last may have a prompt as their last bytes.
    pub(crate) fn ends_like_prompt(&self) -> bool {
        self.before == Front::Data && self.tail.is_prompt()
    }

    /// The text after the last line end in the data that came last, if no line has followed them.
    pub(crate) fn last_line_of_data(&self) -> Option<&[u8]> {
        self.tail.line()
    }

    /// Takes a prompt. If it has a line end before it, an earlier prompt directly after data was the end of those
    /// data.
    fn prompt(&mut self) -> Token<'static> {
        let was = self.prompts;
        self.prompts = was.shown_by(self.before);
        self.loose = self.prompts == Start::Framed && self.before != Front::LineEnd;
        self.before = Front::LineEnd;
        self.tail = Tail::default();
        self.data_ends.line_begins();
        self.line_ends.data();
        let ended_data = (was, self.prompts) == (Start::Doubtful, Start::Framed);
        if ended_data { Token::Fault(Fault::NoLineEnd) } else { Token::Prompt }
    }

    /// A line of text of people, up to its LF.
    fn whole_line<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Token<'s>> {
        self.line_ends = LineEnds::default();
        let Ok((rest, line)) = line_end(input) else { return self.keep(input) };
        *input = rest.get(1..).unwrap_or_default();
        self.line_begins();
        if self.line.len().saturating_add(line.len()) > MAX_LINE {
            self.line.clear();
            return Some(Token::Fault(Fault::LineTooLong));
        }
        self.line.extend_from_slice(line);
        self.taken = true;
        self.before = Front::after_text(&self.line);
        Some(Token::Line(&self.line))
    }

    /// Keeps the bytes of an unfinished line.
    fn keep(&mut self, input: &mut &[u8]) -> Option<Token<'static>> {
        let bytes = std::mem::take(input);
        if self.line.len().saturating_add(bytes.len()) > MAX_LINE {
            self.line.clear();
            self.line_begins();
            self.state = DecoderState::Overlong;
            return Some(Token::Fault(Fault::LineTooLong));
        }
        self.line.extend_from_slice(bytes);
        None
    }

    /// Takes a possible header byte by byte, because payload follows its colon without a line end.
    fn collect_header<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Token<'s>> {
        while let Some((&byte, rest)) = input.split_first() {
            *input = rest;
            if byte == b'\n' {
                self.taken = true;
                self.line_begins();
                self.line_ends.line(&self.line);
                return Some(self.kept_line());
            }
            self.line.push(byte);
            match header::scan(&self.line) {
                Scan::Complete { header, .. } => {
                    self.taken = true;
                    self.line_begins();
                    return Some(self.begin_data(header, LineEnd::Cr));
                }
                Scan::Undecided => {}
                Scan::NotHeader | Scan::UntilLineEnd => {
                    // An ordinary line; its start is kept already.
                    return self.text(input, Expect::Line);
                }
            }
        }
        None
    }

    fn kept_line(&mut self) -> Token<'_> {
        let kept = std::mem::take(&mut self.line);
        let other = self.unless_line(&kept);
        self.line = kept;
        other.unwrap_or_else(|| Token::Line(self.line.trim_ascii()))
    }

    fn line<'a>(&mut self, line: &'a [u8]) -> Token<'a> {
        self.unless_line(line).unwrap_or(Token::Line(line.trim_ascii()))
    }

    /// The token of a complete line that is no line of text. Its LF is removed already.
    fn unless_line(&mut self, raw: &[u8]) -> Option<Token<'static>> {
        if self.impossible.contain_prompt(raw) {
            return Some(Token::Fault(Fault::NoLineEnd));
        }
        let line = raw.trim_ascii();
        self.before = self.before.after(line);
        match header::of_line(line).filter(|header| !self.impossible.contain(*header)) {
            Some(header) => Some(self.begin_data(header, LineEnd::Done)),
            None if !self.impossible.pushed && header::resembles(line) => {
                Some(Token::Fault(Fault::UnreadableHeader))
            }
            None => self.data_ends.line(line, self.line_ends.passed()).map(Token::Fault),
        }
    }

    fn begin_data<'a>(&mut self, header: RawHeader, line_end: LineEnd) -> Token<'a> {
        self.header_ends.header(header.channel.is_none());
        if header.is_pushed() {
            self.headers = self.headers.shown_by_header(self.loose);
            self.loose &= self.headers == Start::Framed;
        }
        let is_line = line_end == LineEnd::Done;
        let ends = if is_line { self.line_ends.passed() } else { self.line_ends.count() };
        self.data_ends.header(&header, ends);
        match header.check() {
            Ok(header) => {
                self.state = DecoderState::Payload { left: header.len, line_end, reader: Reader::Caller };
                Token::Header(header)
            }
            Err(Impossible::Channel { number, len }) => {
                self.state = DecoderState::Payload { left: len, line_end, reader: Reader::Absent };
                Token::Fault(Fault::ImpossibleChannel { number, len })
            }
            Err(Impossible::Length { channel, len }) => {
                Token::Fault(Fault::ImpossibleLength { channel: channel.and_then(ChannelId::new), len })
            }
        }
    }

    /// A line, or a token that can't be one, is taken.
    fn line_begins(&mut self) {
        self.tail = Tail::default();
        self.data_ends.line_begins();
        self.loose = std::mem::replace(&mut self.before, Front::Line) != Front::LineEnd;
    }

    /// Takes the line end after data. Returns true if it is one, `None` if more bytes are needed.
    fn after_data(&mut self, input: &mut &[u8], expect: Expect) -> Option<bool> {
        loop {
            let first = *input.first()?;
            if matches!(first, b'\r' | b'\n') && matches!(self.before, Front::Data | Front::DataCr) {
                self.line_ends.blanks(&[first]);
            }
            self.before = match (self.before, first) {
                (Front::Data, b'\r') => Front::DataCr,
                (Front::DataCr, b'\n') => Front::LineEnd,
                (Front::Data, b'>')
                    if expect == Expect::Prompt
                        && !self.impossible.prompt_after_data
                        && self.prompts.may_be_bare(self.tail) =>
                {
                    return Some(true);
                }
                (Front::Data, b'+') if self.headers == Start::Bare => Front::Line,
                (Front::Data, b'A' | b'a') if self.echo == Echo::Possible => Front::Line,
                (Front::Data | Front::DataCr, _) => {
                    self.before = Front::Line;
                    self.line_ends.data();
                    return Some(false);
                }
                (before @ (Front::LineEnd | Front::Line), _) => before,
            };
            match self.before {
                Front::LineEnd => {
                    *input = &input[1..];
                    return Some(true);
                }
                Front::Line => return Some(true),
                Front::Data | Front::DataCr => *input = &input[1..],
            }
        }
    }

    fn payload<'a>(
        &mut self,
        input: &mut &'a [u8],
        left: usize,
        line_end: LineEnd,
        reader: Reader,
    ) -> Option<Token<'a>> {
        let after = if reader == Reader::Raw { Front::LineEnd } else { Front::Data };
        if left == 0 {
            self.state = DecoderState::Text;
            self.before = after;
            self.line_ends.data();
            return Some(Token::Data { bytes: &[], last: true });
        }
        let (passed, fits) = line_end.pass(input, &mut self.header_ends);
        self.state = DecoderState::Payload { left, line_end: passed, reader };
        if !fits {
            return Some(Token::Fault(Fault::UnreadableHeader));
        }
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
        self.tail.push(bytes);
        self.state = if left == 0 {
            self.before = after;
            self.line_ends.data();
            DecoderState::Text
        } else {
            DecoderState::Payload { left, line_end: LineEnd::Done, reader }
        };
        Some(Token::Data { bytes, last: left == 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token of a stream of bytes, with joined pieces of payload, to compare different sizes of chunks.
    #[derive(Clone, PartialEq, Debug)]
    enum Item {
        Line(String),
        Prompt,
        OddLineEnd,
        Data(Vec<u8>),
        Fault(Fault),
    }

    fn decode(bytes: &[u8], chunk: usize, expect: Expect) -> Vec<Item> {
        let mut decoder = Decoder::new();
        let mut seen = Vec::new();
        let mut data = Vec::new();
        for mut input in bytes.chunks(chunk) {
            while let Some(token) = decoder.next(&mut input, expect) {
                match token {
                    Token::Line(line) => seen.push(Item::Line(String::from_utf8_lossy(line).into_owned())),
                    Token::Prompt => seen.push(Item::Prompt),
                    Token::OddLineEnd => seen.push(Item::OddLineEnd),
                    Token::Header(_) => {}
                    Token::Data { bytes, last } => {
                        data.extend_from_slice(bytes);
                        if last {
                            seen.push(Item::Data(std::mem::take(&mut data)));
                        }
                    }
                    Token::Fault(fault) => seen.push(Item::Fault(fault)),
                }
            }
            assert!(input.is_empty(), "bytes left over");
        }
        seen
    }

    #[test]
    fn an_odd_line_end_is_reported_before_the_line_after_it_and_after_the_one_that_it_ends() {
        let line = |text: &str| Item::Line(text.into());
        for (bytes, items) in [
            (&b"\r\nOK\r\n"[..], vec![line("OK")]),
            (b"\rOK\r\n", vec![Item::OddLineEnd, line("OK")]),
            (b"\nOK\r\n", vec![Item::OddLineEnd, line("OK")]),
            (b"OK\n\r\nRDY\r\n", vec![line("OK"), Item::OddLineEnd, line("RDY")]),
            (b"OK\r\n\n\r\r\nRDY\r\n", vec![line("OK"), Item::OddLineEnd, line("RDY")]),
            (b"OK\r\n\r", vec![line("OK")]),
            (b"\rOK\r\n\rRDY\r\n", vec![Item::OddLineEnd, line("OK"), Item::OddLineEnd, line("RDY")]),
        ] {
            for chunk in 1..=bytes.len() {
                assert_eq!(decode(bytes, chunk, Expect::Line), items, "{} by {chunk}", bytes.escape_ascii());
            }
        }
    }

    #[test]
    fn firmware_without_a_line_end_in_front_of_its_prompts_is_believed_again() {
        let bytes = b"\r\n+RECEIVE,0,4:\r\nabcd> \r\n+RECEIVE,0,4:\r\nefgh> ";
        let seen = same_at_every_chunk_size(bytes, Expect::Prompt);
        assert_eq!(seen, [data(b"abcd"), Item::Prompt, data(b"efgh"), Item::Prompt]);
    }

    #[test]
    fn data_contain_a_prompt_only_if_nothing_stands_after_them() {
        let mut decoder = Decoder::default();
        let mut input = &b"\r\n+RECEIVE,0,6:\r\nab\r\n> "[..];
        while decoder.next(&mut input, Expect::Line).is_some() {}
        assert!(decoder.ends_like_prompt());
        let mut input = &b"\r\nOK\r\n"[..];
        while decoder.next(&mut input, Expect::Line).is_some() {}
        assert!(!decoder.ends_like_prompt());
    }

    /// The items, without odd line ends, which most tests contain.
    fn same_at_every_chunk_size(bytes: &[u8], expect: Expect) -> Vec<Item> {
        let mut whole = decode(bytes, bytes.len().max(1), expect);
        for chunk in 1..=64 {
            assert_eq!(decode(bytes, chunk, expect), whole, "chunks of {chunk}");
        }
        whole.retain(|item| *item != Item::OddLineEnd);
        whole
    }

    fn line(text: &str) -> Item {
        Item::Line(text.to_owned())
    }

    fn data(bytes: &[u8]) -> Item {
        Item::Data(bytes.to_vec())
    }

    #[test]
    fn payload_is_never_searched_for_text() {
        let seen = same_at_every_chunk_size(
            b"\r\n+RECEIVE,0,26:\r\n\r\nOK\r\n+RECEIVE,1,3:\r\nabc\r\n\r\n0, CLOSED\r\n",
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
    fn a_lone_cr_after_a_glued_header_is_payload() {
        let seen = same_at_every_chunk_size(b"+RECEIVE,5,2:\rX\r\nOK\r\n", Expect::Line);
        assert_eq!(seen, [data(b"\rX"), line("OK")]);
    }

    #[test]
    fn a_line_end_after_a_glued_header_is_payload_until_damage() {
        let glued = b"+RECEIVE,1,2:AB\r\n+RECEIVE,1,4:\r\nCD\r\nOK\r\n";
        let seen = same_at_every_chunk_size(glued, Expect::Line);
        assert_eq!(seen, [data(b"AB"), data(b"\r\nCD"), line("OK")]);
        let mut decoder = Decoder::new();
        let mut tokens = |mut input: &[u8]| -> Vec<String> {
            let seen = std::iter::from_fn(|| {
                decoder.next(&mut input, Expect::Line).map(|token| format!("{token:?}"))
            });
            let seen = seen.collect();
            decoder.start_over();
            seen
        };
        tokens(b"\r\n+RECEIVE,1,2:AB");
        let framed = tokens(b"\r\n+RECEIVE,1,2:\r\nCD\r\nOK\r\n");
        assert_eq!(framed.last().map(String::as_str), Some("Line([79, 75])"), "{framed:?}");
    }

    #[test]
    fn only_one_line_end_is_passed_over() {
        let seen = same_at_every_chunk_size(b"+RECEIVE,1,4:\r\n\r\nAB\r\nOK\r\n", Expect::Line);
        assert_eq!(seen, [data(b"\r\nAB"), line("OK")]);
    }

    #[test]
    fn fetched_payload_follows_its_line() {
        let bytes = b"\r\n+CIPRXGET: 2,0,4,0\r\nOK\r\n\r\n\r\nOK\r\n\r\n+CIPRXGET: 2,3,0,0\r\n\r\nOK\r\n";
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
    fn a_prompt_right_after_data_is_damage_unless_the_first_one_had_no_line_end_either() {
        let frame = b"\r\n+RECEIVE,0,2:\r\nab> ";
        let is_damage = |first: &[u8]| {
            let seen = same_at_every_chunk_size(&[first, frame].concat(), Expect::Prompt);
            seen.contains(&Item::Fault(Fault::NoLineEnd))
        };
        // These bytes are the end of data in which one byte was doubled.
        assert!(is_damage(b"\r\n> "));
        assert!(is_damage(b"\r\nOK\r\n\r\n> "));
        assert!(!is_damage(b"\r\nOK\r\n> "));
        assert!(!is_damage(b""), "nothing is known of the firmware");
        let cut = same_at_every_chunk_size(b"\r\n+RECEIVE,0,4:\r\nab\r\n> ", Expect::Prompt);
        assert!(cut.contains(&Item::Fault(Fault::NoLineEnd)), "{cut:?}");
    }

    #[test]
    fn a_prompt_is_one_only_where_it_is_expected() {
        for prompt in [&b"\r\n> \r\nOK\r\n"[..], b"\r\n>\r\nOK\r\n", b"\r\n>OK\r\n"] {
            assert_eq!(same_at_every_chunk_size(prompt, Expect::Prompt), [Item::Prompt, line("OK")]);
        }
        assert_eq!(same_at_every_chunk_size(b"\r\n> \r\nOK\r\n", Expect::Line), [line(">"), line("OK")]);
    }

    #[test]
    fn a_line_too_long_is_a_fault_and_the_next_line_is_read() {
        let mut bytes = vec![b'x'; MAX_LINE + 1];
        bytes.extend_from_slice(b"\r\nOK\r\n");
        let seen = same_at_every_chunk_size(&bytes, Expect::Line);
        assert_eq!(seen, [Item::Fault(Fault::LineTooLong), line("OK")]);
    }

    #[test]
    fn payload_of_an_impossible_channel_is_passed_over() {
        let seen = same_at_every_chunk_size(b"+RECEIVE,8,6:\r\n\r\nOK\r\n\r\nRDY\r\n", Expect::Line);
        assert_eq!(seen, [Item::Fault(Fault::ImpossibleChannel { number: 8, len: 6 }), line("RDY")]);
    }

    #[test]
    fn an_impossible_length_is_not_waited_for() {
        let seen = same_at_every_chunk_size(b"+RECEIVE,0,60000:\r\nRDY\r\n", Expect::Line);
        assert_eq!(
            seen,
            [Item::Fault(Fault::ImpossibleLength { channel: ChannelId::new(0), len: 60_000 }), line("RDY")]
        );
    }

    #[test]
    fn text_right_after_data_is_a_fault_whatever_it_is() {
        for text in [
            "x",
            "OK\r\n",
            "0, CLOSED\r\n",
            "+RECEIVE,1,1:\r\nE",
            "ECEIVE,1,1:\r\nE",
            "\nOK\r\n",
            "\rOK\r\n",
            "\0",
        ] {
            let framed = "\r\n+RECEIVE,0,2:\r\nab";
            let seen = same_at_every_chunk_size(format!("{framed}{framed}{text}").as_bytes(), Expect::Line);
            assert_eq!(seen[..3], [data(b"ab"), data(b"ab"), Item::Fault(Fault::NoLineEnd)], "{text:?}");
            let whole =
                same_at_every_chunk_size(format!("{framed}\r\nOK\r\n{framed}").as_bytes(), Expect::Line);
            assert_eq!(whole, [data(b"ab"), line("OK"), data(b"ab")]);
        }
    }

    #[test]
    fn firmware_that_frames_no_headers_is_read_all_the_same() {
        let seen =
            same_at_every_chunk_size(b"\r\nOK\r\n+RECEIVE,0,2:\r\nab+RECEIVE,1,2:\r\ncd", Expect::Line);
        assert_eq!(seen, [line("OK"), data(b"ab"), data(b"cd")]);
    }

    #[test]
    fn a_prompt_or_an_echo_may_stand_right_after_data() {
        let frame = "\r\n+RECEIVE,0,2:\r\nab";
        let prompt = same_at_every_chunk_size(format!("{frame}> ").as_bytes(), Expect::Prompt);
        assert_eq!(prompt, [data(b"ab"), Item::Prompt]);
        let echo = format!("{frame}AT+CSQ\r\r\nOK\r\n");
        assert_eq!(
            same_at_every_chunk_size(echo.as_bytes(), Expect::Line),
            [data(b"ab"), line("AT+CSQ"), line("OK")]
        );
        let mut decoder = Decoder::new();
        decoder.echo_is_off(true);
        let mut input = echo.as_bytes();
        let mut tokens =
            std::iter::from_fn(|| decoder.next(&mut input, Expect::Line).map(|token| format!("{token:?}")));
        assert!(tokens.any(|token| token == "Fault(NoLineEnd)"));
    }

    #[test]
    fn a_line_without_a_line_end_in_front_is_loose() {
        for (bytes, loose) in [(&b"\r\nOK\r\n\r\nRDY\r\n"[..], false), (b"\r\nOK\r\nRDY\r\n", true)] {
            let mut decoder = Decoder::new();
            let mut input = bytes;
            while decoder.next(&mut input, Expect::Line).is_some() {}
            assert_eq!(decoder.was_loose(), loose);
        }
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

    /// An empty line of a text may be the line end of the next frame.
    #[test]
    fn a_line_directly_after_a_text_has_no_line_end_of_its_own() {
        for (text, is_loose) in [("hello\r\n", true), ("\r\n", false)] {
            let mut decoder = Decoder::new();
            assert!(matches!(decoder.next(&mut text.as_bytes(), Expect::Text), Some(Token::Line(_))));
            assert_eq!(decoder.next(&mut &b"RING\r\n"[..], Expect::Line), Some(Token::Line(b"RING")));
            assert_eq!(decoder.was_loose(), is_loose, "{text:?}");
        }
    }
}
