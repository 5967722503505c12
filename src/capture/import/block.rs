//! Several lines under one stamp.

use super::super::Reason;
use super::exchange::Wire;
use super::text::is_command;

/// The direction of the bytes under a stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    ToModem,
    FromModem,
}

/// The end of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The next stamp. The tool itself began a new line for it.
    Stamp,
    /// A mark of the end on a line of its own: also the last line before it has its line end on the wire.
    Marked,
    /// The end of the file or of the publisher's quotation, where blank lines were removed.
    Cut,
}

/// The lines that a terminal program printed under one stamp. The reader restores the line ends that the program
/// removed.
///
/// The program prints the bytes unchanged and begins a new line for the next stamp. So each line of the block except
/// the last ended with CR LF on the wire. The last line, which is usually blank, is the program's own new line.
#[derive(Debug, Clone)]
pub(super) struct Block {
    direction: Direction,
    lines: Vec<(usize, Vec<u8>)>,
}

impl Block {
    pub(super) fn new(direction: Direction, number: usize, text: &[u8]) -> Self {
        let lines = vec![(number, text.to_vec())];
        Self { direction, lines }
    }

    /// A block whose first line comes below the mark.
    pub(super) fn empty(direction: Direction) -> Self {
        Self { direction, lines: Vec::new() }
    }

    pub(super) fn push(&mut self, number: usize, text: &[u8]) {
        self.lines.push((number, text.to_vec()));
    }

    /// Whether the block takes this line as payload, whatever the line looks like.
    pub(super) fn takes(&self, text: &[u8], wire: &Wire) -> bool {
        let header = |text: &[u8]| text.starts_with(b"+RECEIVE,") || text.starts_with(b"+CIPRXGET: 2,");
        match self.lines.last() {
            Some((_, text)) => header(text),
            None => self.direction == Direction::ToModem && wire.fits(text),
        }
    }

    /// Passes the bytes to the wire, one record for each line.
    pub(super) fn finish(self, end: End, wire: &mut Wire) {
        if end == End::Marked {
            return self.lines.iter().for_each(|(number, text)| self.record(*number, text, true, wire));
        }
        let Some((last, lines)) = self.lines.split_last() else {
            return;
        };
        for (number, text) in lines {
            self.record(*number, text, true, wire);
        }
        let (number, text) = last;
        match text.as_slice() {
            b"" if lines.is_empty() => wire.out.remark(*number, Reason::Mark),
            b"" => wire.out.remark(*number, Reason::Blank),
            text => {
                let is_line = end == End::Cut && !is_prompt(text);
                let in_payload = self.direction == Direction::FromModem && wire.in_payload();
                self.record(*number, text, is_line && !in_payload, wire);
                if is_line && in_payload && !wire.in_payload() {
                    wire.received(*number, b"\r\n".to_vec());
                }
            }
        }
    }

    fn record(&self, number: usize, text: &[u8], ended: bool, wire: &mut Wire) {
        // A command ended with a line end on the wire, even if the block shows none.
        let whole = ended || self.direction == Direction::ToModem && is_command(text);
        let end: &[u8] = if whole { b"\r\n" } else { b"" };
        match self.direction {
            Direction::ToModem => wire.sent(number, [text, end].concat()),
            Direction::FromModem if whole => wire.line_received(number, text),
            Direction::FromModem => wire.received(number, text.to_vec()),
        }
    }
}

fn is_prompt(text: &[u8]) -> bool {
    text.trim_ascii() == b">"
}
