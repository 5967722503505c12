//! The properties of this family of modules that atat needs: the unsolicited lines, and the answers that do not end
//! with `OK`.

use std::net::Ipv4Addr;

use atat::digest::ParseError;
use atat::{AtDigester, AtatUrc, Parser};

#[derive(Clone, Debug)]
pub enum News {
    Connected(u8),
    Failed(u8),
    Closed(u8),
    Received(u8, Vec<u8>),
}

type Found<'a> = Result<(&'a [u8], usize), ParseError>;

/// A digester with these properties.
pub fn digester() -> AtDigester<News> {
    AtDigester::new().with_custom_success(final_line)
}

/// Parses `\r\n0, CONNECT OK\r\n` and `\r\n+RECEIVE,0,5:\r\nhello`.
impl Parser for News {
    fn parse(buf: &[u8]) -> Found<'_> {
        let (line, end) = line(buf)?;
        if let Some((_, length)) = announced(line) {
            let end = end + length;
            return buf.get(2..end).map(|frame| (frame, end)).ok_or(ParseError::Incomplete);
        }
        match of_channel(line) {
            Some((_, "CONNECT OK" | "CONNECT FAIL" | "CLOSED")) => Ok((line, end)),
            _ => Err(ParseError::NoMatch),
        }
    }
}

impl AtatUrc for News {
    fn parse(frame: &[u8]) -> Option<Self> {
        if let Some(at) = frame.windows(3).position(|three| three == b":\r\n")
            && let Some((channel, _)) = announced(&frame[..=at])
        {
            return Some(Self::Received(channel, frame[at + 3..].to_vec()));
        }
        match of_channel(frame)? {
            (channel, "CONNECT OK") => Some(Self::Connected(channel)),
            (channel, "CONNECT FAIL") => Some(Self::Failed(channel)),
            (channel, "CLOSED") => Some(Self::Closed(channel)),
            _ => None,
        }
    }
}

/// Finds `SHUT OK`, `0, CLOSE OK`, `DATA ACCEPT:0,5` and the bare address of `AT+CIFSR`, which end an answer like `OK`.
fn final_line(buf: &[u8]) -> Found<'_> {
    let (line, end) = line(buf)?;
    if line == b"SHUT OK" || matches!(of_channel(line), Some((_, "CLOSE OK"))) {
        return Ok((b"", end));
    }
    let is_address = std::str::from_utf8(line).is_ok_and(|text| text.parse::<Ipv4Addr>().is_ok());
    if is_address || line.starts_with(b"DATA ACCEPT:") { Ok((line, end)) } else { Err(ParseError::NoMatch) }
}

/// The first line after a line end, and the place of the next one.
fn line(buf: &[u8]) -> Found<'_> {
    let rest = buf.strip_prefix(b"\r\n").ok_or(ParseError::NoMatch)?;
    match rest.windows(2).position(|two| two == b"\r\n") {
        Some(at) => Ok((&rest[..at], at + 4)),
        // Only the prompt has no line end.
        None if rest.starts_with(b">") => Err(ParseError::NoMatch),
        None => Err(ParseError::Incomplete),
    }
}

/// The channel and the length in `+RECEIVE,0,5:`.
fn announced(line: &[u8]) -> Option<(u8, usize)> {
    let line = std::str::from_utf8(line).ok()?;
    let (channel, length) = line.strip_prefix("+RECEIVE,")?.strip_suffix(":")?.split_once(',')?;
    Some((channel.parse().ok()?, length.parse().ok()?))
}

/// The channel and the text in `0, TEXT`.
fn of_channel(line: &[u8]) -> Option<(u8, &str)> {
    let (channel, text) = std::str::from_utf8(line).ok()?.split_once(", ")?;
    Some((channel.parse().ok()?, text))
}
