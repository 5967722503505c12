//! Luatools: `[2024-10-10 15:53:37.317] ATI`, a stamp on every line (a07 and the `l` traces).
//!
//! Two kinds of session look like this. On an AT port every line is the modem's (the commands are its echo). In the
//! trace of a script, `[I]-[ril.sendat] AT+CSQ` is a command that the script sent, `[I]-[ril.proatc] OK` what the
//! core answered; other `[I]-[tag]` lines are the script's own prints. Lines without a tag come from the core. The
//! tool cuts at line ends and takes them away: each line gets its CR LF back.

use super::super::{ReadError, Reason};
use super::clock::{Clock, date_and_time};
use super::text::is_command;
use super::{Collector, Line};

pub(super) fn recognises(line: &[u8]) -> bool {
    stamped(line).is_some()
}

pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    let mut clock = Clock::default();
    for line in lines {
        let Some((millis, text)) = stamped(line.text) else {
            // Payload with a line end in it: the rest of what the script printed stands on a line of its own.
            let reason = if line.text.is_empty() { Reason::Blank } else { Reason::Tool };
            out.remark(line.number, reason);
            continue;
        };
        out.set_time(clock.millis(millis));
        if let Some(command) = text.strip_prefix(b"[I]-[ril.sendat] ") {
            out.line_sent(line.number, command);
        } else if let Some(answer) = text.strip_prefix(b"[I]-[ril.proatc] ") {
            out.line_received(line.number, answer);
        } else if is_print(text) {
            out.remark(line.number, Reason::Tool);
        } else if is_command(text) {
            out.line_sent(line.number, text);
        } else {
            out.line_received(line.number, text);
        }
    }
    Ok(())
}

/// The stamp in milliseconds and the text behind it.
pub(crate) fn stamped(line: &[u8]) -> Option<(u64, &[u8])> {
    let rest = line.strip_prefix(b"[")?;
    let millis = date_and_time(rest.get(..23)?, b'-')?;
    let rest = rest[23..].strip_prefix(b"]")?;
    Some((millis, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// Whether the script, the core's C library or the tool printed this.
fn is_print(text: &[u8]) -> bool {
    leveled(text).is_some() || text.starts_with("工具提示:".as_bytes()) || text.starts_with(b"lualibc_")
}

/// The letter of the level and what stands behind `[L]-[`, if a script's log function printed this.
pub(crate) fn leveled(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [b'[', level @ (b'T' | b'D' | b'I' | b'W' | b'E' | b'F'), b']', b'-', b'[', rest @ ..] => {
            Some((*level, rest))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::seen;

    #[test]
    fn script_prints_are_told_from_the_exchange() {
        let log = "[2020-06-24 23:19:17.161] [I]-[ril.sendat] AT+CSQ\n[2020-06-24 23:19:17.168] [I]-[ril.proatc] OK\n\
                   [2020-06-24 23:19:17.192] AT+CGSN\n[2020-06-24 23:19:17.193] 123\n\
                   [2020-06-24 23:19:17.334] [I]-[SIM.subscribe] nil RDY\n\n\
                   [2024-10-21 19:10:49.751] 工具提示: COM10\n[2020-06-24 23:19:17.405] \n";
        assert_eq!(
            seen(log),
            r"1 > AT+CSQ\r\n
2 < OK\r\n
3 > AT+CGSN\r\n
4 < 123\r\n
5 #
6 #
7 #
8 < \r\n"
        );
    }
}
