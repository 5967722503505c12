//! The lines of logs without marks: the screen of a terminal, and files of hexadecimal bytes.

use super::super::Reason;
use super::Line;
use super::notation::{dump, pairs, quoted, unescaped};
use super::prints::reason_of_print;
use super::reader::Reader;
use super::strip::StrippedLine;
use super::text::{is_answer, is_command};

impl Reader<'_> {
    /// Reads a line of a log without marks: the screen of a terminal, with or without stamps.
    pub(super) fn terminal(&mut self, number: usize, stripped: StrippedLine<'_>, next: Option<&[u8]>) {
        let is_payload = self.wire.in_payload() && !self.wire.ends_payload(stripped.text);
        let is_row = self.survey.dumps && dump(stripped.text).is_some();
        if is_payload && !self.survey.spelled && !is_row {
            return self.wire.payload_line(number, stripped.text);
        }
        let mut text = stripped.text;
        let is_escaped_data = self.survey.spelled && self.wire.fits(text);
        if stripped.tagged && !self.wire.in_data() && !is_escaped_data {
            let is_wire = is_answer(stripped.core)
                || is_command(stripped.core.trim_ascii())
                || stripped.core.trim_ascii() == b">";
            if !(self.survey.tagged_wire && is_wire) {
                return self.wire.out.remark(number, reason_of_print(stripped.text));
            }
            text = stripped.core.trim_ascii_start();
        }
        if self.survey.dumps {
            return self.dumped(number, text);
        }
        let title = text.len() > 8
            && text.starts_with(b"--- ")
            && text.ends_with(b" ---")
            && !self.marks.is_print(text)
            && !is_escaped_data;
        if title {
            self.wire.out.gap(number);
            return self.wire.out.remark(number, Reason::Comment);
        }
        if self.survey.spelled && !text.starts_with(b"#") && !text.starts_with(b"//") {
            let trimmed = text.trim_ascii();
            let shown = unescaped(trimmed);
            let is_ended = shown.ends_with(b"\n") || next == Some(br"\r\n");
            let shown_command = shown.trim_ascii_end();
            return match (is_command(shown_command), is_ended) {
                (true, _) => self.wire.line_sent(number, shown_command),
                (false, _)
                    if self.wire.fits(&shown) && shown.trim_ascii() != b">"
                        || self.wire.ends_data_at(&shown) =>
                {
                    self.wire.line_sent(number, trimmed)
                }
                (false, true) => self.wire.received(number, shown),
                (false, false) => self.wire.line_received(number, &shown),
            };
        }
        let unstamped =
            stripped.stamp.is_none() && self.survey.stamped > self.survey.unstamped.saturating_mul(4);
        let trimmed = text.trim_ascii();
        if unstamped && !self.wire.in_data() && !is_answer(trimmed) && !is_command(trimmed) {
            // In a log with a stamp on every line, this is the rest of a print of the program, or the publisher's text.
            let reason = if trimmed.is_empty() { Reason::Blank } else { Reason::Comment };
            return self.wire.out.remark(number, reason);
        }
        self.wire.line(Line { number, text }, self.marks);
    }

    /// Reads a line of a file of hexadecimal bytes, with headings that quote the command.
    fn dumped(&mut self, number: usize, text: &[u8]) {
        let quoted = quoted(text);
        if let Some(bytes) = dump(text) {
            self.wire.received(number, bytes);
        } else if let Some(command) = quoted.map(unescaped).filter(|command| is_command(command.trim_ascii()))
        {
            self.quoted = [command.trim_ascii_end(), b"\r\n"].concat();
            self.wire.sent(number, self.quoted.clone());
        } else if let Some(bytes) = quoted.and_then(pairs) {
            self.wire.sent(number, self.quoted.clone());
            self.wire.received(number, bytes);
        } else if text.starts_with(b"or") && !self.quoted.is_empty() {
            // The heading of another answer to the same command.
            self.wire.out.remark(number, Reason::Comment);
            self.wire.sent(number, self.quoted.clone());
        } else if !text.contains(&b'<') && (is_answer(text) || is_command(text)) {
            self.wire.line(Line { number, text }, self.marks);
        } else {
            let reason = if text.is_empty() { Reason::Blank } else { Reason::Comment };
            self.wire.out.remark(number, reason);
        }
    }
}
