//! The payload, or the command with its answer, that is incomplete in the records so far. No file ends within it.

use crate::at::{Decoder, Expect, Line, Token};

use super::format::bytes_of_line;

/// The incomplete payload or command at the end of the records.
#[derive(Default)]
pub(super) struct OpenExchange {
    decoder: Decoder,
    /// A command or payload was written, and its result has not come.
    awaits_result: bool,
}

impl OpenExchange {
    /// Takes whole records.
    pub(super) fn records(&mut self, records: &[u8]) {
        for line in records.split(|byte| *byte == b'\n') {
            match bytes_of_line(line) {
                Some((b'>', _)) => self.awaits_result = true,
                Some((b'<', bytes)) => self.received(&bytes),
                Some((b'~', _)) => *self = Self::default(),
                _ => {}
            }
        }
    }

    fn received(&mut self, mut bytes: &[u8]) {
        while let Some(token) = self.decoder.next(&mut bytes, Expect::Prompt) {
            match token {
                Token::Line(line) => {
                    let ends =
                        matches!(Line::parse(line), Line::Final(_) | Line::ShutOk | Line::Channel { .. });
                    self.awaits_result &= !ends;
                }
                Token::Prompt => self.awaits_result = true,
                _ => {}
            }
        }
    }

    /// True if the next record belongs to one of these.
    pub(super) fn is_open(&self) -> bool {
        self.awaits_result || self.decoder.data_left() > 0 || self.decoder.has_begun_line()
    }
}
