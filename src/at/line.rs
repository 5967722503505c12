//! The meaning of a line of text, independent of the command that it may answer.

use std::net::Ipv4Addr;

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::{char, space0};
use nom::combinator::{all_consuming, map, opt, rest, value};
use nom::sequence::{preceded, terminated};

use super::fields::{Field, Parsed, colon, comma, fields, number};
use super::{ChannelId, CmeError, CmsError};

/// A line, parsed without knowledge of the command in flight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Line<'a> {
    /// A final result code: it ends the command in flight.
    Final(Final),
    /// `SHUT OK`, the final of `AT+CIPSHUT`.
    ShutOk,
    /// `<n>, CONNECT OK` and similar lines: news of a channel. Some are also final result codes.
    Channel {
        /// The channel; `None` in single connection mode, and if the firmware omits the number.
        channel: Option<ChannelId>,
        /// The news.
        news: ChannelNews,
    },
    /// `STATE: <text>` of `AT+CIPSTATUS` and of a failed single connection.
    State(&'a [u8]),
    /// `C: <n>,...`: a row of `AT+CIPSTATUS`.
    Row(&'a [u8]),
    /// `+KEY: fields`, also `^KEY:` and `*KEY:`.
    Info {
        /// The key with its first character: `+CSQ`.
        key: &'a [u8],
        /// The text after the colon.
        list: &'a [u8],
    },
    /// Any other line: identities, addresses, unsolicited words, echoes, noise.
    Text(&'a [u8]),
}

/// A final result code (protocol section 4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Final {
    /// `OK`.
    Ok,
    /// `ERROR`, also ` ERROR`.
    Error,
    /// `COMMAND NOT RESPONSE`: the time-out of the vendor dialect. It also comes for `AT+CIPSTART`, 60 s after its `OK`
    /// (protocol section 8).
    NoResponse,
    /// `+CME ERROR: <n>` or its text.
    Cme(CmeError),
    /// `+CMS ERROR: <n>` or its text.
    Cms(CmsError),
    /// `CONNECT`: data mode begins.
    Connect,
    /// `NO CARRIER`.
    NoCarrier,
}

/// News of a channel: lines about its connection and its sends (protocol sections 8 to 10, and "Spellings").
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChannelNews {
    /// `CONNECT OK`.
    ConnectOk,
    /// `CONNECT FAIL`.
    ConnectFail,
    /// `ALREADY CONNECT`, `ALREAY CONNECT`, `ALREADY OPENED`: the module still uses the channel.
    AlreadyConnect,
    /// `SEND OK`.
    SendOk,
    /// `SEND FAIL`.
    SendFail,
    /// `DATA ACCEPT:<len>`, `DATA ACCEPT:<n>,<len>`: the module accepted `<len>` bytes.
    DataAccept(usize),
    /// `CLOSE OK`.
    CloseOk,
    /// `CLOSED`: the peer closed.
    Closed,
    /// `TCP ERROR:<n>`, `<n>, TCP ERROR`.
    TcpError(Option<u32>),
    /// `UDP ERROR:<n>`, `<n>, UDP ERROR`.
    UdpError(Option<u32>),
}

impl ChannelNews {
    /// The spelling in messages; other spellings are read, too.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ConnectOk => "CONNECT OK",
            Self::ConnectFail => "CONNECT FAIL",
            Self::AlreadyConnect => "ALREADY CONNECT",
            Self::SendOk => "SEND OK",
            Self::SendFail => "SEND FAIL",
            Self::DataAccept(_) => "DATA ACCEPT",
            Self::CloseOk => "CLOSE OK",
            Self::Closed => "CLOSED",
            Self::TcpError(_) => "TCP ERROR",
            Self::UdpError(_) => "UDP ERROR",
        }
    }
}

impl<'a> Line<'a> {
    /// Parses a line from the decoder. Unknown lines are [`Line::Text`].
    ///
    /// ```
    /// use air724ug::at::{ChannelNews, Final, Line};
    ///
    /// assert_eq!(Line::parse(b"OK"), Line::Final(Final::Ok));
    /// assert_eq!(Line::parse(b"0, CONNECT OK"), Line::parse(b"0,CONNECT OK"));
    /// assert_eq!(Line::parse(b"DATA ACCEPT:10"), Line::Channel { channel: None, news: ChannelNews::DataAccept(10) });
    /// ```
    pub fn parse(line: &'a [u8]) -> Self {
        let line = line.trim_ascii();
        // The first byte limits the possible forms. This saves time, because a line is parsed more than once.
        let parsed = match line {
            [b'+', ..] => alt((map(all_consuming(mobile_code), Line::Final), info)).parse(line),
            [b'^' | b'*' | b'$', ..] => info(line),
            [b'E' | b'N' | b'O', ..] => map(all_consuming(final_code), Line::Final).parse(line),
            [b'0'..=b'9' | b'A' | b'D' | b'T' | b'U', ..] => all_consuming(channel_news).parse(line),
            [b'C', ..] => alt((
                map(all_consuming(final_code), Line::Final),
                all_consuming(channel_news),
                map((tag("C"), colon, rest), |(_, (), row)| Line::Row(row)),
            ))
            .parse(line),
            [b'S', ..] => alt((
                value(Line::ShutOk, all_consuming(tag("SHUT OK"))),
                all_consuming(channel_news),
                map((tag("STATE"), colon, rest), |(_, (), state): (_, _, &[u8])| {
                    Line::State(state.trim_ascii())
                }),
            ))
            .parse(line),
            _ => return Line::Text(line),
        };
        match parsed {
            Ok((_, line)) => line,
            Err(_) => Line::Text(line),
        }
    }

    /// The fields of an information line with this key; `None` for any other line.
    pub fn info(&self, wanted: &str) -> Option<Vec<Field<'a>>> {
        match self {
            Line::Info { key, list } if *key == wanted.as_bytes() => Some(fields(list)),
            _ => None,
        }
    }
}

/// True if a line that can't be parsed is damaged news of a channel: it begins like a known line and continues
/// differently, or is incomplete.
pub(crate) fn is_torn_news(line: &[u8]) -> bool {
    const NEWS: [&[u8]; 5] = [b"DATA ACCEPT:", b"SEND OK", b"SEND FAIL", b"CONNECT OK", b"CLOSE OK"];
    /// Shorter lines may be ordinary words.
    const LEAST: usize = 4;
    let text = match line {
        [b'0'..=b'9', b',', rest @ ..] => rest.trim_ascii_start(),
        _ => line,
    };
    let is_torn = |news: &&[u8]| text.starts_with(news) || (text.len() >= LEAST && news.starts_with(text));
    NEWS.iter().any(is_torn)
}

/// The address in `10.74.100.63`, `010.083.172.111` or `IPV4:10.0.0.1`, which `AT+CIFSR` prints instead of `OK`
/// (protocol section 6). Octets may have leading zeros.
pub fn bare_address(line: &[u8]) -> Option<Ipv4Addr> {
    let octet = |input| number(input);
    let (_, (a, _, b, _, c, _, d)) = all_consuming(preceded(
        opt((tag("IPV4"), colon)),
        (octet, char('.'), octet, char('.'), octet, char('.'), octet),
    ))
    .parse(line.trim_ascii())
    .ok()?;
    let octet = |n: u32| u8::try_from(n).ok();
    Some(Ipv4Addr::new(octet(a)?, octet(b)?, octet(c)?, octet(d)?))
}

fn final_code(input: &[u8]) -> Parsed<'_, Final> {
    alt((
        value(Final::Ok, tag("OK")),
        value(Final::Error, tag("ERROR")),
        value(Final::NoResponse, tag("COMMAND NOT RESPONSE")),
        value(Final::NoCarrier, tag("NO CARRIER")),
        value(Final::Connect, all_consuming(tag("CONNECT"))),
    ))
    .parse(input)
}

fn mobile_code(input: &[u8]) -> Parsed<'_, Final> {
    alt((
        map(preceded(mobile_error("E"), rest), |text| Final::Cme(cme(text))),
        map(preceded(mobile_error("S"), rest), |text| Final::Cms(cms(text))),
    ))
    .parse(input)
}

/// `+CME ERROR:` or `+CMS ERROR:`. The manual also writes `+ CME ERROR`, and omits the colon.
fn mobile_error<'a>(
    kind: &'static str,
) -> impl Parser<&'a [u8], Output = (), Error = nom::error::Error<&'a [u8]>> {
    map((char('+'), space0, tag("CM"), tag(kind), tag(" ERROR"), space0, opt(char(':')), space0), |_| ())
}

fn cme(text: &[u8]) -> CmeError {
    let text = String::from_utf8_lossy(text.trim_ascii());
    text.parse().map(CmeError::new).ok().or_else(|| CmeError::from_text(&text)).unwrap_or(CmeError::UNKNOWN)
}

fn cms(text: &[u8]) -> CmsError {
    let text = String::from_utf8_lossy(text.trim_ascii());
    text.parse().map(CmsError::new).ok().or_else(|| CmsError::from_text(&text)).unwrap_or(CmsError::UNKNOWN)
}

fn channel_news(input: &[u8]) -> Parsed<'_, Line<'_>> {
    let (input, channel) = opt(terminated(number, comma)).parse(input)?;
    let (input, (inner, news)) = alt((data_accept, map(news, |news| (None, news)))).parse(input)?;
    match channel.or(inner).map(ChannelId::new) {
        // No channel has this number: the line is kept as text, and reported like this.
        Some(None) => Err(nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Verify))),
        Some(Some(channel)) => Ok((input, Line::Channel { channel: Some(channel), news })),
        None => Ok((input, Line::Channel { channel: None, news })),
    }
}

fn data_accept(input: &[u8]) -> Parsed<'_, (Option<u32>, ChannelNews)> {
    let (input, _) = (alt((tag("DATA ACCEPT"), tag("DATAACCEPT"))), colon).parse(input)?;
    let (input, (first, second)) = (number, opt(preceded(comma, number))).parse(input)?;
    let (channel, len) = match second {
        Some(len) => (Some(first), len),
        None => (None, first),
    };
    Ok((input, (channel, ChannelNews::DataAccept(len as usize))))
}

fn news(input: &[u8]) -> Parsed<'_, ChannelNews> {
    alt((
        value(ChannelNews::ConnectOk, alt((tag("CONNECT OK"), tag("CONNECTOK")))),
        value(ChannelNews::ConnectFail, tag("CONNECT FAIL")),
        value(
            ChannelNews::AlreadyConnect,
            alt((tag("ALREADY CONNECT"), tag("ALREAY CONNECT"), tag("ALREADY OPENED"))),
        ),
        value(ChannelNews::SendOk, tag("SEND OK")),
        value(ChannelNews::SendFail, tag("SEND FAIL")),
        value(ChannelNews::CloseOk, tag("CLOSE OK")),
        value(ChannelNews::Closed, tag("CLOSED")),
        map(preceded(tag("TCP ERROR"), opt(preceded(colon, number))), ChannelNews::TcpError),
        map(preceded(tag("UDP ERROR"), opt(preceded(colon, number))), ChannelNews::UdpError),
    ))
    .parse(input)
}

/// `+KEY: list`. Keys are upper case letters, digits and underscores after their first character. The manual's pages
/// have blanks on either side of the colon.
fn info(input: &[u8]) -> Parsed<'_, Line<'_>> {
    let (after_key, _) =
        (alt((char('+'), char('^'), char('*'), char('$'))), take_while1(is_key)).parse(input)?;
    let key = input.strip_suffix(after_key).unwrap_or_default();
    let (_, list) = preceded(colon, rest).parse(after_key)?;
    Ok((&[], Line::Info { key, list }))
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news_of(line: &str) -> (Option<usize>, ChannelNews) {
        match Line::parse(line.as_bytes()) {
            Line::Channel { channel, news } => (channel.map(ChannelId::index), news),
            other => panic!("{line:?} is {other:?}"),
        }
    }

    #[test]
    fn channel_news_is_read_in_every_spelling() {
        for line in ["0, CONNECT OK", "0,CONNECT OK", "0,CONNECTOK", " 0,  CONNECT OK "] {
            assert_eq!(news_of(line), (Some(0), ChannelNews::ConnectOk), "{line}");
        }
        for line in ["3, ALREADY CONNECT", "3,ALREADY OPENED", "3,ALREAY CONNECT"] {
            assert_eq!(news_of(line), (Some(3), ChannelNews::AlreadyConnect), "{line}");
        }
        assert_eq!(news_of("CLOSED"), (None, ChannelNews::Closed));
        assert_eq!(news_of("7, CLOSE OK"), (Some(7), ChannelNews::CloseOk));
        assert_eq!(news_of("1, TCP ERROR"), (Some(1), ChannelNews::TcpError(None)));
        assert_eq!(news_of("TCP ERROR:14"), (None, ChannelNews::TcpError(Some(14))));
    }

    #[test]
    fn accepted_data_is_counted_with_and_without_channel() {
        assert_eq!(news_of("DATA ACCEPT:12"), (None, ChannelNews::DataAccept(12)));
        assert_eq!(news_of("DATA ACCEPT:0,10"), (Some(0), ChannelNews::DataAccept(10)));
        assert_eq!(news_of("DATAACCEPT:5,8"), (Some(5), ChannelNews::DataAccept(8)));
    }

    #[test]
    fn a_channel_that_does_not_exist_is_text() {
        assert_eq!(Line::parse(b"8, CLOSED"), Line::Text(b"8, CLOSED"));
        assert_eq!(Line::parse(b"99999999999, CLOSED"), Line::Text(b"99999999999, CLOSED"));
    }

    #[test]
    fn news_that_lost_bytes_are_distinguished_from_words() {
        for line in ["DATA ACCEPT:0,tjs", "0, SEND O", "DATA", "0, SEND OKAY", "CLOSE O", "DATA ACC"] {
            assert!(
                matches!(Line::parse(line.as_bytes()), Line::Text(_)) && is_torn_news(line.as_bytes()),
                "{line}"
            );
        }
        for line in ["RING", "SMS READY", "0, FOO", "DAT", "", "CONNECTED", "UNDER-VOLTAGE WARNNING"] {
            assert!(!is_torn_news(line.as_bytes()), "{line}");
        }
    }

    /// The result of trying every form, without a selection by the first byte.
    fn by_all_forms(line: &[u8]) -> Line<'_> {
        let line = line.trim_ascii();
        let parsed = alt((
            map(all_consuming(final_code), Line::Final),
            map(all_consuming(mobile_code), Line::Final),
            value(Line::ShutOk, all_consuming(tag("SHUT OK"))),
            all_consuming(channel_news),
            map((tag("STATE"), colon, rest), |(_, (), state): (_, _, &[u8])| Line::State(state.trim_ascii())),
            map((tag("C"), colon, rest), |(_, (), row)| Line::Row(row)),
            info,
        ))
        .parse(line);
        parsed.map_or(Line::Text(line), |(_, line)| line)
    }

    #[test]
    fn the_first_byte_leaves_out_no_form() {
        const WORDS: [&str; 34] = [
            "OK",
            "ERROR",
            "COMMAND NOT RESPONSE",
            "NO CARRIER",
            "CONNECT",
            "+CME ERROR",
            "+CMS ERROR:",
            "+ CME ERROR 3",
            "3",
            "0, ",
            "9,",
            "DATA ACCEPT",
            "DATAACCEPT",
            ":",
            ": 5",
            "CONNECT OK",
            "CONNECTOK",
            " FAIL",
            "ALREADY CONNECT",
            "ALREAY CONNECT",
            "ALREADY OPENED",
            "SEND OK",
            "SEND FAIL",
            "CLOSE OK",
            "CLOSED",
            "TCP ERROR",
            "UDP ERROR",
            "SHUT OK",
            "STATE",
            "C",
            "+CSQ",
            "^DSCI",
            "*KEY",
            "$GP",
        ];
        for one in WORDS {
            for other in WORDS.into_iter().chain(["", " "]) {
                for last in ["", ",1", ":14", "x"] {
                    let line = format!("{one}{other}{last}");
                    assert_eq!(Line::parse(line.as_bytes()), by_all_forms(line.as_bytes()), "{line}");
                }
            }
        }
        for byte in 0..=u8::MAX {
            let line = [byte, b':', b'1'];
            assert_eq!(Line::parse(&line), by_all_forms(&line), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn finals_are_whole_lines() {
        assert_eq!(Line::parse(b"OK"), Line::Final(Final::Ok));
        assert_eq!(Line::parse(b" ERROR"), Line::Final(Final::Error));
        assert_eq!(Line::parse(b"OKAY"), Line::Text(b"OKAY"));
        assert_eq!(Line::parse(b"CONNECT"), Line::Final(Final::Connect));
        assert_eq!(Line::parse(b"CONNECTED"), Line::Text(b"CONNECTED"));
    }

    #[test]
    fn mobile_errors_are_numbers_whatever_the_spelling() {
        for line in [
            "+CME ERROR: 3",
            "+CME ERROR:3",
            "+ CME ERROR: 3",
            "+CME ERROR 3",
            "+CME ERROR: operation not allowed",
        ] {
            assert_eq!(Line::parse(line.as_bytes()), Line::Final(Final::Cme(CmeError::new(3))), "{line}");
        }
    }

    #[test]
    fn keys_are_read_with_and_without_blanks() {
        let fields = Line::parse(b"+MQTTSTATU :0").info("+MQTTSTATU").unwrap();
        assert_eq!(fields[0].number(), Some(0));
        assert_eq!(Line::parse(b"+CSQ:18").info("+CSQ").unwrap().len(), 1);
        assert_eq!(Line::parse(b"^MODE: 17,17").info("^MODE").unwrap().len(), 2);
        assert!(Line::parse(b"+CSQ: 18").info("+CREG").is_none());
    }

    #[test]
    fn state_and_rows_are_distinguished() {
        assert_eq!(Line::parse(b"STATE:IP STATUS"), Line::State(b"IP STATUS"));
        assert_eq!(
            Line::parse(b"C: 0,,\"\",\"\",\"\",\"INITIAL\""),
            Line::Row(b"0,,\"\",\"\",\"\",\"INITIAL\"")
        );
    }

    #[test]
    fn addresses_are_bare_padded_or_labelled() {
        assert_eq!(bare_address(b"010.083.172.111"), Some(Ipv4Addr::new(10, 83, 172, 111)));
        assert_eq!(bare_address(b"IPV4:10.0.0.1"), Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(bare_address(b"10.0.0.256"), None);
        assert_eq!(bare_address(b"10.0.0"), None);
    }
}
