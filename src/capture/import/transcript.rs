//! Transcripts of a terminal: a line a line, with no marks to tell the two sides apart (a12, a18, a23, a25, s05, s07,
//! s08), and the same lines behind the stamps of the [Arduino monitor](super::arduino).
//!
//! A line that looks like a command is taken as sent: typed or echoed, it reads the same. What stands between a
//! prompt and the announced length is taken as sent, too. Everything else came from the modem. A terminal shows a
//! line end as a new line; each gets its CR LF back. Lines with Chinese characters, `//` remarks, fences and rules
//! are the publisher's. In a TinyGSM log the prints of its example sketches are known by their words.

use super::super::{ReadError, Reason};
use super::text::{find, is_command, is_prose, without_comment};
use super::{Collector, Line};

/// What TinyGSM's examples print about themselves, without a line end before the next command.
const PRINTS: [&[u8]; 11] = [
    b"Initializing modem...",
    b"Waiting for network...",
    b"Connecting to ",
    b"Network connected",
    b"Modem Info: ",
    b"Modem: ",
    b"Local IP: ",
    b" success",
    b" fail",
    b" [OK]",
    b" OK",
];

pub(super) fn recognises_tinygsm(line: &[u8]) -> bool {
    find(line, b"] ### ").is_some()
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    let mut transcript = Transcript::new(lines.iter().map(|line| line.text));
    for &line in lines {
        transcript.line(line, out);
    }
    Ok(())
}

/// Tells the two sides of a terminal apart, line by line.
#[derive(Debug)]
pub(super) struct Transcript {
    tinygsm: bool,
    data: DataLines,
}

/// The next lines that are data of the host. `None` stands for "until Ctrl-Z".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DataLines {
    Nothing,
    Announced(Option<usize>),
    Open(Option<usize>),
}

impl Transcript {
    /// For a log of these lines.
    pub(super) fn new<'a>(mut lines: impl Iterator<Item = &'a [u8]>) -> Self {
        Self { tinygsm: lines.any(recognises_tinygsm), data: DataLines::Nothing }
    }

    /// Takes the next line.
    pub(super) fn line(&mut self, line: Line<'_>, out: &mut Collector) {
        let (text, commented) = without_comment(line.text);
        if commented {
            out.remark(line.number, Reason::Comment);
        }
        if commented && text.is_empty() {
            return;
        }
        if text.starts_with(b"```") || text.starts_with(b"-----") {
            return out.remark(line.number, Reason::Mark);
        }
        if is_prose(text) {
            return out.remark(line.number, Reason::Comment);
        }
        if let DataLines::Open(left) = self.data {
            return self.data_line(line.number, text, left, out);
        }
        if self.tinygsm && self.print(line.number, text, out) {
            return;
        }
        self.exchange(line.number, text, out);
    }

    /// A command, a prompt, or a line of the modem.
    fn exchange(&mut self, number: usize, text: &[u8], out: &mut Collector) {
        if is_command(text) {
            self.data = announced(text).map_or(DataLines::Nothing, DataLines::Announced);
            return out.line_sent(number, text);
        }
        let DataLines::Announced(length) = self.data else {
            return out.line_received(number, text);
        };
        let Some(typed) = text.trim_ascii().strip_prefix(b">") else {
            return out.line_received(number, text);
        };
        out.received(number, b"\r\n> ");
        self.data = DataLines::Open(length);
        if !typed.trim_ascii().is_empty() {
            self.data_line(number, typed, length, out);
        }
    }

    /// A line of data, with its line end if that is part of the announced length.
    fn data_line(&mut self, number: usize, text: &[u8], left: Option<usize>, out: &mut Collector) {
        let Some(left) = left else {
            if text.is_empty() {
                return out.remark(number, Reason::Blank);
            }
            self.data = DataLines::Nothing;
            return out.sent(number, [text, b"\r\n\x1a"].concat());
        };
        let whole = [text, b"\r\n"].concat();
        let length = whole.len().min(left.max(text.len()));
        out.sent(number, &whole[..length]);
        self.data = match left.saturating_sub(length) {
            0 => DataLines::Nothing,
            left => DataLines::Open(Some(left)),
        };
    }

    /// Whether the program printed this line, or the part of it before a command.
    fn print(&mut self, number: usize, text: &[u8], out: &mut Collector) -> bool {
        let printed = PRINTS.iter().any(|print| text.starts_with(print)) || recognises_tinygsm(text);
        if !printed {
            return false;
        }
        out.remark(number, Reason::Tool);
        if let Some(at) = find(text, b"AT+") {
            self.exchange(number, &text[at..], out);
        }
        true
    }
}

/// The length that a `CIPSEND` announces; `None` for another command.
fn announced(command: &[u8]) -> Option<Option<usize>> {
    let arguments = command.strip_prefix(b"AT+CIPSEND")?;
    if arguments.is_empty() {
        return Some(None);
    }
    let length = arguments.strip_prefix(b"=")?.rsplit(|&byte| byte == b',').next()?;
    Some(Some(str::from_utf8(length).ok()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn a_terminal_shows_both_sides() {
        let log = "//boot\nAT+CSQ\n\n+CSQ: 20,0 //good\n\nOK\n```\n------\n查询\n ERROR\n";
        assert_eq!(
            seen(log),
            r"1 #
2 > AT+CSQ\r\n
3 < \r\n
4 < +CSQ: 20,0\r\n
4 #
5 < \r\n
6 < OK\r\n
7 #
8 #
9 #
10 <  ERROR\r\n"
        );
    }

    #[test]
    fn data_ends_where_the_announced_length_does() {
        let log = "AT+CIPSEND=1,7\n\n>Hello\n \nDATA ACCEPT:1,7\nAT+CIPSEND=1,4\n\n>ab\n\nOK\nAT+CIPSEND\n > \n\nhi\nOK\n";
        assert_eq!(
            seen(log),
            r"1 > AT+CIPSEND=1,7\r\n
2 < \r\n
3 < \r\n>\x20
3 > Hello\r\n
4 <  \r\n
5 < DATA ACCEPT:1,7\r\n
6 > AT+CIPSEND=1,4\r\n
7 < \r\n
8 < \r\n>\x20
8 > ab\r\n
9 < \r\n
10 < OK\r\n
11 > AT+CIPSEND\r\n
12 < \r\n>\x20
13 #
14 > hi\r\n\x1a
15 < OK\r\n"
        );
    }

    #[test]
    fn a_line_end_behind_the_announced_length_is_not_data() {
        let log = "AT+CIPSEND=1,2\n>hi\nDATA ACCEPT:1,2\nAT+CIPSEND=1,3\n>toolong\nOK\n";
        assert_eq!(
            seen(log),
            r"1 > AT+CIPSEND=1,2\r\n
2 < \r\n>\x20
2 > hi
3 < DATA ACCEPT:1,2\r\n
4 > AT+CIPSEND=1,3\r\n
5 < \r\n>\x20
5 > toolong
6 < OK\r\n"
        );
    }

    #[test]
    fn tinygsms_prints_are_cut_from_the_commands_behind_them() {
        let log =
            "[4031] ### TinyGSM Version: 0.7.4\nWaiting for network...AT+CREG?\n\n+CREG: 0,5\n [OK]\nOK\n";
        assert_eq!(
            seen(log),
            r"1 #
2 > AT+CREG?\r\n
2 #
3 < \r\n
4 < +CREG: 0,5\r\n
5 #
6 < OK\r\n"
        );
    }
}
