//! The lines that may be part of an answer.
//!
//! Every line that is no URC counts as an answer to a command of an application, because the application knows the
//! command. A replay must be stricter, or noise would count as explained.

use crate::at::{Command, Line, bare_address};

use super::timeline::{TimelineEntryKind, shown};

/// A test of a bare line.
type Accepts = fn(&[u8]) -> bool;

/// The commands that are answered by lines without a key, and tests of these lines (protocol sections 5, 6, 11, 13 and
/// 14; captures a18, a21, a26, s02).
const BARE: [(&str, Accepts); 18] = [
    ("ATI", is_printable),
    ("AT+GMI", is_printable),
    ("AT+GMM", is_printable),
    ("AT+GMR", is_printable),
    ("AT+CGMI", is_printable),
    ("AT+CGMM", is_printable),
    ("AT+CGMR", is_printable),
    ("AT+GSN", is_identity),
    ("AT+CGSN", is_identity),
    ("AT+CIMI", is_identity),
    ("AT+CCID", is_card_number),
    ("AT+ICCID", is_card_number),
    ("AT+CIFSR", |line| bare_address(line).is_some()),
    ("AT+CIPRXGET=3", is_hex),
    ("AT+CDNSCFG?", |line| line.starts_with(b"PrimaryDns:") || line.starts_with(b"SecondaryDns:")),
    ("AT+FSLS", is_printable),
    ("AT+FSREAD", |_| true),
    ("AT+MCONNECT", |line| line == b"CONNACK OK"),
];

/// True if a line that is no final result code may be part of the answer to a command.
pub(super) fn may_answer(command: &Command, line: &Line<'_>) -> bool {
    match line {
        Line::Info { key, .. } => str::from_utf8(key).is_ok_and(|key| has_key(command, key)),
        Line::State(_) => begins(command, "AT+CIPSTATUS") || begins(command, "AT+CIPSTART"),
        Line::Row(_) => begins(command, "AT+CIPSTATUS"),
        Line::Text(text) => BARE.iter().any(|(name, accepts)| begins(command, name) && accepts(text)),
        _ => true,
    }
}

/// The meaning of a line that answers a command that is not in the capture.
pub(super) fn unseen_answer(line: &Line<'_>, bytes: &[u8]) -> Option<TimelineEntryKind> {
    let command = None;
    match line {
        Line::Final(_) | Line::ShutOk => Some(TimelineEntryKind::Final { command, line: shown(bytes) }),
        Line::State(_) | Line::Row(_) | Line::Info { .. } => {
            Some(TimelineEntryKind::Reply { command, line: shown(bytes) })
        }
        Line::Text(text) if bare_address(text).is_some() => {
            Some(TimelineEntryKind::Final { command, line: shown(bytes) })
        }
        _ => None,
    }
}

/// True if the command's text begins with this name, in any case.
pub(super) fn begins(command: &Command, name: &str) -> bool {
    command.text().get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

fn has_key(command: &Command, key: &str) -> bool {
    // LTE and packet registration may be answered with each other's key (capture a19).
    let twin = match key {
        "+CGREG" => "+CEREG",
        "+CEREG" => "+CGREG",
        _ => key,
    };
    let status = key == "+CIPSTATUS" && begins(command, "AT+CIPSTATUS");
    command.has_key(key) || command.has_key(twin) || status
}

fn is_printable(line: &[u8]) -> bool {
    line.iter().all(|byte| (b' '..=b'~').contains(byte))
}

fn is_identity(line: &[u8]) -> bool {
    (14..=17).contains(&line.len()) && line.iter().all(u8::is_ascii_digit)
}

fn is_card_number(line: &[u8]) -> bool {
    (18..=22).contains(&line.len()) && line.iter().all(u8::is_ascii_hexdigit)
}

fn is_hex(line: &[u8]) -> bool {
    line.len().is_multiple_of(2) && line.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(command: &str, line: &[u8]) -> bool {
        may_answer(&Command::recorded(command), &Line::parse(line))
    }

    #[test]
    fn noise_answers_nothing() {
        assert!(!may("AT+CREG?", "+CRE⸮b⸮".as_bytes()));
        assert!(!may("AT+CSQ", b"200"));
        assert!(!may("AT+CGSN", b"86000000000000x"));
        assert!(!may("AT+CSQ", b"+CREG: 0,1"));
    }

    #[test]
    fn what_the_captures_show_is_an_answer() {
        assert!(may("AT+CEREG?", b"+CGREG: 2,1"));
        assert!(may("AT+CIFSR;E0", b"10.177.109.126"));
        assert!(may("ATI", b"SIM808 R14.18"));
        assert!(may("AT+CIPRXGET=3,0,720", b"ABABABAB"));
        assert!(may("AT+CIPSTATUS=0", b"+CIPSTATUS: 0,0,\"TCP\",\"1.2.3.4\",\"80\",\"CONNECTED\""));
    }
}
