//! The reader of records from any input.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use super::Record;
use super::assembler::Assembler;
use super::lines::Lines;

/// Reads a trace record by record.
///
/// Any bytes are a valid trace: a line without a tag is [`Origin::Core`](super::Origin::Core). UTF-8, GBK and broken
/// bytes are not converted, UTF-16 becomes UTF-8; LF and CR LF end a line. Memory is limited by
/// [`MAX_LINE`](super::MAX_LINE) and [`MAX_RECORD`](super::MAX_RECORD). A record is returned when the next one begins,
/// because the lines between may belong to it.
///
/// An error of the underlying reader is returned once, after the records before it; then the iterator ends.
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    assembler: Assembler,
    ready: VecDeque<Record>,
    error: Option<io::Error>,
    is_over: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads from `input`, from its beginning.
    pub fn new(input: R) -> Self {
        Self {
            lines: Lines::new(input),
            assembler: Assembler::default(),
            ready: VecDeque::new(),
            error: None,
            is_over: false,
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.is_over {
            match self.lines.next() {
                Ok(Some(line)) => self.assembler.push(line, &mut self.ready),
                end => {
                    self.is_over = true;
                    self.error = end.err();
                    self.assembler.finish(&mut self.ready);
                }
            }
        }
        match self.ready.pop_front() {
            Some(record) => Some(Ok(record)),
            None => self.error.take().map(Err),
        }
    }
}
