//! Headers, the only lines that are followed by raw payload instead of text.

use std::net::SocketAddr;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_until};
use nom::character::complete::{char, space0};
use nom::combinator::opt;
use nom::sequence::preceded;
use nom::{IResult, Parser};

use super::ChannelId;
use super::fields::{colon, comma, number};

/// A line that announces `len` bytes of raw payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// The kind of the payload.
    pub kind: HeaderKind,
    /// The number of raw bytes that follow.
    pub len: usize,
}

/// The kind of the payload after a [`Header`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HeaderKind {
    /// `+RECEIVE,<n>,<len>:` - data pushed by the module (protocol section 11).
    Pushed {
        /// The channel of the data.
        channel: ChannelId,
        /// The sender, if the firmware reports it (`AT+CIPSRIP=1`).
        from: Option<SocketAddr>,
    },
    /// `+CIPRXGET: 2,<n>,<got>,<left>` - data that were fetched (protocol section 11, manual mode).
    Fetched {
        /// The channel of the data.
        channel: ChannelId,
        /// The number of bytes that remain in the module.
        left: usize,
        /// The sender, if the firmware reports it (`AT+CIPSRIP=1`).
        from: Option<SocketAddr>,
    },
    /// `+IPD,<len>:` - data of the single connection (`AT+CIPHEAD=1`, `CIPMUX=0`).
    Single,
}

/// The most payload that one header may announce: 1460 by the manual, 2048 in the module's own Lua library (protocol
/// section 17). A header with more is a fault; the driver does not wait for its payload.
pub const MAX_PAYLOAD: usize = 2048;

/// The result of reading the start of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scan {
    /// The line is no header, independent of the bytes that follow.
    NotHeader,
    /// More bytes are needed to decide.
    Undecided,
    /// A header that ends with a colon, after this number of bytes; payload or CR LF follows.
    Complete { header: RawHeader, consumed: usize },
    /// A header that ends with its line end.
    UntilLineEnd,
}

/// A header as written, with unchecked numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RawHeader {
    pub(crate) channel: Option<u32>,
    pub(crate) len: u32,
    left: Option<u32>,
    from: Option<SocketAddr>,
}

impl RawHeader {
    /// True for unsolicited data of one of several connections.
    pub(crate) fn is_pushed(&self) -> bool {
        self.channel.is_some() && self.left.is_none()
    }

    /// The channel of fetched data.
    pub(crate) fn fetched_channel(&self) -> Option<ChannelId> {
        self.left.and(self.channel).and_then(ChannelId::new)
    }

    /// The checked header, or its impossible value.
    pub(crate) fn check(self) -> Result<Header, Impossible> {
        let len = self.len as usize;
        if len > MAX_PAYLOAD {
            return Err(Impossible::Length { channel: self.channel, len: self.len });
        }
        let Some(number) = self.channel else {
            return Ok(Header { kind: HeaderKind::Single, len });
        };
        let channel = ChannelId::new(number).ok_or(Impossible::Channel { number, len })?;
        let kind = match self.left {
            Some(left) => HeaderKind::Fetched { channel, left: left as usize, from: self.from },
            None => HeaderKind::Pushed { channel, from: self.from },
        };
        Ok(Header { kind, len })
    }
}

/// The reason why a header is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Impossible {
    /// There is no such channel; its payload must be skipped.
    Channel { number: u32, len: usize },
    /// No module sends this number of bytes at once.
    Length { channel: Option<u32>, len: u32 },
}

/// Prefixes of a pushed header. After sleep or an overflow the first bytes may be missing (RT-Thread's `at_device`
/// handles this), and without the header its payload would be read as text.
const PUSHED: [&[u8]; 3] = [b"+RECEIVE,", b"RECEIVE,", b"ECEIVE,"];
const SINGLE: &[u8] = b"+IPD,";
/// Longer than any header: `+RECEIVE,7,2048,[IPv6]:65535:`.
const MAX_HEADER: usize = 80;

/// Checks whether `start`, the bytes since the last line end, is a header that ends with a colon.
pub(crate) fn scan(start: &[u8]) -> Scan {
    let Some(first) = start.first() else {
        return Scan::Undecided;
    };
    if !matches!(first, b'+' | b'R' | b'E') {
        return Scan::NotHeader;
    }
    for prefix in PUSHED.into_iter().chain([SINGLE]) {
        if let Some(body) = start.strip_prefix(prefix) {
            return scan_body(prefix, body);
        }
        if prefix.starts_with(start) {
            return Scan::Undecided;
        }
    }
    Scan::NotHeader
}

fn scan_body(prefix: &[u8], body: &[u8]) -> Scan {
    let digits_and_commas = body.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b',' | b' ')).count();
    // The answer does not depend on whether the rest of the line is there, so it is the same for any size of chunks.
    if digits_and_commas > MAX_HEADER {
        return Scan::NotHeader;
    }
    let Some(end) = body.get(digits_and_commas) else {
        return Scan::Undecided;
    };
    // Two numbers and a third field with dots: the sender's address, which contains a colon.
    let has_address = body[..digits_and_commas].iter().filter(|byte| **byte == b',').count() >= 2;
    if has_address {
        return Scan::UntilLineEnd;
    }
    let (list, rest_len) = match end {
        b':' => (&body[..digits_and_commas], digits_and_commas.saturating_add(1)),
        // `+IPD,4,TCP:` names the protocol (CIPSHOWTP=1).
        b'T' | b'U' if prefix == SINGLE => {
            let (list, protocol) = body.split_at(digits_and_commas);
            match [&b"TCP:"[..], b"UDP:"]
                .into_iter()
                .find(|name| name.iter().zip(protocol).all(|(a, b)| a == b))
            {
                Some(name) if protocol.len() >= name.len() => {
                    (list, digits_and_commas.saturating_add(name.len()))
                }
                Some(_) => return Scan::Undecided,
                None => return Scan::NotHeader,
            }
        }
        _ => return Scan::NotHeader,
    };
    match numbers(prefix == SINGLE, list) {
        Some(header) => Scan::Complete { header, consumed: prefix.len().saturating_add(rest_len) },
        None => Scan::NotHeader,
    }
}

fn numbers(single: bool, list: &[u8]) -> Option<RawHeader> {
    if single {
        let (_, len) = number(list).ok()?;
        return Some(RawHeader { channel: None, len, left: None, from: None });
    }
    let (rest, (channel, (), len)) = (number, comma, number).parse(list).ok()?;
    // No module writes a leading zero: a digit is damaged or in the wrong place.
    let is_damaged =
        list.split(|byte| *byte == b',').any(|field| matches!(field.trim_ascii(), [b'0', _, ..]));
    let is_whole = rest.trim_ascii().is_empty() && !is_damaged;
    is_whole.then_some(RawHeader { channel: Some(channel), len, left: None, from: None })
}

/// Reads a complete line as a header that ends with its line end: `+CIPRXGET: 2,...` or `+RECEIVE,n,len,ip:port`.
pub(crate) fn of_line(line: &[u8]) -> Option<RawHeader> {
    let (rest, header) = alt((fetched, pushed_with_address)).parse(line).ok()?;
    // The characters that may follow the sender's address.
    let is_whole = rest.iter().all(|byte| matches!(byte, b'"' | b':' | b' '));
    is_whole.then_some(header)
}

/// True if a line that can't be read as a header is a piece of a header of fetched data.
pub(crate) fn is_piece_of_fetched(line: &[u8]) -> bool {
    const BEGINNING: &[u8] = b"+CIPRXGET: 2";
    let is_beginning = !line.is_empty() && BEGINNING.starts_with(line);
    // Without a blank and a comma it may be an unsolicited line about channel 2 in the spelling of some firmware. Such
    // lines have one comma at most, and the answer to the question for the number of waiting bytes begins with `4`.
    let is_list = line
        .strip_prefix(b"+CIPRXGET:")
        .map(<[u8]>::trim_ascii)
        .is_some_and(|list| !list.starts_with(b"4") && list.iter().filter(|byte| **byte == b',').count() > 1);
    is_beginning || is_list || line.starts_with(BEGINNING) || line.starts_with(b"+CIPRXGET:2,")
}

/// True if a line that can't be read as a header is a damaged one: its name has at most three bytes that were lost,
/// added or changed, or a whole name follows other text.
pub(crate) fn resembles(line: &[u8]) -> bool {
    let key_len = line.iter().position(|byte| matches!(byte, b'0'..=b'9' | b',' | b':' | b' '));
    let (key, list) = line.split_at(key_len.unwrap_or(line.len()).min(MAX_KEY));
    let commas = list.iter().filter(|byte| **byte == b',').count();
    let has_number = commas > 0 && list.iter().any(u8::is_ascii_digit);
    // The line with the sender of data is no header.
    if key.ends_with(b"RECV") {
        return false;
    }
    let fetched = match distance(key, b"+CIPRXGET") {
        0 => {
            commas >= 3
                && list.trim_ascii_start().iter().find(|byte| **byte != b':' && **byte != b' ') == Some(&b'2')
        }
        1 | 2 => commas >= 3,
        _ => false,
    };
    let pushed = match distance(key, b"+RECEIVE") {
        0 | 1 => true,
        2 | 3 if has_number || list.contains(&b':') => true,
        // No other name begins like this: its end was lost, and payload follows.
        _ => key.starts_with(b"+RECE"),
    };
    // One letter of the name was replaced by a digit.
    let name = line.split(|byte| matches!(byte, b',' | b':' | b' ')).next().unwrap_or_default();
    let has_digit = name.len() == b"+RECEIVE".len() && commas > 1 && distance(name, b"+RECEIVE") == 1;
    let ends_so = unquoted(line).last().is_some_and(ends_as_header);
    fetched
        || pushed
        || has_digit
        || ends_so
        || lost_middle(line)
        || lost_end_or_name(line)
        || unquoted(line).any(|part| announced(part).next().is_some())
}

/// True if a line ends like a pushed header: a part of the name, a channel, a length, and a colon.
fn ends_as_header(line: &[u8]) -> bool {
    let Some(list) = line.strip_suffix(b":") else { return false };
    let mut fields = list.rsplit(|byte| *byte == b',');
    let (len, channel, name) = (fields.next(), fields.next(), fields.next());
    let is_len =
        len.is_some_and(|len| !len.is_empty() && len.len() < 5 && len.iter().all(u8::is_ascii_digit));
    let is_channel = channel.is_some_and(|channel| matches!(channel, [b'0'..=b'7']));
    is_len && is_channel && name.is_some_and(|name| name.ends_with(b"E"))
}

/// True if a line is a pushed header without its middle: a part of the name, digits and commas of its numbers, and the
/// colon at the end.
fn lost_middle(line: &[u8]) -> bool {
    let Some(between) = line.strip_prefix(b"+").and_then(|rest| rest.strip_suffix(b":")) else {
        return false;
    };
    let name = between.split(|byte| byte.is_ascii_digit() || *byte == b',').next().unwrap_or_default();
    let (_, numbers) = between.split_at(name.len());
    // Letters from the middle or the end of the name are lost.
    let same = name.iter().zip(b"RECEIVE").take_while(|(one, other)| one == other).count();
    let is_name = b"RECEIVE".ends_with(name.split_at(same).1);
    is_name && numbers.iter().all(|byte| byte.is_ascii_digit() || *byte == b',')
}

/// True if a line is a pushed header without its end, which has a part of the name only and perhaps payload after it,
/// or without its name: digits and commas of its numbers, and the colon at the end.
fn lost_end_or_name(line: &[u8]) -> bool {
    let has_numbers = |numbers: &[u8]| numbers.iter().all(|byte| byte.is_ascii_digit() || *byte == b',');
    let same = line.iter().zip(b"+RECEIVE").take_while(|(one, other)| one == other).count();
    // The sign alone may be the beginning of any answer, and a letter may go on with another name.
    let is_beginning = same > 1 && !line.get(same).is_some_and(u8::is_ascii_uppercase);
    is_beginning || line.strip_suffix(b":").is_some_and(has_numbers)
}

/// The parts of a line outside of strings. A line has strings if it begins with a name, and either its last string is
/// closed or the string may continue in the next line. Strings are text, often text of people.
fn unquoted(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let name = line.strip_prefix(b"+").and_then(|rest| rest.split(|byte| *byte == b':').next());
    let is_closed = line.iter().filter(|byte| **byte == b'"').count().is_multiple_of(2);
    let has_strings = name.is_some_and(|name| {
        name == SPANS_LINES || (is_closed && name.len() < MAX_KEY && name.iter().all(u8::is_ascii_uppercase))
    });
    line.split(|byte| *byte == b'"').step_by(if has_strings { 2 } else { 1 })
}

/// The unsolicited line whose string may continue in the next line (3GPP TS 27.007 section 7.15).
const SPANS_LINES: &[u8] = b"CUSD";

/// The channels of complete names of pushed headers, anywhere in the bytes.
pub(crate) fn announced(bytes: &[u8]) -> impl Iterator<Item = ChannelId> {
    let mut left = bytes;
    // Each frame is searched, so the search is by the first letter.
    let after_names = std::iter::from_fn(move || {
        let (after, _) = (take_until::<_, _, ()>(PUSHED[2]), tag(PUSHED[2])).parse(left).ok()?;
        left = after;
        Some(after)
    });
    after_names.filter_map(|after| match after {
        [digit, b',', ..] => ChannelId::new(char::from(*digit).to_digit(10)?),
        _ => None,
    })
}

/// More than the length of any name that is compared.
const MAX_KEY: usize = 12;

/// The largest distance of names that count as similar.
const FARTHEST: usize = 3;

/// The number of bytes that are lost, added or changed between the two names (Levenshtein). If it is more than
/// [`FARTHEST`], the result may be smaller, but more than `FARTHEST`. The first must not be longer than [`MAX_KEY`].
fn distance(one: &[u8], other: &[u8]) -> usize {
    let least = one.len().abs_diff(other.len());
    if least > FARTHEST {
        return least;
    }
    // The distances between the part of `other` so far and each beginning of `one`.
    let mut row: [usize; MAX_KEY] = std::array::from_fn(|at| at.saturating_add(1));
    let mut to_nothing = 0_usize;
    for byte in other {
        let mut diagonal = to_nothing;
        to_nothing = to_nothing.saturating_add(1);
        let mut left = to_nothing;
        for (own, cell) in one.iter().zip(&mut row) {
            let changed = diagonal.saturating_add(usize::from(own != byte));
            diagonal = *cell;
            left = changed.min(left.saturating_add(1)).min(cell.saturating_add(1));
            *cell = left;
        }
    }
    one.len().checked_sub(1).map_or(to_nothing, |last| row[last])
}

fn fetched(input: &[u8]) -> IResult<&[u8], RawHeader> {
    let (input, _) = (tag("+CIPRXGET"), colon, char('2'), comma).parse(input)?;
    let (input, (channel, (), len, (), left)) = (number, comma, number, comma, number).parse(input)?;
    let (input, from) = opt(preceded(comma, address)).parse(input)?;
    Ok((input, RawHeader { channel: Some(channel), len, left: Some(left), from: from.flatten() }))
}

fn pushed_with_address(input: &[u8]) -> IResult<&[u8], RawHeader> {
    let (input, _) = alt((tag(PUSHED[0]), tag(PUSHED[1]), tag(PUSHED[2]))).parse(input)?;
    let (input, (channel, (), len, ())) = (number, comma, number, comma).parse(input)?;
    let (input, from) = address(input)?;
    Ok((input, RawHeader { channel: Some(channel), len, left: None, from }))
}

/// `1.2.3.4:80`, quoted or not, with or without a colon at the end.
fn address(input: &[u8]) -> IResult<&[u8], Option<SocketAddr>> {
    let (input, _) = (space0, opt(char('"'))).parse(input)?;
    let (input, text) = take_till(|byte| byte == b'"' || byte == b'\r').parse(input)?;
    let text = std::str::from_utf8(text).unwrap_or_default().trim_end();
    Ok((input, text.strip_suffix(':').unwrap_or(text).parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(text: &str) -> (RawHeader, usize) {
        match scan(text.as_bytes()) {
            Scan::Complete { header, consumed } => (header, consumed),
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn headers_are_found_wherever_they_stand() {
        let found = |bytes: &[u8]| announced(bytes).map(ChannelId::index).collect::<Vec<_>>();
        assert_eq!(found(b"ECEIVE,0,ECEIVE,7,ECEIVE,8,ECEIVE,1"), [0, 7]);
        assert_eq!(found(b"EECEIVE,3,ECEIVE,ECEIVE,2,ECEIVE"), [3, 2]);
        assert_eq!(found(b"ECEIV"), []);
    }

    #[test]
    fn a_header_has_eighty_digits_and_commas_at_most() {
        let of = |count| scan(format!("+RECEIVE,{}", "1".repeat(count)).as_bytes());
        assert_eq!((of(MAX_HEADER), of(MAX_HEADER + 1)), (Scan::Undecided, Scan::NotHeader));
    }

    #[test]
    fn a_name_without_two_letters_is_that_of_a_header_if_numbers_follow() {
        for (line, is_header) in
            [("+RCEVE,0,14", true), ("+RCEVE,", false), ("+RCEVE 0", false), ("+RCEVE:", true)]
        {
            assert_eq!(resembles(line.as_bytes()), is_header, "{line}");
        }
    }

    #[test]
    fn a_number_with_a_zero_in_front_is_no_header() {
        for damaged in
            [&b"+RECEIVE,0,00:"[..], b"+RECEIVE,0,000:\r\n", b"+RECEIVE,0,0010:", b"+RECEIVE,00,1:"]
        {
            assert_eq!(scan(damaged), Scan::NotHeader, "{damaged:?}");
        }
        for sound in [&b"+RECEIVE,0,0:"[..], b"+RECEIVE,0,100:"] {
            assert!(matches!(scan(sound), Scan::Complete { .. }), "{sound:?}");
        }
    }

    #[test]
    fn a_pushed_header_ends_with_its_colon() {
        let (header, consumed) = complete("+RECEIVE,3,7:TEST123");
        assert_eq!((header.channel, header.len, consumed), (Some(3), 7, 13));
    }

    #[test]
    fn every_prefix_of_a_header_is_undecided() {
        for header in ["+RECEIVE,3,1460:", "ECEIVE,0,7:", "+IPD,4:", "+IPD,4,TCP:"] {
            for cut in 1..header.len() {
                assert_eq!(scan(&header.as_bytes()[..cut]), Scan::Undecided, "{}", &header[..cut]);
            }
            complete(header);
        }
    }

    #[test]
    fn a_header_with_the_senders_address_ends_with_its_line() {
        assert_eq!(scan(b"+RECEIVE,0,7,1.2.3.4:80"), Scan::UntilLineEnd);
        let header = of_line(b"+RECEIVE,0,7,1.2.3.4:80").unwrap();
        assert_eq!(header.from, Some("1.2.3.4:80".parse().unwrap()));
        assert_eq!(of_line(b"+RECEIVE,0,7,1.2.3.4:80:").unwrap().from, header.from);
    }

    #[test]
    fn fetched_headers_are_read_in_every_spelling() {
        for line in ["+CIPRXGET: 2,0,20,5", "+CIPRXGET:2,0,20,5", "+CIPRXGET: 2, 0, 20, 5"] {
            let kind = of_line(line.as_bytes()).unwrap().check().unwrap().kind;
            assert!(matches!(kind, HeaderKind::Fetched { left: 5, from: None, .. }), "{line}: {kind:?}");
        }
        let header = of_line(br#"+CIPRXGET: 2,0,4,0,"1.2.3.4:53""#).unwrap();
        assert_eq!(header.from, Some("1.2.3.4:53".parse().unwrap()));
    }

    #[test]
    fn hexadecimal_data_and_counts_are_lines_not_headers() {
        assert_eq!(of_line(b"+CIPRXGET: 3,0,4,0"), None);
        assert_eq!(of_line(b"+CIPRXGET: 4,0,12"), None);
        assert_eq!(of_line(b"+CIPRXGET: 1,0"), None);
    }

    #[test]
    fn impossible_numbers_are_refused() {
        let channel = complete("+RECEIVE,8,5:").0.check();
        assert_eq!(channel, Err(Impossible::Channel { number: 8, len: 5 }));
        let length = complete("+RECEIVE,0,2049:").0.check();
        assert_eq!(length, Err(Impossible::Length { channel: Some(0), len: 2049 }));
        assert_eq!(scan(b"+RECEIVE,0,99999999999:"), Scan::NotHeader);
    }

    #[test]
    fn a_damaged_header_is_distinguished_from_other_lines() {
        for line in [
            "+RECEVE,0,4:",
            "+RECEIVE,0:",
            "+RECEIVE,0,146x:",
            "RECEIVE",
            "+RECEIVE",
            "CEIVE,0,4:",
            "+RECE0,4:",
            "+RECIEVE,0,4:",
            "+RECEiVE,0,4:",
            "OK+RECEIVE,0,4:",
            "+RECEIVE.0,4:",
            "+CIPRXGT: 2,0,4,0",
            "+CIPRXGET: 2,0,4,x",
            "+RRECEIVE,0,4:",
            "+RECEIVE:0,4:",
            "+RECEIV<P0000@00000000>",
            "+RECEpayload",
            "+CUSD: 0,\"a\",15+RECEIVE,0,4:",
            "+CLIP: \"a+RECEIVE,0,4:",
            "\"+RECEIVE,0,4:\"",
            "+R9CEIVE,0,1459:",
            "ERROIVE,0,48:",
        ] {
            assert!(resembles(line.as_bytes()), "{line}");
        }
        for line in [
            "+CREG: 0,1",
            "+CREC: 1,0",
            "RECV FROM: 1.2.3.4:80",
            "+RECV FROM:1.2.3.4:80",
            "+CIPRXGET: 1,0",
            "+CIPRXGET: 4,0,3",
            "+CIPRXGET: 2,10,0",
            "+CIPRXGET:2",
            "+CIPRXGET: (0-4)",
            "+CEREG: 2,1,\"1A\",\"2B\",7",
            "RESET",
            "OK",
            "+CIPRXF: 1",
            "+COPS: 0,0,\"X\",7",
            "+CIPSEND: (0-7),1460",
            "AT+CIPRXGET=2,0,1460",
            "",
            "+CUSD: 0,\"a +RECEIVE,0,4:\",15",
            "+CLIP: \"a +RECEIVE,0,4:\",145",
            "+CUSD: 0,\"a +RECEIVE,0,4:",
        ] {
            assert!(!resembles(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn names_inside_data_say_their_channel() {
        let bytes = b"x\r\n+RECEIVE,3,10:\r\nabc ECEIVE,7,ECEIVE,9,ECEIVE,1";
        assert_eq!(announced(bytes).map(ChannelId::index).collect::<Vec<_>>(), [3, 7]);
    }

    #[test]
    fn other_lines_are_no_headers() {
        for line in ["+CREG: 0,1", "RDY", "ERROR", "+RECEIVE,x", "+RECEIVE,1:", "0, CLOSED"] {
            assert_eq!(scan(line.as_bytes()), Scan::NotHeader, "{line}");
        }
    }

    #[test]
    fn a_protocol_without_a_colon_makes_no_header() {
        for text in
            ["+IPD,4,TCPX", "+IPD,4,TCP1:", "+IPD,4,UDPS", "+IPD,4,T:", "+IPD,4,T\r\n:", "+IPD,4,UCP:"]
        {
            assert_eq!(scan(text.as_bytes()), Scan::NotHeader, "{text}");
        }
    }
}
