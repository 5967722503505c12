//! The two sides of a terminal, distinguished line by line, and the data between the lines.

use crate::at::{ChannelNews, Decoder, Expect, Final, Line as AtLine, Token};

use super::super::announced::announced;
use super::super::{Entry, Reason};
use super::data_lines::{DataLines, LineEnds};
use super::marks::Marks;
use super::notation::{is_ctrl_z_in_hex, unescaped, without_ctrl_z};
use super::text::{glued_command, is_answer, is_command, is_prose, without_remark};
use super::{Collector, Encoding, Line, encoding};

/// What ends transparent mode. It has no line end: with one it would be data.
const ESCAPE: &[u8] = b"+++";

/// Writes lines as records, and predicts which side the next lines belong to.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    pub(super) out: Collector,
    pub(super) encoding: Encoding,
    decoder: Decoder,
    pub(super) data: DataLines,
    /// The assumption about the line ends of data and payload.
    pub(super) ends: LineEnds,
    /// Whether data or payload have begun that are incomplete.
    pub(super) begun: bool,
    /// Whether data or payload do not end where a line ends: the assumption is wrong.
    pub(super) failed: bool,
    /// The blank lines within data, and the last line that was not blank.
    pub(super) blanks: Vec<usize>,
    pub(super) last_data: usize,
    /// The first and the last line of data for which no assumption was right.
    pub(super) unsure: Vec<(usize, usize)>,
    /// Whether the last command has no result yet.
    is_open: bool,
    /// Whether there may be several connections, so that commands name a channel.
    mux: bool,
    /// The last command.
    pub(super) last: Vec<u8>,
    /// The record and the line of a command whose line end has not come yet.
    unended: Option<(usize, usize)>,
}

impl Wire {
    pub(super) fn new(encoding: Encoding) -> Self {
        Self {
            out: Collector::default(),
            encoding,
            decoder: Decoder::new(),
            data: DataLines::Nothing,
            ends: LineEnds::default(),
            begun: false,
            failed: false,
            blanks: Vec::new(),
            last_data: 0,
            unsure: Vec::new(),
            is_open: false,
            mux: false,
            last: Vec::new(),
            unended: None,
        }
    }

    /// Whether announced payload is incomplete. The next lines are then payload, whatever they look like.
    pub(super) fn in_payload(&self) -> bool {
        self.decoder.data_left() > 0
    }

    /// Whether payload of this length is missing.
    pub(super) fn misses(&self, length: usize) -> bool {
        self.decoder.data_left() == length
    }

    /// Whether a line is the echo of the command in flight.
    pub(super) fn echoes(&self, line: &[u8]) -> bool {
        self.is_open && self.last == line
    }

    /// Whether a line is no payload, because the log has cut the payload before it.
    pub(super) fn ends_payload(&self, text: &[u8]) -> bool {
        self.ends == LineEnds::Cut && (is_command(text.trim_ascii()) || is_answer(text))
    }

    fn cut_payload(&mut self, number: usize) {
        self.decoder.abandon_data();
        self.out.gap(number);
    }

    /// Records bytes from the modem.
    pub(super) fn received(&mut self, number: usize, bytes: Vec<u8>) {
        let bytes = encoding::wire(self.encoding, bytes);
        let was_payload = self.in_payload();
        let begins = |text: &[u8]| first_line(text).is_some_and(|line| is_answer(line) || is_command(line));
        if was_payload && begins(&bytes) {
            match self.ends {
                LineEnds::CrLf => {}
                LineEnds::Lf | LineEnds::Joined => self.failed = true,
                LineEnds::Cut => self.cut_payload(number),
            }
        }
        let mut rest = bytes.as_slice();
        while let Some(token) = self.decoder.next(&mut rest, Expect::Line) {
            let is_last = matches!(token, Token::Data { last: true, .. });
            let is_end = match rest {
                [] | [b'\r', ..] => true,
                [b'\n', ..] => self.ends == LineEnds::Lf,
                rest => !rest[0].is_ascii_whitespace() && begins(rest),
            };
            self.failed |= is_last && !is_end;
        }
        self.begun |= !was_payload && self.in_payload();
        for line in bytes.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty()) {
            if !was_payload && is_end(line) {
                self.end_cut_command();
            }
            self.is_open &= !is_end(line);
            if !was_payload && self.has_begun_data() && ends_data(line) {
                self.close_data();
            }
        }
        self.out.received(number, bytes);
    }

    /// Records a line from the modem, with its line end restored.
    pub(super) fn line_received(&mut self, number: usize, text: &[u8]) {
        // A program may escape payload only.
        let shown = unescaped(text);
        let text = if self.in_payload() && !self.misses(text.len()) && self.misses(shown.len()) {
            &shown
        } else {
            text
        };
        // The line end after payload is the module's.
        let is_last = self.misses(encoding::wire(self.encoding, text.to_vec()).len());
        let is_joined = self.in_payload() && !is_last && self.ends == LineEnds::Joined;
        let end = if self.in_payload() && !is_last { self.ends.bytes() } else { b"\r\n" };
        self.received(number, [text, end].concat());
        if is_joined && !self.in_payload() {
            self.received(number, b"\r\n".to_vec());
        }
    }

    /// Records a line of payload that no mark assigns to a side. A command that the terminal echoed directly after the
    /// last byte is the next one.
    pub(super) fn payload_line(&mut self, number: usize, text: &[u8]) {
        let bytes = encoding::wire(self.encoding, text.to_vec());
        match bytes.split_at_checked(self.decoder.data_left()) {
            Some((payload, command)) if is_command(command.trim_ascii()) => {
                self.received(number, payload.to_vec());
                self.sent(number, [command.trim_ascii(), b"\r\n"].concat());
                // The end of the echo.
                self.received(number, b"\r\n".to_vec());
            }
            _ => self.line_received(number, text),
        }
    }

    /// Records a line from the modem, which may be two lines that the log has joined.
    pub(super) fn answered(&mut self, number: usize, text: &[u8]) {
        if let Some(state) = text.trim_ascii().strip_prefix(b"OK STATE:") {
            self.line_received(number, b"OK");
            return self.line_received(number, &[b"STATE:", state].concat());
        }
        self.line_received(number, text);
    }

    /// Records bytes to the modem.
    pub(super) fn sent(&mut self, number: usize, bytes: Vec<u8>) {
        let bytes = encoding::wire(self.encoding, bytes);
        let bytes = if self.is_endless() && is_ctrl_z_in_hex(&bytes) { vec![0x1a] } else { bytes };
        if first_line(&bytes).is_some_and(|line| is_command(line.trim_ascii())) {
            self.end_cut_command();
        }
        if self.ends == LineEnds::Cut && self.in_payload() && is_command(bytes.trim_ascii()) {
            self.cut_payload(number);
        }
        match bytes.strip_suffix(b"\n").or_else(|| bytes.strip_suffix(b"\r")) {
            Some(command) if is_command(command.trim_ascii()) => self.command(command.trim_ascii()),
            _ => {
                let is_cut = self.data == DataLines::Nothing && is_command(bytes.trim_ascii());
                self.unended = is_cut.then_some((self.out.records.len(), number));
                self.data_sent(&bytes);
            }
        }
        self.out.sent(number, bytes);
    }

    /// A command without its line end was cut by the log, because its result or the next command follows.
    fn end_cut_command(&mut self) {
        let Some((place, number)) = self.unended.take() else { return };
        let Some(located) = self.out.records.get_mut(place) else { return };
        if let Entry::ToModem(bytes) = &mut located.record.what {
            bytes.extend_from_slice(b"\r\n");
            let command = bytes.trim_ascii().to_vec();
            self.command(&command);
            self.out.remark(number, Reason::Elided);
        }
    }

    fn command(&mut self, text: &[u8]) {
        self.close_data();
        let upper = text.to_ascii_uppercase();
        let arguments = upper.strip_prefix(b"AT+CIPSTART=").unwrap_or_default();
        match upper.as_slice() {
            b"AT+CIPMUX=0" => self.mux = false,
            b"AT+CIPMUX=1" => self.mux = true,
            _ => self.mux |= matches!(arguments, [b'0'..=b'9', b',', ..]),
        }
        self.data = announced(&String::from_utf8_lossy(text), self.mux)
            .map_or(DataLines::Nothing, DataLines::Announced);
        self.is_open = true;
        self.last = text.to_vec();
    }

    /// Records a marked line to the modem: a command, or data.
    pub(super) fn line_sent(&mut self, number: usize, text: &[u8]) {
        if self.marked_data(number, text) {
            return;
        }
        let end: &[u8] = if text.trim_ascii() == ESCAPE { b"" } else { b"\r\n" };
        self.sent(number, [text.trim_ascii_end(), end].concat());
    }

    /// Records a prompt and the text after it. Returns `false` if the line has no prompt.
    ///
    /// With `exact`, the text after the prompt is all of the data.
    pub(super) fn prompt(&mut self, number: usize, text: &[u8], exact: bool) -> bool {
        let DataLines::Announced(length) = self.data else { return false };
        let Some(typed) = text.trim_ascii_start().strip_prefix(b">") else { return false };
        // The prompt for a file may have no blank after it. A terminal shows that; a line that a program has trimmed
        // does not.
        let is_bare = !exact && self.last.starts_with(b"AT+FSWRITE") && typed.trim_ascii().is_empty();
        self.received(number, if is_bare { b"\r\n>\r\n".to_vec() } else { b"\r\n> ".to_vec() });
        self.data = DataLines::Open { left: length, begun: false };
        let typed = typed.strip_prefix(b" ").unwrap_or(typed);
        if (exact || length == Some(typed.len())) && !typed.is_empty() {
            self.data = DataLines::Nothing;
            let shown = without_ctrl_z(typed).map_or(typed.to_vec(), |text| [text, b"\x1a"].concat());
            self.out.sent(number, encoding::wire(self.encoding, shown));
        } else if !typed.trim_ascii().is_empty() && !self.data_line(number, typed) {
            self.answered(number, typed);
        }
        true
    }

    /// Records a line that no mark assigns to a side.
    pub(super) fn line(&mut self, line: Line<'_>, marks: &Marks) {
        let number = line.number;
        if self.in_payload() && !self.ends_payload(line.text) {
            return self.payload_line(number, line.text);
        }
        let is_whole = self.shows_data(line.text);
        let has_data = is_whole || line.text.is_empty() || !without_remark(line.text).0.is_empty();
        if self.in_data() && has_data {
            let (text, _) = without_remark(line.text);
            let text = if ends_data(text.trim_ascii()) { text.trim_ascii() } else { line.text };
            let shown = match self.data {
                DataLines::Open { left: None, begun: false } => without_remark(text).0,
                _ => text,
            };
            if self.data_line(number, shown) {
                if shown.len() < text.len() {
                    self.out.remark(number, Reason::Comment);
                }
                return;
            }
        }
        if is_whole {
            return self.exchange(number, line.text, marks);
        }
        let (text, remarked) = without_remark(line.text);
        if remarked {
            self.out.remark(number, Reason::Comment);
            if text.trim_ascii().is_empty() {
                return;
            }
        }
        if is_rule(text.trim_ascii()) || marks.is_end(text.trim_ascii()) {
            return self.out.remark(number, Reason::Mark);
        }
        let is_typed = matches!(self.data, DataLines::Announced(_)) && text.starts_with(b">");
        if is_prose(text) && !is_typed {
            return self.out.remark(number, Reason::Comment);
        }
        self.exchange(number, text, marks);
    }

    /// Whether a line shows data of the length that a command has announced, perhaps after the prompt.
    fn shows_data(&self, text: &[u8]) -> bool {
        let typed = text.strip_prefix(b"> ").filter(|_| matches!(self.data, DataLines::Announced(_)));
        self.fits(typed.unwrap_or(text))
    }

    /// Records a command, a prompt, or a line of the modem, or remarks on a print of the program.
    fn exchange(&mut self, number: usize, text: &[u8], marks: &Marks) {
        if self.prompt(number, text, false) {
            return;
        }
        let trimmed = text.trim_ascii();
        if is_command(trimmed) {
            return self.sent(number, [trimmed, b"\r\n"].concat());
        }
        if trimmed == ESCAPE {
            return self.sent(number, ESCAPE.to_vec());
        }
        if let Some(at) = glued_command(text) {
            let (before, command) = text.split_at(at);
            match is_answer(before) {
                true => self.line_received(number, before),
                false => self.out.remark(number, Reason::Tool),
            }
            return self.exchange(number, command, marks);
        }
        // An `OK` that follows the result and a blank was printed by the program.
        let is_echoed_result = text.starts_with(b" ") && trimmed == b"OK" && !self.is_open;
        let words = trimmed.strip_prefix(b"**").unwrap_or(trimmed);
        let is_said = (marks.is_print(words) || is_shell(words)) && !is_answer(trimmed);
        if is_said || is_echoed_result {
            return self.out.remark(number, Reason::Tool);
        }
        if self.fits(text) || self.ends_data_at(text) {
            // The log does not show the prompt.
            self.open_data();
            self.data_line(number, text);
            return;
        }
        self.answered(number, without_bold(text));
    }
}

/// The first line of bytes that is not blank.
fn first_line(bytes: &[u8]) -> Option<&[u8]> {
    bytes.split(|byte| matches!(byte, b'\r' | b'\n')).find(|line| !line.trim_ascii().is_empty())
}

/// Whether a line is the final result of a command.
fn is_end(line: &[u8]) -> bool {
    matches!(AtLine::parse(line), AtLine::Final(_) | AtLine::ShutOk)
}

/// Whether a line is the result of a send, so that no data follow.
pub(super) fn ends_data(text: &[u8]) -> bool {
    match AtLine::parse(text) {
        AtLine::Final(end) => !matches!(end, Final::Ok | Final::Connect),
        AtLine::ShutOk => true,
        AtLine::Channel { news, .. } => matches!(
            news,
            ChannelNews::SendOk | ChannelNews::SendFail | ChannelNews::DataAccept(_) | ChannelNews::Closed
        ),
        _ => false,
    }
}

/// Whether a line is the prompt of a shell with a shell command: `me@pi:~$ screen /dev/ttyUSB2`.
fn is_shell(text: &[u8]) -> bool {
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let user = text.iter().take_while(is_part).count();
    let Some([b'@', rest @ ..]) = text.get(user..).filter(|_| user > 0) else { return false };
    let end = rest.iter().take(80).position(|byte| matches!(byte, b'$' | b'#' | b'%'));
    let path = end.and_then(|end| rest.get(..end));
    path.is_some_and(|path| path.contains(&b':') && !path.contains(&b' '))
}

/// Whether a line is the fence of a quotation or a drawn line.
fn is_rule(text: &[u8]) -> bool {
    let Some(first) = text.first() else { return false };
    text.starts_with(b"```")
        || text.len() >= 5 && b"-=*_~".contains(first) && text.iter().all(|byte| byte == first)
}

/// A text without the marks of bold print around it.
fn without_bold(text: &[u8]) -> &[u8] {
    let trimmed = text.trim_ascii();
    let bold = trimmed.strip_prefix(b"**").and_then(|bold| bold.strip_suffix(b"**"));
    bold.filter(|bold| is_answer(bold)).unwrap_or(text)
}
