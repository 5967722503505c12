//! Reply shapes noted beside their commands, with C escapes (a27):
//!
//! ```text
//! AT+CIPMUX?         +CIPMUX: 1\r\n\r\nOK\r\n
//! peer closes        <- 0, CLOSED\r\n          (plain TCP)
//! ```
//!
//! Each line is an excerpt; one without a command shows another answer to the command above it.

use super::super::{ReadError, Reason};
use super::text::{cells, find, is_command, unescaped};
use super::{Collector, Line};

pub(super) fn recognises(line: &[u8]) -> bool {
    let cells = cells(line);
    cells.len() > 1 && cells.iter().any(|cell| cell.ends_with(br"\r\n"))
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    let mut command: Option<&[u8]> = None;
    let mut answered = false;
    for line in lines {
        let begins = !line.text.starts_with(b" ");
        if begins {
            command = None;
        }
        for cell in cells(line.text) {
            match Cell::of(cell) {
                Cell::Command => {
                    let cell = find(cell, b" (").map_or(cell, |remark| &cell[..remark]);
                    out.gap(line.number);
                    out.line_sent(line.number, cell);
                    command = Some(cell);
                    answered = false;
                }
                Cell::Answer => {
                    if let Some(command) = command.filter(|_| answered) {
                        out.line_sent(line.number, command);
                    }
                    answered = true;
                    out.received(line.number, ended(cell));
                }
                Cell::Unasked => out.received(line.number, ended(&cell[3..])),
                Cell::Placeholder => out.remark(line.number, Reason::Placeholder),
                Cell::Comment => out.remark(line.number, Reason::Comment),
            }
        }
    }
    Ok(())
}

enum Cell {
    Command,
    Answer,
    Unasked,
    Placeholder,
    Comment,
}

impl Cell {
    fn of(cell: &[u8]) -> Self {
        if find(cell, b"<hex>").is_some() {
            Self::Placeholder
        } else if cell.starts_with(b"<- ") {
            Self::Unasked
        } else if find(cell, br"\r\n").is_some() && !cell.starts_with(b"(")
            || cell == b"OK"
            || cell.starts_with(b"+")
        {
            Self::Answer
        } else if is_command(cell) {
            Self::Command
        } else {
            Self::Comment
        }
    }
}

/// The bytes of a cell, which end with a line end even where the author left it out.
fn ended(cell: &[u8]) -> Vec<u8> {
    let mut bytes = unescaped(cell);
    if !bytes.ends_with(b"\n") {
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn every_line_is_an_excerpt_and_further_answers_repeat_the_command() {
        let log = r"# shapes
ATE0               ATE0\r\nOK\r\n
AT+X=1 (late)      (quiet)  OK   and then nothing
                   +X: <hex>\r\n
                   +X: 2\r\nOK\r\n   (more)
peer closes        <- 0, CLOSED\r\n          (plain TCP)
";
        assert_eq!(
            seen(log),
            r"1 #
2 ~
2 > ATE0\r\n
2 < ATE0\r\nOK\r\n
3 ~
3 > AT+X=1\r\n
3 < OK\r\n
3 #
3 #
4 #
5 > AT+X=1\r\n
5 < +X: 2\r\nOK\r\n
5 #
6 < 0, CLOSED\r\n
6 #
6 #"
        );
    }
}
