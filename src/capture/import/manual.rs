//! The worked examples of a manual: `→ AT+CREG?` is sent, `← OK` received, `←(URC)` unasked, and a line with three
//! blanks before it continues the one above (d01, d02).
//!
//! These are typeset, not recorded: each line gets the CR LF that a module would send. A prompt and what is typed
//! behind it share a line; `OK STATE: x` are two frames; `##### ……` and `→/← ………` leave part of an exchange
//! out.

use super::super::{ReadError, Reason};
use super::block::Direction;
use super::text::{find, is_command};
use super::{Collector, Line};

pub(super) fn recognises(line: &[u8]) -> bool {
    arrow(line).is_some()
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    let mut last = None;
    for line in lines {
        if let Some((direction, text)) = arrow(line.text) {
            last = Some(direction);
            exchange(line.number, direction, text, out);
        } else if line.text.starts_with(b"#") {
            out.gap(line.number);
            let leaves_out = line.text.ends_with("……".as_bytes());
            out.remark(line.number, if leaves_out { Reason::Elided } else { Reason::Comment });
        } else if let Some(text) = line.text.strip_prefix(b"   ") {
            match last {
                Some(Direction::FromModem) => received(line.number, text, out),
                Some(Direction::ToModem) | None => out.remark(line.number, Reason::Alternative),
            }
        } else if line.text.starts_with("→/←".as_bytes()) {
            out.gap(line.number);
            out.remark(line.number, Reason::Elided);
        } else {
            let blank = line.text.is_empty();
            out.remark(line.number, if blank { Reason::Blank } else { Reason::Comment });
        }
    }
    Ok(())
}

fn arrow(line: &[u8]) -> Option<(Direction, &[u8])> {
    if let Some(rest) = line.strip_prefix("→ ".as_bytes()) {
        return Some((Direction::ToModem, rest));
    }
    let rest = line.strip_prefix("←".as_bytes())?;
    let rest = rest.strip_prefix(b"(URC)").unwrap_or(rest);
    Some((Direction::FromModem, rest.strip_prefix(b" ")?))
}

fn exchange(number: usize, direction: Direction, text: &[u8], out: &mut Collector) {
    // Some arrows in the manual point the wrong way: a prompt is the module's and a command is not.
    if let Some(typed) = text.strip_prefix(b">") {
        out.received(number, b"\r\n> ");
        if !typed.is_empty() {
            out.sent(number, data(typed));
        }
    } else if is_command(text) {
        out.line_sent(number, text);
    } else if direction == Direction::FromModem {
        received(number, text, out);
    } else {
        let typed: Vec<u8> = data(text);
        let shown = String::from_utf8_lossy(&typed).replace('…', "");
        out.remark(number, Reason::Elided);
        out.sent(number, shown.into_bytes());
    }
}

fn received(number: usize, text: &[u8], out: &mut Collector) {
    let text = text.strip_suffix("或".as_bytes()).unwrap_or(text).trim_ascii_end();
    if find(text, "×".as_bytes()).is_some() {
        return out.remark(number, Reason::Placeholder);
    }
    match text.strip_prefix(b"OK STATE:") {
        Some(state) => {
            out.line_received(number, b"OK");
            out.line_received(number, &[b"STATE:", state].concat());
        }
        None => out.line_received(number, text),
    }
}

/// The data that are typed at a prompt.
fn data(typed: &[u8]) -> Vec<u8> {
    match typed.strip_suffix(b"<CTRL-Z>") {
        Some(data) => [data, b"\x1a"].concat(),
        None => typed.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn arrows_prompts_and_headings_are_told_apart() {
        let log = "→ AT+CIPSEND\n→ >123<CTRL-Z>\n← DATA ACCEPT:3\n←(URC) +RECEIVE,0,1:\n   T\n##### ……\n← OK STATE: IP STATUS\n\
                   ← AT+FSWRITE=\"a\",0,1,1\n→ >\n→/← ………\n→ ………+++\n← TCP ERROR:××  或\n   CLOSED\n→ AT\n   或\n   ATI\n";
        assert_eq!(
            seen(log),
            r#"1 > AT+CIPSEND\r\n
2 < \r\n>\x20
2 > 123\x1a
3 < DATA ACCEPT:3\r\n
4 < +RECEIVE,0,1:\r\n
5 < T\r\n
6 ~
6 #
7 < OK\r\n
7 < STATE: IP STATUS\r\n
8 > AT+FSWRITE="a",0,1,1\r\n
9 < \r\n>\x20
10 ~
10 #
11 > +++
11 #
12 #
13 < CLOSED\r\n
14 > AT\r\n
15 #
16 #"#
        );
    }
}
