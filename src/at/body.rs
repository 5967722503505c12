//! Text of people: text that people or a server wrote, such as messages and files, in or after a line with a header.
//! It may look like any line of the module. The unsolicited lines with such a text are marked in the table of
//! `urc_table.rs`; the answers with one are listed here.

use super::fields::{Field, fields};
use super::urc::Urc;

/// The text that belongs to a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Body {
    /// A message (3GPP TS 27.005 sections 3.4.1 and 4.2): with `text_from` fields or more in the header it is text, of
    /// which the last of ten fields gives the length in characters; with fewer it is one line of hexadecimal digits.
    Message { text_from: usize },
    /// A status report: one line of hexadecimal digits after a header of one or two fields. A longer header has no
    /// text.
    Report,
    /// A string in quotes that may span lines (TS 27.007 section 8.12).
    Quoted,
    /// A string in quotes that may span lines and have quotes in it (TS 27.007 section 7.15).
    Ussd,
    /// This field, counted from 0, gives the number of bytes that follow the comma after it.
    Counted { field: usize },
}

/// The headers of answers that are followed by text, also in late answers.
const ANSWER_HEADERS: [(&str, Body); 5] = [
    ("+CMGR", Body::Message { text_from: 4 }),
    ("+CMGL", Body::Message { text_from: 5 }),
    ("+CPBR", Body::Quoted),
    ("+CPBF", Body::Quoted),
    ("+CNUM", Body::Quoted),
];

/// The longest header of a text that begins on the next line. That of a message with a name, in hexadecimal digits, and
/// the parameters of `AT+CSDH=1` has about 200 bytes.
const LONGEST_HEADER: usize = 256;

/// The kind of text after the header of an answer.
pub(super) fn of_answer(key: &[u8]) -> Option<Body> {
    ANSWER_HEADERS.into_iter().find(|(header, _)| header.as_bytes() == key).map(|(_, body)| body)
}

/// The commands whose answer is text of people, and the line at which this text begins. The text ends before the final
/// result code: the last one before the answer to a question that is asked after it.
const ANSWERS: [(&str, From); 13] = [
    ("+CMGR", From::Header),
    ("+CMGL", From::Header),
    ("+CMGRD", From::Header),
    ("+CPBR", From::Header),
    ("+CPBF", From::Header),
    ("+CNUM", From::Header),
    ("+CUSD", From::Header),
    ("+HTTPREAD", From::Header),
    ("+HTTPHEAD", From::Header),
    ("+HTTPEXGET", From::Header),
    ("+FTPGET", From::Header),
    ("+FTPEXTGET", From::Header),
    ("+FSREAD", From::Start),
];

/// The begin of the text of people in an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum From {
    /// The first line with the command's own key.
    Header,
    /// The first line of the answer.
    Start,
}

/// The longest text of a message, in bytes: ten joined short messages. The text is cut off there, and the lines that
/// follow are read as lines of the module.
const MAX_TEXT: usize = 2048;

/// The command of a line, in upper case, whose answer is text of people. A question (`?`) has no such answer.
pub(crate) fn of_command(upper: &str) -> Option<(&'static str, From)> {
    let parts = upper.split(';').map(|part| part.strip_prefix("AT").unwrap_or(part));
    let asks = |part: &str, key: &str| {
        part.strip_prefix(key)
            .is_some_and(|rest| rest.is_empty() || (rest.starts_with('=') && !rest.ends_with('?')))
    };
    parts.into_iter().find_map(|part| ANSWERS.into_iter().find(|(key, _)| asks(part, key)))
}

/// A text that is read after its header.
#[derive(Debug)]
pub(crate) struct MessageText {
    header: String,
    text: Vec<u8>,
    until: Until,
}

/// The end of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Until {
    /// A line end between two frames, and at least this number of characters before it.
    Frame(usize),
    /// The end of the first line. Without a text, the line end between two frames.
    Line,
    /// The end of a line that ends with a closed string, or with a closed string and a number.
    Quote,
    /// The line end between two frames, after a line that ends with a closed string. `may_be_over` is true if the last
    /// line ended like that.
    LastQuote { may_be_over: bool },
    /// The end of this number of further bytes.
    Bytes(usize),
}

/// The completeness of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    More,
    Complete,
}

impl MessageText {
    /// Begins to read the text after a header of this kind; `None` if the header has no text after it.
    pub(super) fn after(key: &[u8], list: &[u8], body: Body) -> Option<Self> {
        let list_fields = fields(list);
        let until = match body {
            Body::Message { text_from } if list_fields.len() < text_from => Until::Line,
            Body::Message { .. } => Until::Frame(length(&list_fields)),
            Body::Report if list_fields.len() <= 2 => Until::Line,
            Body::Report => return None,
            Body::Quoted if quotes(list).is_multiple_of(2) => return None,
            Body::Quoted => Until::Quote,
            Body::Ussd if quotes(list) == 0 => return None,
            Body::Ussd => Until::LastQuote { may_be_over: ends_string(list.trim_ascii_end()) },
            Body::Counted { field } => Until::Bytes(missing(list, field)?),
        };
        let (key, list) = (String::from_utf8_lossy(key), String::from_utf8_lossy(list.trim_ascii()));
        Some(Self { header: format!("{key}: {list}"), text: Vec::new(), until })
    }

    /// True if a string of the header has no end, and the text stands on the lines after it. Characters of the text are
    /// no reason: a quote within a string is written `\22` (TS 27.007 section 5.4.2.2).
    pub(crate) fn has_torn_header(&self) -> bool {
        self.begins_below() && !quotes(self.header.as_bytes()).is_multiple_of(2)
    }

    /// True if the header is longer than any, and has no text in it.
    pub(crate) fn has_overlong_header(&self) -> bool {
        self.begins_below() && self.header.len() > LONGEST_HEADER
    }

    /// True if the text begins on the line after the header.
    fn begins_below(&self) -> bool {
        matches!(self.until, Until::Frame(_) | Until::Line)
    }

    /// Takes a line without its LF.
    pub(crate) fn line(&mut self, raw: &[u8]) -> Progress {
        let is_frame_end = raw == b"\r";
        let has_none = self.text.is_empty();
        let is_over = match self.until {
            Until::Frame(least) => is_frame_end && self.characters() >= least,
            // There is no text: the next frame begins.
            Until::Line => is_frame_end && has_none,
            Until::LastQuote { may_be_over } => is_frame_end && may_be_over,
            Until::Quote | Until::Bytes(_) => false,
        };
        if is_over {
            return Progress::Complete;
        }
        self.text.extend_from_slice(raw.strip_suffix(b"\r").unwrap_or(raw));
        self.text.push(b'\n');
        let is_complete = match &mut self.until {
            Until::Frame(_) => false,
            Until::Line => true,
            Until::Quote => ends_string(raw.trim_ascii_end()),
            Until::LastQuote { may_be_over } => {
                *may_be_over = raw.ends_with(b"\r") && ends_string(raw.trim_ascii_end());
                false
            }
            Until::Bytes(left) => {
                *left = left.saturating_sub(raw.len()).saturating_sub(1);
                *left == 0
            }
        };
        if is_complete || self.text.len() > MAX_TEXT { Progress::Complete } else { Progress::More }
    }

    /// True if the text is complete: one line of hexadecimal digits, as the header says.
    pub(crate) fn is_digits(&self) -> bool {
        let text = self.text.strip_suffix(b"\n").unwrap_or(&self.text);
        self.until == Until::Line && !text.is_empty() && text.iter().all(u8::is_ascii_hexdigit)
    }

    /// The message.
    pub(crate) fn into_urc(self) -> Urc {
        let text = self.text.strip_suffix(b"\n").unwrap_or(&self.text);
        Urc::Message { header: self.header, text: String::from_utf8_lossy(text).into_owned() }
    }

    fn characters(&self) -> usize {
        String::from_utf8_lossy(self.text.strip_suffix(b"\n").unwrap_or(&self.text)).chars().count()
    }
}

/// The least number of characters of a text, if its header gives it (`AT+CSDH=1`): the last of the ten fields of
/// `+CMT`, of the eleven of `+CMGR`, of the seven of `+CMGL`. A shorter list has no length; it may end with an address
/// type.
fn length(fields: &[Field<'_>]) -> usize {
    let is_shown = fields.len() >= 7;
    let last = fields.last().filter(|_| is_shown).and_then(Field::number);
    last.and_then(|length| usize::try_from(length).ok()).unwrap_or(0).min(MAX_TEXT)
}

/// The number of bytes of a counted text that are not on the header's line; `None` if there are none.
fn missing(list: &[u8], field: usize) -> Option<usize> {
    let count = fields(list).get(field)?.text();
    let digits: String = count.chars().take_while(char::is_ascii_digit).collect();
    let count: usize = digits.parse().ok()?;
    let commas = list.iter().enumerate().filter(|(_, byte)| **byte == b',').map(|(at, _)| at);
    let at = commas.take(field.saturating_add(1)).last()?;
    let here = list.get(at.saturating_add(1)..)?.len();
    // The line end counts as part of the text.
    let left = count.min(MAX_TEXT).checked_sub(here)?.saturating_sub(1);
    (left > 0).then_some(left)
}

fn quotes(list: &[u8]) -> usize {
    list.iter().filter(|byte| **byte == b'"').count()
}

/// True if a line ends with a quote, or with a quote, a comma and a number.
fn ends_string(line: &[u8]) -> bool {
    let number = line.iter().rev().take_while(|byte| byte.is_ascii_digit() || **byte == b' ').count();
    let before = line.len().saturating_sub(number);
    match line.get(..before) {
        Some([.., b'"', b',']) => true,
        Some([.., b'"']) => number == 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::urc_table::text_after;
    use super::*;

    /// The text after a header, and the number of lines that belong to it.
    fn read(header: &str, lines: &[&str]) -> Option<(String, usize)> {
        let mut text = text_after(header.as_bytes())?;
        let mut count = 0;
        for line in lines {
            count += 1;
            if text.line(line.as_bytes()) == Progress::Complete {
                break;
            }
        }
        let Urc::Message { text, .. } = text.into_urc() else { panic!() };
        Some((text, count))
    }

    const CMT: &str = "+CMT: \"+123\",,\"24/07/23,08:35:01+32\"";

    #[test]
    fn a_text_goes_up_to_the_line_end_between_two_frames() {
        assert_eq!(read(CMT, &["0, CLOSED\r", "\r", "RDY\r"]), Some(("0, CLOSED".into(), 2)));
        assert_eq!(read(CMT, &["two", "lines\r", "", "OK\r", "\r"]), Some(("two\nlines\n\nOK".into(), 5)));
        assert_eq!(read(CMT, &["\r", "RDY\r"]), Some((String::new(), 1)), "there is none");
    }

    #[test]
    fn a_length_in_the_header_goes_over_line_ends() {
        let header = "+CMT: \"+123\",,\"24/07/23,08:35:01+32\",145,4,0,0,\"+1\",145,13";
        assert_eq!(
            read(header, &["abc\r", "\r", "RDY rest\r", "\r", "x\r"]),
            Some(("abc\n\nRDY rest".into(), 4))
        );
    }

    #[test]
    fn digits_are_one_line() {
        for header in ["+CMT: ,23", "+CDS: 25", "+CBM: 88", "+CMGR: 1,,24", "+CMGL: 1,1,,24"] {
            assert_eq!(read(header, &["0791448720\r", "0, CLOSED\r"]).unwrap().1, 1, "{header}");
        }
        assert_eq!(read("+CDS: 6,2,\"+31628870634\",145,\"a\",\"b\",0", &[]), None);
    }

    #[test]
    fn a_string_goes_up_to_its_last_quote() {
        assert_eq!(read("+CUSD: 2", &[]), None);
        assert_eq!(read("+CUSD: 0,\"all\",15", &["\r", "RDY\r"]), Some((String::new(), 1)));
        let lines = ["OK\r", "\r", "0, CLOSED\r", "end\",15\r", "\r", "RDY\r"];
        assert_eq!(read("+CUSD: 0,\"first", &lines), Some(("OK\n\n0, CLOSED\nend\",15".into(), 5)));
        let lines = ["RDY\r", "a \"b\"", "\"c\"\r", "0, CLOSED\r", "\r", "end\"\r", "\r"];
        assert_eq!(
            read("+CUSD: 0,\"a \"first\"", &lines),
            Some(("RDY\na \"b\"\n\"c\"\n0, CLOSED\n\nend\"".into(), 7))
        );
        assert_eq!(read("+CPBR: 1,\"+1\",145,\"first", &["end\"\r", "RDY\r"]), Some(("end\"".into(), 1)));
        assert_eq!(read("+CPBR: 1,\"+1\",145,\"all\"", &[]), None);
    }

    #[test]
    fn a_counted_text_goes_over_lines() {
        assert_eq!(read("+MSUB: \"topic\",5 byte,hello", &[]), None);
        assert_eq!(read("+MSUB: \"topic\",16 byte,hello", &["0, CLOSED\r", "RDY\r"]).unwrap().1, 1);
    }

    #[test]
    fn a_command_has_text_in_its_answer_or_not() {
        assert_eq!(of_command("AT+CMGR=1"), Some(("+CMGR", From::Header)));
        assert_eq!(of_command("AT+CMGF=1;+CMGL"), Some(("+CMGL", From::Header)));
        assert_eq!(of_command("AT+FSREAD=\"A\",0,5,0"), Some(("+FSREAD", From::Start)));
        for text in ["AT+CMGR=?", "AT+CUSD?", "AT+CMGRX=1", "AT+CSQ", "AT+CPBS?"] {
            assert_eq!(of_command(text), None, "{text}");
        }
    }
}
