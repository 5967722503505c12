//! The lines of the host.

use super::command_in_flight::CommandInFlight;
use super::session::Session;
use super::timeline::{TimelineEntryKind, UnexplainedReason};

/// The longest part of an unfinished command line that is kept. Command lines end at 1024 bytes; longer text is no
/// command.
const MAX_LINE_OUT: usize = 2048;

impl Session {
    /// The line that the host has begun and not ended.
    pub(super) fn unended_line(&mut self) -> Option<TimelineEntryKind> {
        let bytes = std::mem::take(&mut self.line_out);
        let why = UnexplainedReason::NotACommand;
        (!bytes.trim_ascii().is_empty()).then_some(TimelineEntryKind::Unexplained { bytes, why })
    }

    pub(super) fn sent_lines(&mut self, bytes: &[u8], happened: &mut Vec<TimelineEntryKind>) {
        let why = UnexplainedReason::NotACommand;
        for &byte in bytes {
            if byte != b'\r' && byte != b'\n' && self.line_out.len() < MAX_LINE_OUT {
                self.line_out.push(byte);
                continue;
            }
            let line = std::mem::take(&mut self.line_out);
            // Hosts that may be within a send begin with ESC or Ctrl-Z.
            let start =
                line.iter().take_while(|byte| byte.is_ascii_whitespace() || matches!(**byte, 0x1a | 0x1b));
            let line = line[start.count()..].trim_ascii_end();
            if line.is_empty() {
                // In command mode an escape is the beginning of a line, which this ends.
                self.flights.back_mut().into_iter().for_each(CommandInFlight::line_ended);
                continue;
            }
            let begins_at = line.get(..2).is_some_and(|it| it.eq_ignore_ascii_case(b"AT") || it == b"A/");
            happened.push(match str::from_utf8(line) {
                Ok(text) if begins_at => self.command(text),
                _ => TimelineEntryKind::Unexplained { bytes: line.to_vec(), why },
            });
        }
    }
}
