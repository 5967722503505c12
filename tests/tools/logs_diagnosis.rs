//! The root cause of each published log, compared with `docs/diagnosis.md`.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use air724ug::capture::{self, Coverage, replay};
use air724ug::diagnosis::{Code, Evidence};

use super::logs::published;

/// The root cause of a file; `not understood` for a file that is no log of a modem, or of which too little can be read.
fn cause(file: &[u8]) -> String {
    let capture = capture::read(file).unwrap();
    if !Coverage::of(&capture, &replay(&capture)).is_understood {
        return "not understood".to_owned();
    }
    let diagnosis = Evidence::of_capture(&capture).diagnose();
    diagnosis.root_cause().map_or("none".to_owned(), |finding| finding.code.to_string())
}

#[test]
fn the_cause_of_every_published_log_is_that_of_the_document() {
    let published = published();
    if published.is_empty() {
        return;
    }
    let doc = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/diagnosis.md");
    let doc = std::fs::read_to_string(doc).unwrap();
    let rows = doc.lines().skip_while(|line| *line != "| log | root cause |").skip(2);
    let listed: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
    let found: Vec<String> =
        published.iter().map(|(name, file)| format!("| {name} | {} |", cause(file))).collect();
    assert_eq!(listed, found, "the table should be:\n{}", found.join("\n"));
}

#[test]
fn a_file_without_an_exchange_is_not_understood() {
    let prose = "Dear reader,\nthis is a letter about modems, and not what one of them said.\nYours\n";
    let noise: Vec<u8> = (0..4_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for file in [&b""[..], prose.as_bytes(), &noise, b"ATResp.OK\nhello\nworld\n"] {
        assert_eq!(cause(file), "not understood");
    }
}

#[test]
fn ended_connections_and_sends_are_findings() {
    let start = "AT+CIPSTART=0,\"TCP\",\"198.51.100.7\",80\nOK\n\n0, CONNECT OK\n";
    let diagnose = |log: &str| Evidence::of_capture(&capture::read(log.as_bytes()).unwrap()).diagnose();
    let row = "C: 0,0,\"TCP\",\"198.51.100.7\",\"80\",\"CLOSED\"";
    let closed = diagnose(&format!("{start}AT+CIPSTATUS\n\nOK\n\nSTATE: IP PROCESSING\n\n{row}\n"));
    assert!(closed.has(Code::ConnectionClosed), "{closed}");
    let failed = diagnose(&format!("{start}AT+CIPSEND=0,5\n\n> hello\n\n0, SEND FAIL\n"));
    assert_eq!(failed.root_cause().unwrap().code, Code::SendFailed, "{failed}");
    let refused = diagnose(&format!("{start}AT+CIPSEND=0,5\n\n+CME ERROR: 3\n"));
    assert_eq!(refused.root_cause().unwrap().code, Code::SendFailed, "{refused}");
    let sent = diagnose(&format!("{start}AT+CIPSEND=0,5\n\n> hello\n\n0, SEND OK\n"));
    assert_eq!(sent.root_cause(), None, "{sent}");
    let closed = diagnose(&format!("{start}AT+CIPSEND=0,5\n\n0, CLOSED\n"));
    assert_eq!(closed.root_cause().unwrap().code, Code::ConnectionClosed, "{closed}");
}

#[test]
fn later_evidence_replaces_earlier_evidence() {
    let diagnose = |log: &str| Evidence::of_capture(&capture::read(log.as_bytes()).unwrap()).diagnose();
    let attached = diagnose("AT+CGATT?\n+CGATT: 0\n\nOK\nAT+CIICR\n\nOK\nAT+CIFSR\n\n10.1.2.3\n");
    assert_eq!(attached.root_cause(), None, "{attached}");
    let detached = diagnose("AT+CIICR\n\nOK\nAT+CGATT?\n+CGATT: 0\n\nOK\n");
    assert_eq!(detached.root_cause().unwrap().code, Code::NotAttached, "{detached}");
    let switched = diagnose("AT+CFUN=0\n\n+PDP: DEACT\n\nOK\nAT+CFUN=1\n\nOK\nAT\n\nOK\n");
    assert_eq!(switched.root_cause(), None, "{switched}");
    let lost = diagnose("AT+CFUN=1\n\nOK\nAT\n\nOK\n\n+PDP: DEACT\n");
    assert_eq!(lost.root_cause().unwrap().code, Code::BearerLost, "{lost}");
    let start = "AT+CIPSTART=3,\"TCP\",\"198.51.100.7\",80\nOK\n";
    let flowing = diagnose(&format!("{start}\n3, OK\n\n+RECEIVE,3,2:\n5A\nAT+CIPCLOSE=3\n\n3, CLOSE OK\n"));
    assert_eq!(flowing.root_cause(), None, "{flowing}");
    let given_up = diagnose(&format!("{start}AT+CIPCLOSE=3\n\n3, CLOSE OK\n"));
    assert_eq!(given_up.root_cause().unwrap().code, Code::ServerSilent, "{given_up}");
}

#[test]
fn a_recording_that_ends_with_a_lost_port_has_that_cause() {
    let own = "# what: x\n# source: y\n# expect: not known\n0.0 > AT\\r\\n\n0.1 < \\r\\nOK\\r\\n\n";
    let diagnose = |notes: &str| {
        Evidence::of_capture(&capture::read(format!("{own}{notes}").as_bytes()).unwrap()).diagnose()
    };
    let lost = diagnose("1.0 ; the port is lost: Input/output error\n");
    assert_eq!(lost.root_cause().unwrap().code, Code::PortLost, "{lost}");
    let back = diagnose("1.0 ; the port is lost: Input/output error\n2.0 ; the port is back\n");
    assert_eq!(back.root_cause(), None, "{back}");
    let closed = diagnose("1.0 ; the port is lost: the modem was closed by the application\n");
    assert_eq!(closed.root_cause(), None, "{closed}");
}

/// Logs in which a later line outdates an earlier one, with the right cause and the exit state of the checks.
const OUTDATED: [(&str, &str, &str); 17] = [
    ("attached by a command", "AT+CGATT?\n+CGATT: 0\n\nOK\nAT+CGATT=1\nOK\n", "none"),
    ("attached, and asked again", "AT+CGATT=1\nOK\nAT+CGATT?\n+CGATT: 0\n\nOK\n", "not-attached"),
    ("radio on by a command", "AT+CFUN?\n+CFUN: 0\n\nOK\nAT+CFUN=1\nOK\n", "none"),
    ("radio off as wanted", "AT+CSQ\n+CSQ: 20,0\n\nOK\nAT+CFUN=4\nOK\n", "none"),
    ("radio off, and used", "AT+CFUN=4\nOK\nAT+CIICR\nERROR\n", "radio-off"),
    ("radio off, and restarted", "AT+CFUN?\n+CFUN: 4\n\nOK\n\nRDY\nAT+CSQ\n+CSQ: 20,0\n\nOK\n", "none"),
    (
        "radio asked before a connection",
        "AT+CFUN?\n+CFUN: 4\n\nOK\nAT+CIICR\nOK\nAT+CIFSR\n10.1.2.3\n",
        "none",
    ),
    ("PIN given", "AT+CPIN?\n+CPIN: SIM PIN\n\nOK\nAT+CPIN=1234\nOK\n", "none"),
    ("PIN refused", "AT+CPIN?\n+CPIN: SIM PIN\n\nOK\nAT+CPIN=1234\n+CME ERROR: 16\n", "sim-pin-refused"),
    ("registered later", "AT+CREG?\n+CREG: 0,2\n\nOK\nAT+CIICR\nOK\nAT+CIFSR\n10.1.2.3\n", "none"),
    (
        "not registered any more",
        "AT+CIICR\nOK\nAT+CIFSR\n10.1.2.3\nAT+CREG?\n+CREG: 0,2\n\nOK\n",
        "not-registered",
    ),
    ("shut by a command", "AT+CIICR\nOK\nAT+CIFSR\n10.1.2.3\nAT+CIPSHUT\nSHUT OK\n\n+PDP: DEACT\n", "none"),
    (
        "ended within a command",
        "AT+CIICR\nOK\nAT+CIFSR\n10.1.2.3\nAT+CIPSHUT\n\n+PDP: DEACT\n\nSHUT OK\n",
        "none",
    ),
    (
        "lost, and then shut",
        "AT+CIICR\nOK\nAT+CIFSR\n10.1.2.3\n\n+PDP: DEACT\nAT+CIPSHUT\nSHUT OK\n",
        "bearer-lost",
    ),
    (
        "connected before",
        "AT+CIPSTART=\"TCP\",\"198.51.100.7\",80\nERROR\n\nALREADY CONNECT\nAT+CIPSEND=5\n> hello\nSEND OK\n",
        "none",
    ),
    (
        "closed before the send",
        "AT+CIPSTART=\"TCP\",\"198.51.100.7\",80\nOK\n\nCONNECT OK\n\nCLOSED\nAT+CIPSEND=5\nERROR\n",
        "connection-closed",
    ),
    (
        "another one closed",
        "AT+CIPSTART=1,\"TCP\",\"198.51.100.7\",80\nOK\n\n1, CONNECT OK\n\n0, CLOSED\nAT+CIPSEND=1,5\nERROR\n",
        "send-failed",
    ),
];

#[test]
fn a_later_line_outdates_an_earlier_one() {
    for (name, log, cause) in OUTDATED {
        let log = format!("AT\r\nOK\r\n{}", log.replace('\n', "\r\n"));
        let diagnosis = Evidence::of_capture(&capture::read(log.as_bytes()).unwrap()).diagnose();
        let found = diagnosis.root_cause().map_or("none", |finding| finding.code.as_str());
        assert_eq!(found, cause, "{name}:\n{diagnosis}");
    }
}

/// Regression: a list of commands without one answer was diagnosed as a dead module.
#[test]
fn a_script_is_no_evidence_of_a_silent_module() {
    let script = "AT\nATE0\nAT+CSQ\nAT+CIPSTART=\"TCP\",\"198.51.100.7\",80\n";
    let diagnosis = Evidence::of_capture(&capture::read(script.as_bytes()).unwrap()).diagnose();
    assert!(diagnosis.is_unseen(), "{diagnosis}");
    assert!(diagnosis.to_string().ends_with("There was nothing to examine.\n"), "{diagnosis}");
    // A capture shows how long the module was silent.
    let silent = "# what: silence\n# source: a test\n# expect: command AT\n0.000000 > AT\\r\\n\n10.000000 > AT\\r\\n\n20.000000 > AT\\r\\n\n";
    let diagnosis = Evidence::of_capture(&capture::read(silent.as_bytes()).unwrap()).diagnose();
    assert_eq!(diagnosis.root_cause().unwrap().code.as_str(), "no-answer", "{diagnosis}");
}
