//! The data of the host after a command that asks for them, in logs of lines.

use super::super::Reason;
use super::data_lines::{DataLines, LineEnds};
use super::encoding;
use super::exchange::{Wire, ends_data};
use super::notation::{is_ctrl_z_in_hex, unescaped, without_ctrl_z};
use super::text::{is_answer, is_command};

impl Wire {
    /// Whether the next lines are data of the host.
    pub(super) fn in_data(&self) -> bool {
        matches!(self.data, DataLines::Open { .. })
    }

    /// Whether a command has announced data of the host that are incomplete.
    pub(super) fn waits_for_data(&self) -> bool {
        self.data != DataLines::Nothing
    }

    /// Whether a part of the data, but not all, has come.
    pub(super) fn has_begun_data(&self) -> bool {
        matches!(self.data, DataLines::Open { begun: true, .. })
    }

    /// Whether a line below a part of announced data may be more of them.
    pub(super) fn data_go_on(&self) -> bool {
        let is_begun = matches!(self.data, DataLines::Open { left: Some(_), begun: true });
        is_begun && matches!(self.ends, LineEnds::CrLf | LineEnds::Lf)
    }

    /// Whether a marked line was blank where data are expected, so that the line below may be theirs.
    pub(super) fn begins_blank(&self) -> bool {
        self.in_data() && !self.blanks.is_empty()
    }

    /// Records the blank lines in front of `text` as data, if the length shows that they are, and returns the bytes
    /// that are missing after them.
    fn lead(&mut self, left: usize, text: &[u8]) -> usize {
        let blanks = std::mem::take(&mut self.blanks);
        let rest = left.saturating_sub(blanks.len().saturating_mul(2));
        if rest != text.len() {
            blanks.into_iter().for_each(|blank| self.out.remark(blank, Reason::Blank));
            return left;
        }
        blanks.into_iter().for_each(|blank| self.out.sent(blank, b"\r\n".to_vec()));
        rest
    }

    /// Begins the data of the host, if a command has announced them.
    pub(super) fn open_data(&mut self) {
        if let DataLines::Announced(left) = self.data {
            self.data = DataLines::Open { left, begun: false };
        }
    }

    /// Counts bytes that are recorded as data.
    pub(super) fn data_sent(&mut self, bytes: &[u8]) {
        self.data = match self.data {
            DataLines::Announced(Some(left)) | DataLines::Open { left: Some(left), .. } => {
                match left.saturating_sub(bytes.len()) {
                    0 => DataLines::Nothing,
                    left => DataLines::Open { left: Some(left), begun: false },
                }
            }
            _ if bytes.ends_with(b"\x1a") => DataLines::Nothing,
            data => data,
        };
    }

    /// Whether data without a length are expected.
    pub(super) fn is_endless(&self) -> bool {
        matches!(self.data, DataLines::Announced(None) | DataLines::Open { left: None, .. })
    }

    /// Whether a line is the last of data without a length.
    pub(super) fn ends_data_at(&self, text: &[u8]) -> bool {
        self.is_endless() && without_ctrl_z(text).is_some()
    }

    /// Records a marked line to the modem, if it is data.
    pub(super) fn marked_data(&mut self, number: usize, text: &[u8]) -> bool {
        let is_data = match self.data {
            DataLines::Nothing => false,
            DataLines::Announced(_) => !is_command(text.trim_ascii()),
            DataLines::Open { .. } => self.ends != LineEnds::Cut || !is_command(text.trim_ascii()),
        };
        if !(is_data || self.fits(text)) {
            return false;
        }
        if text.trim_ascii().is_empty()
            && matches!(self.data, DataLines::Open { left: Some(_), begun: false })
        {
            self.blanks.push(number);
            return true;
        }
        self.open_data();
        let shown = if self.fits(text) { text.to_vec() } else { unescaped(text) };
        self.data_bytes(number, &shown)
    }

    /// Records a line of data that no mark assigns to a side. Returns `false` if the line is not data.
    pub(super) fn data_line(&mut self, number: usize, text: &[u8]) -> bool {
        let DataLines::Open { begun, .. } = self.data else { return false };
        // An `OK` where a file's content is expected is the result, not content: the log leaves the content out.
        let is_done = self.last.starts_with(b"AT+FSWRITE") && text.trim_ascii() == b"OK";
        let is_wire = || is_command(text.trim_ascii()) || is_answer(text);
        if is_done || ends_data(text) || begun && self.ends == LineEnds::Cut && is_wire() {
            self.close_data();
            return false;
        }
        self.data_bytes(number, text)
    }

    /// Records data with their line end, if the announced length includes it.
    fn data_bytes(&mut self, number: usize, text: &[u8]) -> bool {
        let DataLines::Open { left, begun } = self.data else { return false };
        if text.trim_ascii().is_empty() && !begun {
            self.out.remark(number, Reason::Blank);
            return true;
        }
        let Some(left) = left else { return self.data_up_to_ctrl_z(number, text, begun) };
        let shown = encoding::wire(self.encoding, without_ctrl_z(text).map_or(text.to_vec(), ended));
        let left = self.lead(left, &shown);
        let whole = [&shown, self.ends.bytes()].concat();
        self.failed |= shown.len() > left || shown.len() < left && whole.len() > left;
        let length = whole.len().min(left.max(shown.len()));
        self.out.sent(number, &whole[..length]);
        self.data = match left.saturating_sub(length) {
            0 => DataLines::Nothing,
            left => DataLines::Open { left: Some(left), begun: true },
        };
        self.begun |= self.data != DataLines::Nothing;
        true
    }

    /// Records a line of data that end with Ctrl-Z. The line ends are between the lines; blank lines before the result
    /// are the modem's.
    fn data_up_to_ctrl_z(&mut self, number: usize, text: &[u8], begun: bool) -> bool {
        let is_hex = is_ctrl_z_in_hex(text);
        let end = if is_hex { Some(&b""[..]) } else { without_ctrl_z(text) };
        if end.is_none() && text.trim_ascii().is_empty() {
            self.blanks.push(number);
            return true;
        }
        for blank in std::mem::take(&mut self.blanks) {
            self.out.sent(blank, b"\r\n".to_vec());
        }
        // A Ctrl-Z that a tool sends as a byte is a send of its own.
        let before: &[u8] = if begun && !is_hex { b"\r\n" } else { b"" };
        let shown = end.map_or(text.to_vec(), ended);
        self.out.sent(number, encoding::wire(self.encoding, [before, &shown].concat()));
        self.begun = true;
        self.last_data = number;
        self.data = match end {
            Some(_) => DataLines::Nothing,
            None => DataLines::Open { left: None, begun: true },
        };
        true
    }

    /// The data end here: a result or the next command follows.
    pub(super) fn close_data(&mut self) {
        if let DataLines::Open { left, begun: true } = self.data {
            self.failed |= left.is_some() || self.ends == LineEnds::CrLf;
            match left {
                None => self.out.sent_more(self.last_data, b"\r\n\x1a"),
                // No line end is known of data that were cut.
                Some(_) if self.ends == LineEnds::Cut => self.out.sent_less(b"\r\n"),
                Some(_) => {}
            }
        }
        self.data = DataLines::Nothing;
        for blank in std::mem::take(&mut self.blanks) {
            self.out.remark(blank, Reason::Blank);
        }
    }

    /// Whether a line has the length of the data that a command has announced.
    pub(super) fn fits(&self, text: &[u8]) -> bool {
        let (DataLines::Announced(Some(length)) | DataLines::Open { left: Some(length), begun: false }) =
            self.data
        else {
            return false;
        };
        let text = encoding::wire(self.encoding, text.to_vec());
        !is_answer(&text)
            && !text.trim_ascii().is_empty()
            && [length, length.saturating_sub(2)].contains(&text.len())
    }
}

/// The data with the Ctrl-Z that a name stood for.
fn ended(text: &[u8]) -> Vec<u8> {
    [text, b"\x1a"].concat()
}
