//! The rules of the diagnosis as a table: each cause alone, and each cause with all its possible consequences.

use std::time::Duration;

use air724ug::NotReady;
use air724ug::diagnosis::{Check, Code, End, Evidence, Exchange, PortFault, Server, Severity, StepState};

/// A function that adds evidence.
type Setup = fn(&mut Evidence);

fn answer(evidence: &mut Evidence, command: &str, lines: &[&str], last: &str) {
    answer_after(evidence, command, lines, last, None);
}

fn answer_after(evidence: &mut Evidence, command: &str, lines: &[&str], last: &str, took: Option<u64>) {
    evidence.exchange(Exchange {
        command: command.to_owned(),
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        end: End::Final(last.to_owned()),
        took: took.map(Duration::from_secs),
    });
}

fn silence(evidence: &mut Evidence, command: &str) {
    let took = Some(Duration::from_secs(80));
    evidence.exchange(Exchange { command: command.to_owned(), lines: Vec::new(), end: End::Silence, took });
}

/// The evidence of a faultless module, check by check.
const HEALTHY: [(Check, Setup); 13] = [
    (Check::Port, |seen| seen.port_opened("/dev/ttyUSB0", Some(115_200))),
    (Check::Answer, |seen| answer(seen, "AT", &[], "OK")),
    (Check::Firmware, |seen| answer(seen, "ATI", &["AirM2M_720U_V401881_LTE_AT"], "OK")),
    (Check::Radio, |seen| answer(seen, "AT+CFUN?", &["+CFUN: 1"], "OK")),
    (Check::Sim, |seen| answer(seen, "AT+CPIN?", &["+CPIN: READY"], "OK")),
    (Check::Signal, |seen| answer(seen, "AT+CSQ", &["+CSQ: 24,99"], "OK")),
    (Check::Registration, |seen| registration(seen, 1, 0, 1)),
    (Check::Attach, |seen| answer(seen, "AT+CGATT?", &["+CGATT: 1"], "OK")),
    (Check::Bearer, |seen| answer(seen, "AT+CIICR", &[], "OK")),
    (Check::Address, |seen| answer(seen, "AT+CIFSR", &[], "10.74.100.63")),
    (Check::Dns, |seen| answer(seen, DNS, &["OK"], "+CDNSGIP: 1,\"example.com\",\"93.184.216.34\"")),
    (Check::Server, |seen| answer(seen, CONNECT, &["OK"], "0, CONNECT OK")),
    (Check::Tls, |seen| answer(seen, "AT+CIPSSL=?", &["+CIPSSL: (0-1)"], "OK")),
];

const DNS: &str = "AT+CDNSGIP=\"example.com\"";
const CONNECT: &str = "AT+CIPSTART=0,\"TCP\",\"example.com\",80";

fn registration(evidence: &mut Evidence, circuit: u8, packet: u8, lte: u8) {
    for (name, stat) in [("CREG", circuit), ("CGREG", packet), ("CEREG", lte)] {
        answer(evidence, &format!("AT+{name}?"), &[&format!("+{name}: 0,{stat}")], "OK");
    }
}

/// Every cause that an answer can show, in the order of the checks, with the evidence.
const CAUSES: [(Code, Setup); 22] = [
    (Code::RadioOff, |seen| answer(seen, "AT+CFUN?", &["+CFUN: 4"], "OK")),
    (Code::SimMissing, |seen| answer(seen, "AT+CPIN?", &[], "+CME ERROR: 10")),
    (Code::SimMissing, |seen| answer(seen, "AT+CPIN?", &["+CPIN: SIM REMOVED 0"], "OK")),
    (Code::SimPin, |seen| answer(seen, "AT+CPIN?", &["+CPIN: SIM PIN"], "OK")),
    (Code::SimPin, |seen| answer(seen, "AT+CIMI", &[], "+CME ERROR: SIM PIN required")),
    (Code::SimPuk, |seen| answer(seen, "AT+CPIN?", &["+CPIN: SIM PUK"], "OK")),
    (Code::SimFailure, |seen| answer(seen, "AT+CPIN?", &[], "+CME ERROR: 13")),
    (Code::SignalNone, |seen| {
        answer(seen, "AT+CSQ", &["+CSQ: 99,99"], "OK");
        registration(seen, 2, 0, 2);
    }),
    (Code::RegistrationDenied, |seen| registration(seen, 3, 0, 3)),
    (Code::Only2g, |seen| registration(seen, 1, 1, 3)),
    (Code::Only2g, |seen| registration(seen, 5, 5, 0)),
    (Code::RegistrationLimited, |seen| registration(seen, 11, 0, 2)),
    (Code::NotRegistered, |seen| registration(seen, 2, 2, 2)),
    (Code::NotRegistered, |seen| {
        registration(seen, 0, 0, 0);
        // The answer has the name of another command (capture a19).
        answer(seen, "AT+CEREG?", &["+CGREG: 0,2"], "OK");
    }),
    (Code::NotAttached, |seen| answer(seen, "AT+CGATT?", &["+CGATT:0"], "OK")),
    (Code::BearerRefused, |seen| answer(seen, "AT+CIICR", &[], "+CME ERROR: 65535")),
    (Code::BearerRefused, |seen| answer(seen, "AT+CSTT=\"cmiot\"", &[], "ERROR")),
    (Code::AddressMissing, |seen| answer(seen, "AT+CIFSR", &[], "0.0.0.0")),
    (Code::DnsFailed, |seen| answer(seen, DNS, &["OK"], "+CDNSGIP:0,12")),
    (Code::ServerPrivate, |seen| {
        let private = "AT+CIPSTART=0,\"TCP\",\"192.168.1.10\",80";
        answer_after(seen, private, &["OK"], "0, CONNECT FAIL", Some(75));
    }),
    (Code::ServerRefuses, |seen| answer_after(seen, CONNECT, &["OK"], "0,CONNECT FAIL", Some(1))),
    (Code::ServerSilent, |seen| silence(seen, CONNECT)),
];

/// The evidence of a module with this cause: every check that depends on it fails as well. Later steps can't succeed,
/// so their healthy answers are left out.
fn with_symptoms(cause: usize) -> Evidence {
    let (code, seen) = CAUSES[cause];
    let mut evidence = healthy_before(code.check());
    seen(&mut evidence);
    for (later, symptom) in CAUSES.iter().skip(cause + 1) {
        if later.check() > code.check() {
            symptom(&mut evidence);
        }
    }
    evidence
}

fn healthy_before(check: Check) -> Evidence {
    let mut evidence = Evidence::new();
    HEALTHY.iter().filter(|(of, _)| *of < check).for_each(|(_, seen)| seen(&mut evidence));
    evidence
}

fn root(evidence: &Evidence) -> Option<Code> {
    evidence.diagnose().root_cause().map(|finding| finding.code)
}

#[test]
fn a_healthy_module_has_no_finding() {
    let mut evidence = Evidence::new();
    HEALTHY.iter().for_each(|(_, seen)| seen(&mut evidence));
    let diagnosis = evidence.diagnose();
    assert_eq!(diagnosis.findings(), []);
    for (check, _) in HEALTHY {
        let step = diagnosis.steps().iter().find(|step| step.check == check).unwrap();
        assert_eq!(step.state, StepState::Passed, "{step:?}");
        assert_ne!(step.shown, "", "{check}");
    }
}

#[test]
fn each_cause_alone_is_named_with_its_proof() {
    for (code, seen) in CAUSES {
        let mut evidence = healthy_before(code.check());
        seen(&mut evidence);
        let diagnosis = evidence.diagnose();
        let cause = diagnosis.root_cause().unwrap_or_else(|| panic!("{code} was not found"));
        assert_eq!((cause.code, cause.severity), (code, Severity::Error));
        assert!(cause.evidence.iter().any(|proof| !proof.lines.is_empty()), "{code} has no proof");
        assert!(!cause.advice().is_empty() && !cause.summary.is_empty());
    }
}

#[test]
fn a_cause_is_named_before_its_consequences() {
    for (index, (code, _)) in CAUSES.iter().enumerate() {
        let diagnosis = with_symptoms(index).diagnose();
        let found: Vec<Code> = diagnosis.findings().iter().map(|finding| finding.code).collect();
        assert_eq!(found.first(), Some(code), "{found:?}");
        for finding in diagnosis.findings().iter().skip(1).filter(|one| one.severity == Severity::Error) {
            assert_eq!(finding.follows_from, Some(*code), "{found:?}");
        }
        let errors = diagnosis.findings().iter().filter(|finding| finding.severity == Severity::Error);
        let orders: Vec<Check> = errors.map(|finding| finding.code.check()).collect();
        assert!(orders.is_sorted(), "{found:?}");
    }
}

#[test]
fn every_failure_to_open_a_port_has_its_own_cause() {
    for (fault, code) in [
        (PortFault::Missing, Code::PortMissing),
        (PortFault::Busy, Code::PortBusy),
        (PortFault::Permission, Code::PortPermission),
        (PortFault::NotSerial, Code::PortNotSerial),
        (PortFault::Remote, Code::RemotePort),
        (PortFault::Other, Code::PortFailed),
    ] {
        let mut evidence = Evidence::new();
        evidence.port_failed(fault, "/dev/ttyUSB0: said the system");
        let diagnosis = evidence.diagnose();
        assert_eq!(diagnosis.root_cause().unwrap().code, code);
        assert_eq!(diagnosis.findings().len(), 1);
        assert_eq!(diagnosis.root_cause().unwrap().evidence[0].lines, ["/dev/ttyUSB0: said the system"]);
    }
}

/// Regression: `no-answer` was listed behind the right cause.
#[test]
fn the_silence_of_a_port_that_leads_to_no_module_or_is_lost_is_no_finding_of_its_own() {
    let received: [&[u8]; 4] = [b"", b"AT\r\nAT\r\n", b"rack login: ", b"\0\xfe\xf8\x80\0\xfe"];
    for bytes in received {
        for (code, ended) in [
            (Code::RemotePort, (|seen| seen.port_failed(PortFault::Remote, "it asks for a login")) as Setup),
            (Code::PortLost, |seen| seen.port_lost("unplugged")),
        ] {
            let mut evidence = silent_port();
            evidence.received(bytes);
            ended(&mut evidence);
            let diagnosis = evidence.diagnose();
            let codes: Vec<Code> = diagnosis.findings().iter().map(|finding| finding.code).collect();
            assert_eq!(codes, [code], "{}", bytes.escape_ascii());
        }
    }
}

fn silent_port() -> Evidence {
    let mut evidence = Evidence::new();
    evidence.port_opened("/dev/ttyUSB0", Some(115_200));
    evidence.silent(Duration::from_secs(8));
    evidence
}

#[test]
fn a_silent_port_is_distinguished_from_a_wrong_rate_and_an_echo() {
    assert_eq!(root(&silent_port()), Some(Code::NoAnswer));

    let mut garbage = silent_port();
    garbage.received(b"\0\xfe\xf8\x80\0\xfe");
    assert_eq!(root(&garbage), Some(Code::WrongBaud));

    let mut looped = silent_port();
    // In pieces of any size.
    for piece in [&b"A"[..], b"T\r", b"\nAT\r\n"] {
        looped.received(piece);
    }
    assert_eq!(root(&looped), Some(Code::EchoOnly));

    let mut log_port = silent_port();
    log_port.received(b"[I]-[poweron reason:] 3\r\n");
    assert_eq!(root(&log_port), Some(Code::NoAnswer), "text, but no answer: another port of the module");
}

#[test]
fn the_rate_of_the_module_is_named_even_without_another_finding() {
    let mut evidence = silent_port();
    evidence.rate_tried(57_600, false);
    evidence.rate_tried(9_600, true);
    HEALTHY.iter().skip(1).for_each(|(_, seen)| seen(&mut evidence));
    let diagnosis = evidence.diagnose();
    let cause = diagnosis.root_cause().unwrap();
    assert_eq!((cause.code, cause.severity), (Code::WrongBaud, Severity::Error));
    assert!(cause.summary.contains("9600") && cause.summary.contains("115200"), "{}", cause.summary);
    assert_eq!(diagnosis.findings().len(), 1);
}

#[test]
fn silence_at_every_rate_is_no_answer_with_a_list_of_the_rates() {
    let mut evidence = silent_port();
    evidence.rate_tried(9_600, false);
    let diagnosis = evidence.diagnose();
    let cause = diagnosis.root_cause().unwrap();
    assert_eq!(cause.code, Code::NoAnswer);
    assert!(cause.evidence.iter().flat_map(|proof| &proof.lines).any(|line| line.contains("9600")));
}

#[test]
fn the_newest_answer_counts() {
    let mut evidence = healthy_before(Check::Sim);
    answer(&mut evidence, "AT+CPIN?", &[], "+CME ERROR: 10");
    answer(&mut evidence, "AT+CPIN?", &["+CPIN: READY"], "OK");
    assert_eq!(root(&evidence), None);
    evidence.line("+CPIN: SIM REMOVED");
    assert_eq!(root(&evidence), Some(Code::SimMissing));
}

#[test]
fn a_busy_card_is_no_finding() {
    let mut evidence = healthy_before(Check::Sim);
    answer(&mut evidence, "AT+CPIN?", &[], "+CME ERROR: 14");
    assert_eq!(root(&evidence), None);
}

#[test]
fn a_refused_pin_is_not_a_missing_pin() {
    let mut evidence = healthy_before(Check::Sim);
    answer(&mut evidence, "AT+CPIN?", &["+CPIN: SIM PIN"], "OK");
    evidence.not_ready(NotReady::PinRefused);
    assert_eq!(root(&evidence), Some(Code::SimPinRefused));
}

#[test]
fn an_unknown_signal_is_no_finding_after_an_answer_of_the_network() {
    for (circuit, lte) in [(1, 1), (3, 3)] {
        let mut evidence = healthy_before(Check::Signal);
        answer(&mut evidence, "AT+CSQ", &["+CSQ: 99,99"], "OK");
        registration(&mut evidence, circuit, 0, lte);
        assert!(!evidence.diagnose().has(Code::SignalNone));
    }
}

#[test]
fn a_weak_signal_is_a_warning_and_proves_a_missing_registration() {
    let mut evidence = healthy_before(Check::Signal);
    answer(&mut evidence, "AT+CSQ", &["+CSQ: 17,0"], "OK");
    let diagnosis = evidence.diagnose();
    assert_eq!(
        diagnosis.root_cause().map(|one| (one.code, one.severity)),
        Some((Code::SignalWeak, Severity::Warning))
    );
    registration(&mut evidence, 2, 2, 2);
    let diagnosis = evidence.diagnose();
    let cause = diagnosis.root_cause().unwrap();
    assert_eq!(cause.code, Code::NotRegistered);
    assert!(cause.evidence.iter().any(|proof| proof.command.as_deref() == Some("AT+CSQ")));

    let mut good = healthy_before(Check::Signal);
    answer(&mut good, "AT+CSQ", &["+CSQ: 18,0"], "OK");
    assert_eq!(root(&good), None, "openLuat's limit itself is good");
}

#[test]
fn data_over_2g_are_a_warning() {
    let mut evidence = healthy_before(Check::Registration);
    registration(&mut evidence, 1, 1, 3);
    evidence.ready();
    let diagnosis = evidence.diagnose();
    assert_eq!(
        diagnosis.root_cause().map(|one| (one.code, one.severity)),
        Some((Code::Only2g, Severity::Warning))
    );
}

#[test]
fn firmware_without_lte_reports_is_no_sign_of_arrears() {
    let mut evidence = healthy_before(Check::Registration);
    answer(&mut evidence, "AT+CREG?", &["+CREG: 0,1"], "OK");
    answer(&mut evidence, "AT+CEREG?", &[], "ERROR");
    assert_eq!(root(&evidence), None);
}

#[test]
fn a_bearer_step_at_the_wrong_time_is_not_a_refused_bearer() {
    // A second CSTT and an early CIFSR are answered with error 3 (capture a12).
    let mut evidence = healthy_before(Check::Bearer);
    answer(&mut evidence, "AT+CSTT", &[], "+CME ERROR: 3");
    answer(&mut evidence, "AT+CIFSR", &[], "+CME ERROR: 3");
    assert_eq!(root(&evidence), None);
}

#[test]
fn a_lost_bearer_is_distinguished_from_a_refused_and_a_restored_one() {
    let mut lost = healthy_before(Check::Dns);
    lost.line("+PDP: DEACT");
    assert_eq!(root(&lost), Some(Code::BearerLost));

    let mut refused = healthy_before(Check::Bearer);
    answer(&mut refused, "AT+CIICR", &[], "+CME ERROR: 65535");
    refused.line("+PDP: DEACT");
    assert_eq!(root(&refused), Some(Code::BearerRefused), "the loss is part of the refusal (capture a12)");

    answer(&mut lost, "AT+CIICR", &[], "OK");
    let diagnosis = lost.diagnose();
    assert_eq!(diagnosis.root_cause(), None, "a recovery is no cause");
    assert!(diagnosis.has(Code::BearerUnsteady));
}

#[test]
fn without_other_evidence_the_drivers_reason_for_waiting_is_named() {
    let mut evidence = healthy_before(Check::Bearer);
    evidence.not_ready(NotReady::Starting);
    let diagnosis = evidence.diagnose();
    let cause = diagnosis.root_cause().unwrap();
    assert_eq!(cause.code, Code::NotReady);
    assert!(cause.summary.contains("being set up"), "{}", cause.summary);

    let mut explained = healthy_before(Check::Attach);
    answer(&mut explained, "AT+CGATT?", &["+CGATT: 0"], "OK");
    explained.not_ready(NotReady::NotAttached);
    assert!(!explained.diagnose().has(Code::NotReady));
}

#[test]
fn a_private_server_is_a_warning_of_the_guide_by_name_and_by_address() {
    let mut by_name = healthy_before(Check::Dns);
    answer(&mut by_name, DNS, &["OK"], "+CDNSGIP: 1,\"example.com\",\"192.168.1.10\"");
    answer_after(&mut by_name, CONNECT, &["OK"], "0, CONNECT FAIL", Some(75));
    let diagnosis = by_name.diagnose();
    let found: Vec<Code> = diagnosis.findings().iter().map(|finding| finding.code).collect();
    assert_eq!(found, [Code::ServerPrivate, Code::ServerSilent]);

    let mut untried = healthy_before(Check::Attach);
    untried.server(Server { host: "10.0.0.7".into(), port: 80 });
    assert_eq!(root(&untried), Some(Code::ServerPrivate));

    let mut reached = healthy_before(Check::Dns);
    answer(&mut reached, "AT+CIPSTART=0,\"TCP\",\"10.0.0.7\",80", &["OK"], "0, CONNECT OK");
    let diagnosis = reached.diagnose();
    assert_eq!(
        diagnosis.severity(),
        Some(Severity::Note),
        "the connection is proof that the address is reached"
    );
    assert!(diagnosis.root_cause().is_none());
}

#[test]
fn a_fast_failure_is_a_refusal_and_a_slow_one_silence() {
    for (took, code) in [
        (Some(1), Code::ServerRefuses),
        (Some(29), Code::ServerRefuses),
        (Some(30), Code::ServerSilent),
        (Some(75), Code::ServerSilent),
        (None, Code::ConnectFailed),
    ] {
        let mut evidence = healthy_before(Check::Server);
        answer_after(&mut evidence, CONNECT, &["OK"], "CONNECT FAIL", took);
        assert_eq!(root(&evidence), Some(code), "{took:?}");
    }
}

#[test]
fn no_free_channel_is_not_a_cause_in_the_server() {
    let mut evidence = healthy_before(Check::Server);
    let (command, lines) = (CONNECT.to_owned(), Vec::new());
    evidence.exchange(Exchange { command, lines, end: End::NoFreeChannel, took: None });
    assert_eq!(root(&evidence), Some(Code::NoFreeChannel));
}

#[test]
fn a_refusal_by_the_module_proves_less_than_an_answer_of_the_network() {
    let mut evidence = healthy_before(Check::Server);
    answer_after(&mut evidence, CONNECT, &["OK"], "0, CONNECT FAIL", Some(75));
    // The channel is still in use (capture a27).
    answer(&mut evidence, CONNECT, &[], "+CME ERROR: 65535");
    assert_eq!(root(&evidence), Some(Code::ServerSilent));
}

#[test]
fn tls_is_examined_only_on_request() {
    let mut evidence = healthy_before(Check::Tls);
    answer(&mut evidence, "AT+CIPSSL=?", &[], "ERROR");
    assert_eq!(root(&evidence), Some(Code::TlsMissing));
}

#[test]
fn old_firmware_is_recognised_by_its_number() {
    for (name, code) in [
        ("AirM2M_720U_V837_LTE_AT", Some(Code::FirmwareOld)),
        ("AirM2M_720U_V838_LTE_AT", None),
        ("AirM2M_780E_V1_LTE_AT", None),
        ("+CGMR: \"AirM2M_720U_V584_LTE_AT\"", Some(Code::FirmwareOld)),
    ] {
        let mut evidence = Evidence::new();
        answer(&mut evidence, "ATI", &[name], "OK");
        assert_eq!(root(&evidence), code, "{name}");
    }
}

#[test]
fn a_module_of_another_maker_is_the_cause_only_without_socket_commands() {
    let mut evidence = Evidence::new();
    answer(&mut evidence, "ATI", &["Quectel", "EC20F", "Revision: EC20CEFAGR06A03M4G"], "OK");
    assert_eq!(evidence.diagnose().severity(), Some(Severity::Note));
    answer(&mut evidence, "AT+CIPSTATUS", &[], "ERROR");
    assert_eq!(root(&evidence), Some(Code::FirmwareUnknown));
    answer(&mut evidence, "AT+CIPSHUT", &[], "SHUT OK");
    assert_eq!(evidence.diagnose().severity(), Some(Severity::Note));
}

#[test]
fn repeated_restarts_are_a_bad_supply() {
    let mut evidence = Evidence::new();
    for _ in 0..3 {
        answer(&mut evidence, "AT", &[], "OK");
        // One restart prints it twice (capture a19).
        evidence.line("RDY");
        evidence.line("RDY");
    }
    assert_eq!(root(&evidence), Some(Code::Restarts));

    let mut asked = Evidence::new();
    for _ in 0..3 {
        answer(&mut asked, "AT+RESET", &[], "OK");
        asked.line("RDY");
        answer(&mut asked, "AT", &[], "OK");
    }
    assert_eq!(root(&asked), None, "restarts that the host asked for are no finding");
}

#[test]
fn damaged_lines_between_answers_are_a_warning() {
    let mut evidence = Evidence::new();
    answer(&mut evidence, "AT", &[], "OK");
    evidence.line("+CRE\u{fffd}b..b");
    let diagnosis = evidence.diagnose();
    assert_eq!(
        diagnosis.root_cause().map(|one| (one.code, one.severity)),
        Some((Code::LineNoise, Severity::Warning))
    );
}

#[test]
fn a_lost_port_is_the_first_cause() {
    let mut evidence = with_symptoms(0);
    evidence.port_lost("unplugged");
    assert_eq!(root(&evidence), Some(Code::PortLost));
}

#[test]
fn every_code_is_explained_in_the_documentation() {
    let text = include_str!("../../docs/diagnosis.md");
    for code in Code::ALL {
        assert!(text.contains(&format!("| `{code}` |")), "docs/diagnosis.md does not list {code}");
    }
}

#[test]
fn without_evidence_no_check_fails_or_passes() {
    let diagnosis = Evidence::new().diagnose();
    assert_eq!(diagnosis.severity(), None);
    assert!(diagnosis.steps().iter().all(|step| step.state == StepState::Unseen));
}
