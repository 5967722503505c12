//! The reading of a file by its learned layout.

use super::super::Reason;
use super::learned_layout::LearnedLine;
use super::notation::unescaped;
use super::prints::reason;
use super::reader::Reader;
use super::strip::StrippedLine;
use super::survey::Side;
use super::tally::Spelling;
use super::text::is_command;

impl Reader<'_> {
    /// Reads a line of a file with a learned layout. The line after it shows whether the bytes go on.
    pub(super) fn taught(&mut self, number: usize, text: &[u8], next: Option<&[u8]>) {
        let Some(learned) = &self.learned else { return };
        if let Some(bytes) = learned.below(text).filter(|_| self.last != Side::None) {
            let is_ended = learned.is_ended();
            let is_last = next.is_none_or(|next| learned.below(self.survey.unframed(next)).is_none());
            self.below.extend_from_slice(&bytes);
            let spelling = match is_ended || !is_last {
                true => Spelling::Hex { ended: true },
                false => Spelling::Escaped { ended: false },
            };
            let whole = self.is_line(self.last, spelling, &self.below);
            if is_last {
                self.below.clear();
            }
            return self.put_bytes(
                number,
                self.last,
                if whole { [bytes, b"\r\n".to_vec()].concat() } else { bytes },
            );
        }
        match learned.read(text).filter(|_| !self.survey.is_print(text, self.marks)) {
            Some(LearnedLine { stamp, side, text: None, .. }) => {
                self.set_time(stamp);
                self.last = side;
                self.wire.out.remark(number, Reason::Mark);
            }
            Some(LearnedLine { stamp, side, spelling, text: Some(mut text), is_cut }) => {
                self.set_time(stamp);
                self.last = side;
                let is_cut_command = is_cut && is_command(&unescaped(&text));
                if is_cut_command {
                    text.extend_from_slice(b"\\r\\n");
                }
                let stripped = StrippedLine {
                    stamp,
                    stamps: 0,
                    mark: None,
                    leads: false,
                    tagged: false,
                    text: &text,
                    core: &text,
                };
                self.marked(number, side, spelling, stripped);
                if is_cut {
                    self.wire.out.remark(number, Reason::Elided);
                    if !is_cut_command {
                        self.wire.out.gap(number);
                    }
                }
            }
            None => {
                // A line of unknown shape ends the bytes below a heading.
                self.last = Side::None;
                let is_print = self.survey.is_print(text, self.marks);
                self.wire.out.remark(number, if is_print { Reason::Tool } else { reason(text) });
            }
        }
    }
}
