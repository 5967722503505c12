//! The lines and the payload in the bytes of the modem.

use super::lines_sent::LinesSent;
use crate::at::{self, Scan};

/// The longest line that is kept. A header and a line that ends a stream are shorter.
const MAX_LINE: usize = 96;

/// Follows the bytes of the modem. Unlike the decoder it needs only one byte at a time, and takes damage for text.
#[derive(Debug, Clone, Default)]
pub(super) struct LinesReceived {
    /// The part of the line that has come, without line ends.
    line: Vec<u8>,
    /// True if bytes of the line are not kept, because it is too long.
    is_long: bool,
    /// True if the last byte was CR.
    after_cr: bool,
    payload: Announced,
}

/// Payload that a header has announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Announced {
    #[default]
    None,
    /// This number of bytes follows, perhaps after a CR LF.
    Next(usize),
    /// The CR of that CR LF has come.
    AfterCr(usize),
    /// This number of bytes is left.
    Open(usize),
}

impl LinesReceived {
    /// Takes the next byte. Returns true if it is payload.
    pub(super) fn byte(&mut self, byte: u8, host: &mut LinesSent) -> bool {
        match self.payload {
            Announced::None if host.is_stream() => {
                self.text(byte, host);
                true
            }
            Announced::None => {
                self.text(byte, host);
                false
            }
            Announced::Next(left) if byte == b'\r' => {
                self.payload = Announced::AfterCr(left);
                false
            }
            Announced::AfterCr(left) if byte == b'\n' => {
                self.begin(left);
                false
            }
            // The CR was payload.
            Announced::AfterCr(left) => self.data(left.saturating_sub(1)),
            Announced::Next(left) | Announced::Open(left) => self.data(left),
        }
    }

    /// True if the text of the line so far is fixed, or an address that was asked for.
    pub(super) fn is_fixed(&self, host: &LinesSent) -> bool {
        !self.is_long && (at::is_fixed(&self.line) || host.asks_for_address() && begins_address(&self.line))
    }

    fn data(&mut self, left: usize) -> bool {
        self.begin(left.saturating_sub(1));
        true
    }

    fn begin(&mut self, left: usize) {
        self.payload = if left == 0 { Announced::None } else { Announced::Open(left) };
    }

    fn text(&mut self, byte: u8, host: &mut LinesSent) {
        let line_ended = std::mem::replace(&mut self.after_cr, byte == b'\r');
        match byte {
            b'\n' => self.line_end(host),
            b'\r' => {}
            _ => {
                if line_ended {
                    self.clear();
                }
                self.in_line(byte, host);
            }
        }
    }

    fn clear(&mut self) {
        self.line.clear();
        self.is_long = false;
    }

    fn line_end(&mut self, host: &mut LinesSent) {
        let header = at::of_line(self.line.trim_ascii()).filter(|_| !self.is_long && !host.is_stream());
        if !self.is_long {
            host.answered(&self.line);
        }
        self.clear();
        if let Some(Ok(header)) = header.map(at::RawHeader::check) {
            self.begin(header.len);
        }
    }

    fn in_line(&mut self, byte: u8, host: &mut LinesSent) {
        let begins = self.line.is_empty();
        // A prompt is no part of the line that follows it.
        if begins && (byte.is_ascii_whitespace() || byte == 0 || byte == b'>') && !host.is_stream() {
            if byte == b'>' {
                host.prompted();
            }
            return;
        }
        self.is_long |= self.line.len() >= MAX_LINE;
        if self.is_long {
            return;
        }
        self.line.push(byte);
        if host.is_stream() {
            return;
        }
        if let Scan::Complete { header, .. } = at::scan(&self.line) {
            self.clear();
            if let Ok(header) = header.check() {
                self.payload = if header.len == 0 { Announced::None } else { Announced::Next(header.len) };
            }
        }
    }
}

/// True if the text begins an IPv4 address.
fn begins_address(text: &[u8]) -> bool {
    let mut numbers = 0_usize;
    let are_short = text.split(|byte| *byte == b'.').all(|number| {
        numbers = numbers.saturating_add(1);
        number.len() < 4 && number.iter().all(u8::is_ascii_digit)
    });
    are_short && numbers < 5
}
