//! Answers beside their commands, as manuals print them: a column for each, two blanks apart.
//!
//! ```text
//! AT+CIPMUX?         +CIPMUX: 1\r\n\r\nOK\r\n
//! peer closes        <- 0, CLOSED\r\n          (plain TCP)
//! ```
//!
//! Each line is an excerpt. A line without a command shows another answer to the command above it. In a table of
//! formats each cell that has a frame is an excerpt, with its data in the same cell or in the one below.

use super::super::Reason;
use super::exchange::Wire;
use super::notation::unescaped;
use super::text::{cells, find, is_command};
use super::{Encoding, Line, Survey};

/// The two kinds of notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notes {
    Answers,
    Formats,
}

impl Notes {
    /// The kind of notes in a file, if any: more than one line has an answer with escaped line ends in its own column,
    /// or a line has the headings of formats.
    pub(super) fn of(lines: &[Line<'_>], survey: &Survey) -> Option<Self> {
        if survey.marked || survey.stamped > 0 {
            return None;
        }
        let columns = || lines.iter().map(|line| cells(line.text)).filter(|cells| cells.len() > 1);
        let noted = columns().filter(|cells| cells.iter().any(|cell| cell.ends_with(br"\r\n"))).count();
        let heads = columns().any(|cells| cells.iter().all(|cell| cell.starts_with(b"CIPHEAD=")));
        match () {
            () if noted > 1 => Some(Self::Answers),
            () if heads => Some(Self::Formats),
            () => None,
        }
    }

    pub(super) fn read(self, lines: &[Line<'_>], encoding: Encoding) -> Wire {
        let mut wire = Wire::new(encoding);
        match self {
            Self::Answers => answers(lines, &mut wire),
            Self::Formats => formats(lines, &mut wire),
        }
        wire
    }
}

fn answers(lines: &[Line<'_>], wire: &mut Wire) {
    let mut command: Option<&[u8]> = None;
    let mut answered = false;
    for line in lines {
        if !line.text.starts_with(b" ") {
            command = None;
        }
        let cells = cells(line.text);
        if cells.is_empty() {
            wire.out.remark(line.number, Reason::Blank);
        }
        for cell in cells {
            let spelled = find(cell, br"\r\n").is_some() && !cell.starts_with(b"(");
            if find(cell, b"<hex>").is_some() {
                wire.out.remark(line.number, Reason::Placeholder);
            } else if let Some(unasked) = cell.strip_prefix(b"<- ") {
                wire.received(line.number, ended(unasked));
            } else if spelled || cell == b"OK" || cell.starts_with(b"+") {
                if let Some(command) = command.filter(|_| answered) {
                    wire.sent(line.number, [command, b"\r\n"].concat());
                }
                answered = true;
                wire.received(line.number, ended(cell));
            } else if is_command(without_brackets(cell)) {
                let cell = without_brackets(cell);
                wire.out.gap(line.number);
                wire.sent(line.number, [cell, b"\r\n"].concat());
                command = Some(cell);
                answered = false;
            } else {
                wire.out.remark(line.number, Reason::Comment);
            }
        }
    }
}

/// A cell without its author's remark in brackets.
fn without_brackets(cell: &[u8]) -> &[u8] {
    find(cell, b" (").map_or(cell, |remark| &cell[..remark])
}

/// The bytes of a cell, with a line end even if the author left it out.
fn ended(cell: &[u8]) -> Vec<u8> {
    let mut bytes = unescaped(cell);
    if !bytes.ends_with(b"\n") {
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn formats(lines: &[Line<'_>], wire: &mut Wire) {
    let mut pending: Option<(usize, Vec<&[u8]>)> = None;
    for line in lines {
        let cells = cells(line.text);
        let framed = cells.iter().any(|cell| cell.starts_with(b"+IPD,") || cell.starts_with(b"+RECEIVE,"));
        if cells.is_empty() {
            wire.out.remark(line.number, Reason::Blank);
        } else if let Some((number, headers)) = pending.take_if(|_| !framed && !line.text.starts_with(b"#")) {
            for (header, data) in headers.iter().zip(&cells) {
                wire.out.gap(number);
                wire.out.line_received(number, header);
                wire.out.line_received(line.number, data);
            }
        } else if framed {
            let values: Vec<&[u8]> = cells.into_iter().skip(2).collect();
            if values.iter().any(|value| value.ends_with(b":")) {
                if let Some((number, _)) = pending.replace((line.number, values)) {
                    wire.out.remark(number, Reason::Elided);
                }
                continue;
            }
            for value in values {
                if value.starts_with(b"+") {
                    wire.out.gap(line.number);
                    wire.out.line_received(line.number, value);
                } else {
                    wire.out.remark(line.number, Reason::BareData);
                }
            }
        } else {
            wire.out.remark(line.number, Reason::Comment);
        }
    }
    // The file leaves out the data of this header.
    if let Some((number, _)) = pending {
        wire.out.remark(number, Reason::Elided);
    }
}
