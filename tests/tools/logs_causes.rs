//! Causes that a log shows in a line which is no answer, although an answer was lost, or beside unexplained lines.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use air724ug::capture;
use air724ug::diagnosis::{Code, Diagnosis, Evidence};

fn diagnose(log: &str) -> Diagnosis {
    Evidence::of_capture(&capture::read(log.as_bytes()).unwrap()).diagnose()
}

fn cause(log: &str) -> &'static str {
    diagnose(log).root_cause().map_or("none", |finding| finding.code.as_str())
}

#[test]
fn a_restart_while_a_connection_is_being_made_is_counted() {
    let round = "RDY\n+CPIN: READY\nAT+CIPSTART=\"TCP\",\"198.51.100.7\",80\n\nOK\n";
    assert_eq!(cause(&format!("{}RDY\n", round.repeat(3))), "restarts");
    let marked = "RX: RDY\nTX: AT+CIPSTART=\"TCP\",\"198.51.100.7\",80\nRX: OK\n";
    assert_eq!(cause(&format!("{}RX: RDY\nTX: AT\nRX: OK\n", marked.repeat(3))), "restarts");
    // A start that a program asked for is none.
    let asked = "TX: AT+RESET\nRX: OK\nRX: RDY\nTX: AT+CIPSTART=\"TCP\",\"198.51.100.7\",80\nRX: OK\n";
    assert_eq!(cause(&asked.repeat(4)), "none");
}

#[test]
fn an_answered_connection_without_a_result_is_an_answer_of_the_module() {
    let stamped = "[12:00:01.000] AT+CIPSTART=\"TCP\",\"198.51.100.7\",80\n[12:00:01.100] OK\n";
    let diagnosis = diagnose(stamped);
    assert!(!diagnosis.is_unseen(), "{diagnosis}");
    assert_eq!(diagnosis.root_cause(), None, "{diagnosis}");
    // It hides no failure before it.
    let failed = "TX: AT+CIPSTART=0,\"TCP\",\"198.51.100.7\",80\nRX: OK\nRX: 0, CONNECT FAIL\n";
    let again = "TX: AT+CIPSTART=1,\"TCP\",\"198.51.100.7\",80\nRX: OK\n";
    assert_eq!(cause(&format!("{failed}{again}")), "connect-failed");
}

/// A session of a Python program, whose log ends with `lines`.
fn program(lines: &str) -> String {
    let stamp = |second: u32, words: &str| format!("2024-03-05 14:21:0{second},123 DEBUG {words}\n");
    let start = "tx AT+CIPSTART=\"TCP\",\"198.51.100.7\",80";
    let session = [stamp(1, "tx AT"), stamp(1, "rx OK"), stamp(2, start), stamp(2, "rx OK")];
    format!("{}{}{lines}", session.concat(), stamp(3, "rx CONNECT OK"))
}

#[test]
fn a_host_that_says_the_port_is_gone_names_the_cause() {
    for words in [
        "2024-03-05 14:21:09,643 ERROR read failed: [Errno 5] Input/output error",
        "2024-03-05 14:21:09,643 ERROR [Errno 19] No such device",
        "2024-03-05 14:21:09,643 ERROR device disconnected",
        "[ 1234.567890] usb 1-1.2: USB disconnect, device number 7",
        "[ 1234.567890] option1 ttyUSB2: GSM modem (1-port) converter now disconnected from ttyUSB2",
        "2024-03-05 14:21:09,643 ERROR read: Input/output error (os error 5)",
        "serial.serialutil.SerialException: device reports readiness to read but returned no data (device \
         disconnected or multiple access on port?)",
        "serial.serialutil.SerialException: ClearCommError failed (PermissionError(13, 'Access is denied.'))",
    ] {
        assert_eq!(cause(&program(&format!("{words}\n"))), "port-lost", "{words}");
        let back =
            format!("{words}\n2024-03-05 14:22:09,643 DEBUG tx AT\n2024-03-05 14:22:09,743 DEBUG rx OK\n");
        assert_eq!(cause(&program(&back)), "none", "{words}");
    }
    for words in
        ["2024-03-05 14:21:09,643 INFO port /dev/ttyUSB2 closed", "2024-03-05 14:21:09,643 INFO EIOU 5"]
    {
        assert_eq!(cause(&program(&format!("{words}\n"))), "none", "{words}");
    }
}

#[test]
fn a_result_names_the_connection_whose_ok_was_lost() {
    let lost = "TX: AT+CIPSTART=1,\"TCP\",\"198.51.100.7\",80\nTX: AT+CSQ\nRX: +CSQ: 22,99\nRX: OK\n";
    let failed = diagnose(&format!("{lost}RX: 1, CONNECT FAIL\n"));
    assert_eq!(failed.root_cause().map(|finding| finding.code), Some(Code::ConnectFailed), "{failed}");
    assert_eq!(cause(&format!("{lost}RX: 1, CONNECT OK\n")), "none");
    assert_eq!(cause(&format!("{lost}RX: 0, CONNECT FAIL\n")), "none");
}

/// Answers about the card, with the right cause.
const CARDS: [(&str, &str); 15] = [
    ("RX: +CPIN: NOT INSERTED\n", "sim-missing"),
    ("TX: AT+CPIN?\nRX: +CPIN: NOT INSERTED\nRX: OK\n", "sim-missing"),
    ("TX: AT+CPIN?\nRX: +CPIN: NOT READY\nRX: OK\n", "sim-failure"),
    ("TX: AT+CPIN?\nRX: +CPIN: NOT READY\nRX: OK\nRX: +CPIN: READY\n", "none"),
    ("TX: AT+CFUN=4\nRX: OK\nTX: AT+CPIN?\nRX: +CPIN: NOT READY\nRX: OK\n", "none"),
    (
        "TX: AT+CPIN=\"1234\"\nRX: +CME ERROR: 16\nTX: AT+CPIN?\nRX: +CPIN: SIM PIN\nRX: OK\n",
        "sim-pin-refused",
    ),
    ("TX: AT+CPIN?\nRX: +CPIN: SIM PIN\nRX: OK\nTX: AT+CPIN=\"1234\"\nRX: ERROR\n", "sim-pin-refused"),
    ("TX: AT+CPIN?\nRX: +CPIN: READY\nRX: OK\nTX: AT+CPIN=\"1234\"\nRX: ERROR\n", "none"),
    ("TX: AT+CPIN=\"1234\"\nRX: +CME ERROR: 16\nTX: AT+CPIN?\nRX: +CPIN: SIM PUK\nRX: OK\n", "sim-puk"),
    ("TX: AT+CPIN=\"1234\"\nRX: +CME ERROR: 16\nTX: AT+CPIN=\"4321\"\nRX: OK\n", "none"),
    ("TX: AT+CPIN?\nRX: ERROR\n", "sim-failure"),
    ("TX: AT+CPIN?\nRX: ERROR\nTX: AT+CPIN?\nRX: +CPIN: READY\nRX: OK\n", "none"),
    ("TX: AT+CFUN=4\nRX: OK\nTX: AT+CPIN?\nRX: ERROR\n", "radio-off"),
    ("TX: AT+CPIN?\nRX: +CME ERROR: 4\n", "none"),
    ("RX: +CPIN: NOT INSERTED\nTX: AT+CPIN?\nRX: ERROR\n", "sim-missing"),
];

#[test]
fn the_card_is_what_the_newest_answer_says() {
    for (log, expected) in CARDS {
        assert_eq!(cause(&format!("TX: AT\nRX: OK\n{log}")), expected, "{log}");
    }
}

#[test]
fn an_answer_without_its_result_counts() {
    let unended = "TX: AT\nRX: OK\nTX: AT+CSQ\nRX: +CSQ: 99,99\nTX: AT+CGATT?\nRX: ERROR\nTX: AT+CREG?\nRX: +CREG: 0,0\n";
    assert_eq!(cause(unended), "signal-none");
    // What came later is newer, also where a result was left out before.
    let later = "TX: AT+CSQ\nRX: +CSQ: 22,99\nRX: OK\nTX: AT+CREG?\nRX: +CREG: 0,1\nRX: OK\n";
    assert_eq!(cause(&format!("{unended}{later}")), "none");
    let late = "TX: AT+CREG?\nRX: +CREG: 0,2\nTX: AT+CSQ\nRX: +CSQ: 22,99\nRX: OK\nRX: OK\n";
    assert_eq!(cause(&format!("{late}{later}")), "none");
}

/// A terminal without the echo, and a log of one side, show no command.
#[test]
fn an_answer_whose_command_is_not_shown_counts() {
    for (lines, expected) in [
        ("OK\n+CSQ: 22,99\nOK\n+CREG: 0,3\nOK\n", "registration-denied"),
        ("OK\n+CSQ: 22,99\nOK\n+CREG: 0,1\nOK\n+CGATT: 0\nOK\n", "not-attached"),
        ("OK\n+CSQ: 99,99\nOK\n+CREG: 0,0\nOK\n", "not-registered"),
        ("OK\n+CREG: 0,2\nOK\n+CREG: 0,1\nOK\n+CGATT: 1\nOK\n", "none"),
    ] {
        assert_eq!(cause(lines), expected, "{lines}");
        let marked: String = lines.lines().map(|line| format!("RX: {line}\n")).collect();
        assert_eq!(cause(&marked), expected, "{marked}");
    }
}

#[test]
fn a_state_that_says_closed_counts_as_a_row_does() {
    let single = "TX: AT+CIPSTART=\"TCP\",\"198.51.100.7\",80\nRX: OK\nRX: CONNECT OK\n";
    let state = "TX: AT+CIPSTATUS\nRX: OK\nRX: STATE: TCP CLOSED\n";
    assert_eq!(cause(&format!("{single}{state}")), "connection-closed");
    assert_eq!(cause(&format!("{single}TX: AT+CIPCLOSE\nRX: CLOSE OK\n{state}")), "none");
    assert_eq!(cause(&format!("{single}{state}{single}")), "none");
    let of_channel = "TX: AT+CIPSTART=0,\"TCP\",\"198.51.100.7\",80\nRX: OK\nRX: 0, CONNECT OK\nTX: AT+CIPSTATUS=0\n\
                      RX: +CIPSTATUS: 0,0,\"TCP\",\"198.51.100.7\",\"80\",\"CLOSED\"\nRX: OK\n";
    assert_eq!(cause(of_channel), "connection-closed");
}

#[test]
fn lines_that_nothing_explains_are_no_good_news() {
    let log = "TX: AT\nRX: OK\nTX: AT+CSQ\nRX: what is this\nRX: +CSQ: 22,99\nRX: OK\n";
    let diagnosis = diagnose(log);
    assert_eq!((diagnosis.unexplained(), diagnosis.root_cause()), (1, None), "{diagnosis}");
    let text = diagnosis.to_string();
    assert!(!text.contains("Nothing wrong was found.\n"), "{text}");
    assert!(text.ends_with("One line of the log was not understood, and not examined.\n"), "{text}");
    let json = diagnosis.to_json();
    assert!(json.starts_with("{\"severity\":\"warning\",\"root_cause\":null,\"unexplained\":1,"), "{json}");
    let fine = diagnose(&log.replace("RX: what is this\n", ""));
    assert!(fine.to_string().ends_with("Nothing wrong was found.\n"), "{fine}");
    assert!(fine.to_json().starts_with("{\"severity\":\"fine\","), "{}", fine.to_json());
}
