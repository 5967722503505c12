//! Several lines under one stamp.

use super::super::Reason;
use super::{Collector, Line};

/// The direction of the bytes under a stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    ToModem,
    FromModem,
}

/// The end of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The next stamp: the tool itself went to a new line.
    Stamp,
    /// The file, or the publisher's quotation, ended: blank lines there were cut off.
    Cut,
}

/// The lines that a terminal program printed under one stamp, with the line ends that it took away put back.
///
/// The program prints the bytes as they are and goes to a new line for the next stamp. So every line of the block
/// but the last ended with CR LF on the wire, and the last one, mostly blank, is the program's own new line.
#[derive(Debug)]
pub(super) struct Block<'a> {
    direction: Direction,
    lines: Vec<Line<'a>>,
}

impl<'a> Block<'a> {
    pub(super) fn new(direction: Direction, number: usize, text: &'a [u8]) -> Self {
        let lines = vec![Line { number, text }];
        Self { direction, lines }
    }

    pub(super) fn push(&mut self, line: Line<'a>) {
        self.lines.push(line);
    }

    /// Hands the bytes over, one record for each line.
    pub(super) fn finish(self, end: End, out: &mut Collector) {
        let Some((last, lines)) = self.lines.split_last() else {
            return;
        };
        for line in lines {
            self.record(line.number, line.text, true, out);
        }
        match last.text {
            b"" if lines.is_empty() => out.remark(last.number, Reason::Mark),
            b"" => out.remark(last.number, Reason::Blank),
            text => self.record(last.number, text, end == End::Cut && !is_prompt(text), out),
        }
    }

    fn record(&self, number: usize, text: &[u8], ended: bool, out: &mut Collector) {
        match (self.direction, ended) {
            (Direction::ToModem, true) => out.line_sent(number, text),
            (Direction::ToModem, false) => out.sent(number, text),
            (Direction::FromModem, true) => out.line_received(number, text),
            (Direction::FromModem, false) => out.received(number, text),
        }
    }
}

fn is_prompt(text: &[u8]) -> bool {
    text.trim_ascii() == b">"
}
