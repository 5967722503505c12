//! A table of receive formats, a column for each setting (d03). Every framed cell becomes an excerpt of its own, with
//! the line ends that a module sends. The rows of several connections have a blank line between header and data, as
//! typeset: it is not put in. A cell with bare data has nothing to be decoded by.

use super::super::{ReadError, Reason};
use super::text::{cells, find};
use super::{Collector, Line};

pub(super) fn recognises(line: &[u8]) -> bool {
    let cells = cells(line);
    cells.len() > 1 && cells.iter().all(|cell| cell.starts_with(b"CIPHEAD="))
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    let mut pending: Option<(usize, Vec<&[u8]>)> = None;
    for line in lines {
        let mut cells = cells(line.text);
        let framed = find(line.text, b"+IPD,").or(find(line.text, b"+RECEIVE,")).is_some();
        if cells.is_empty() {
            out.remark(line.number, Reason::Blank);
        } else if recognises(line.text) || line.text.starts_with(b"#") {
            out.remark(line.number, Reason::Comment);
        } else if let Some((number, headers)) = pending.take() {
            for (header, data) in headers.iter().zip(&cells) {
                out.gap(number);
                out.line_received(number, header);
                out.line_received(line.number, data);
            }
        } else if framed {
            // The first two cells name the row.
            let values = cells.split_off(cells.len().min(2));
            match values.first() {
                Some(first) if first.ends_with(b":") => pending = Some((line.number, values)),
                Some(_) | None => inline(line.number, &values, out),
            }
        } else {
            out.remark(line.number, Reason::Comment);
        }
    }
    Ok(())
}

fn inline(number: usize, values: &[&[u8]], out: &mut Collector) {
    for value in values {
        if value.starts_with(b"+") {
            out.gap(number);
            out.line_received(number, value);
        } else {
            out.remark(number, Reason::BareData);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn each_framed_cell_is_an_excerpt() {
        let log = "# picture\n              CIPHEAD=0   CIPHEAD=1\nsingle  TCP   T   +IPD,1:T\n\
                   multi   TCP   +RECEIVE,1,1:   +RECEIVE,1,1:\n\n              T   T\n";
        assert_eq!(
            seen(log),
            r"1 #
2 #
3 ~
3 < +IPD,1:T\r\n
3 #
4 ~
4 < +RECEIVE,1,1:\r\n
4 ~
4 < +RECEIVE,1,1:\r\n
5 #
6 < T\r\n
6 < T\r\n"
        );
    }
}
