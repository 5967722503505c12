//! The diagnosis of TLS: each cause that the commands can show, and no further claim.

#![allow(clippy::unwrap_used, reason = "a test may, in its helpers too")]

use std::time::Duration;

use air724ug::at::Refusal;
use air724ug::diagnosis::{Check, Code, End, Evidence, Exchange, Server, Severity, StepState};
use air724ug::error::{TlsFailure, TlsPart, TlsStep};
use air724ug::{Certificate, Error, TlsConfig, capture};

fn answer(evidence: &mut Evidence, command: &str, lines: &[&str], last: &str) {
    evidence.exchange(Exchange {
        command: command.to_owned(),
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        end: End::Final(last.to_owned()),
        took: Some(Duration::from_millis(100)),
    });
}

/// Adds the settings of context 0, the switch, and a connection on channel 0.
fn attempt(evidence: &mut Evidence, settings: &[(&str, &str)], last: &str) {
    for (key, value) in settings {
        answer(evidence, &format!("AT+SSLCFG=\"{key}\",0,{value}"), &[], "OK");
    }
    answer(evidence, "AT+CIPSSL=1", &[], "OK");
    answer(evidence, "AT+CIPSTART=0,\"TCP\",\"example.com\",443", &["OK"], last);
}

const FAIL: &str = "0, CONNECT FAIL";
const DONE: &str = "0, CONNECT OK";
const VERIFIED: [(&str, &str); 3] =
    [("seclevel", "1"), ("hostname", "\"example.com\""), ("ignorelocaltime", "0")];

/// Evidence that the server accepts plain connections, and that the module supports TLS and has the time.
fn reached() -> Evidence {
    let mut evidence = Evidence::new();
    answer(&mut evidence, "AT+CIPSSL=?", &["+CIPSSL: (0-1)"], "OK");
    answer(&mut evidence, "AT+CCLK?", &["+CCLK: \"26/11/23,19:50:34+32\""], "OK");
    answer(&mut evidence, "AT+CIPSTART=0,\"TCP\",\"example.com\",443", &["OK"], DONE);
    evidence
}

fn codes(evidence: &Evidence) -> Vec<Code> {
    evidence.diagnose().findings().iter().map(|finding| finding.code).collect()
}

#[test]
fn a_success_with_less_verification_names_the_omitted_part() {
    let with = |settings: &[&[(&str, &str)]]| {
        let mut evidence = reached();
        attempt(&mut evidence, &VERIFIED, FAIL);
        for (settings, last) in
            settings.iter().zip([FAIL, FAIL, FAIL].iter().skip(4 - settings.len()).chain([&DONE]))
        {
            attempt(&mut evidence, settings, last);
        }
        codes(&evidence)
    };
    let dateless: &[(&str, &str)] = &[("ignorelocaltime", "1")];
    let nameless: &[(&str, &str)] = &[("ignorelocaltime", "0"), ("hostname", "")];
    let neither: &[(&str, &str)] = &[("ignorelocaltime", "1"), ("hostname", "")];
    let unverified: &[(&str, &str)] = &[("seclevel", "0")];
    assert_eq!(with(&[dateless]), [Code::TlsTime]);
    assert_eq!(with(&[dateless, nameless]), [Code::TlsName]);
    assert_eq!(with(&[dateless, nameless, neither]), [Code::TlsTime, Code::TlsName]);
    assert_eq!(with(&[dateless, nameless, neither, unverified]), [Code::TlsCertificate]);
}

#[test]
fn a_failed_connection_is_a_failed_handshake_only_if_the_server_was_reached() {
    let mut evidence = reached();
    attempt(&mut evidence, &VERIFIED, FAIL);
    attempt(&mut evidence, &[("seclevel", "0")], FAIL);
    assert_eq!(codes(&evidence), [Code::TlsHandshake]);
    let mut evidence = Evidence::new();
    attempt(&mut evidence, &VERIFIED, FAIL);
    assert_eq!(codes(&evidence), [Code::TlsConnect]);
    let step = |check| {
        let diagnosis = evidence.diagnose();
        diagnosis.steps().iter().find(|step| step.check == check).unwrap().state
    };
    assert_eq!((step(Check::Server), step(Check::Tls)), (StepState::Unseen, StepState::Failed));
    // A connection to another port does not prove that the server was reached.
    answer(&mut evidence, "AT+CIPSSL=0", &[], "OK");
    answer(&mut evidence, "AT+CIPSTART=1,\"TCP\",\"example.com\",80", &["OK"], "1, CONNECT OK");
    assert_eq!(codes(&evidence), [Code::TlsConnect]);
}

#[test]
fn an_unset_clock_is_named_if_dates_are_verified() {
    for clock in
        ["70/01/01,08:00:00+32", "00/01/01,00:00:12+00", "1970/01/01,00:00:00+00", "15/01/01,00:00:00+00"]
    {
        let mut evidence = reached();
        answer(&mut evidence, "AT+CCLK?", &[&format!("+CCLK: \"{clock}\"")], "OK");
        attempt(&mut evidence, &VERIFIED, FAIL);
        assert_eq!(codes(&evidence), [Code::TlsTime], "{clock}");
        let diagnosis = evidence.diagnose();
        let cause = diagnosis.root_cause().unwrap();
        assert!(cause.summary.contains("clock is not set"), "{}", cause.summary);
        assert!(cause.advice().contains("ignorelocaltime"));
        assert!(cause.evidence.iter().any(|proof| proof.command.as_deref() == Some("AT+CCLK?")));
        // Without the verification of dates, the clock does not matter.
        attempt(&mut evidence, &[("seclevel", "0")], FAIL);
        let mut dateless = reached();
        answer(&mut dateless, "AT+CCLK?", &[&format!("+CCLK: \"{clock}\"")], "OK");
        attempt(&mut dateless, &[("seclevel", "1"), ("ignorelocaltime", "1")], FAIL);
        assert_eq!(codes(&dateless), [Code::TlsHandshake], "{clock}");
    }
}

#[test]
fn a_verified_server_is_no_finding_and_an_unverified_one_is_a_note() {
    let mut evidence = reached();
    attempt(&mut evidence, &VERIFIED, FAIL);
    attempt(&mut evidence, &VERIFIED, DONE);
    assert_eq!(codes(&evidence), []);
    // The newest attempt fails, and earlier ones do not matter.
    attempt(&mut evidence, &VERIFIED, FAIL);
    assert_eq!(codes(&evidence), [Code::TlsHandshake]);
    let mut evidence = reached();
    attempt(&mut evidence, &[], DONE);
    let diagnosis = evidence.diagnose();
    assert_eq!(diagnosis.findings()[0].code, Code::TlsUnverified);
    assert_eq!((diagnosis.severity(), diagnosis.root_cause()), (Some(Severity::Note), None));
}

#[test]
fn a_refused_step_before_the_connection_is_named() {
    for (code, command, last) in [
        (Code::TlsUpload, "AT+FSWRITE=\"0123456789abcdef.crt\",0,1200,13", "ERROR"),
        (Code::TlsUpload, "AT+FSWRITE=\"client.key\",0,1200,13", "TimeOut"),
        (Code::TlsUpload, "at+fswrite=\"ca.pem\",0,1200,13", "+CME ERROR: 20"),
        (Code::TlsSetting, "AT+SSLCFG=\"sslversion\",0,3", "ERROR"),
        (Code::TlsSwitch, "AT+CIPSSL=1", "+CME ERROR: 3"),
    ] {
        let mut evidence = reached();
        answer(&mut evidence, command, &[], last);
        assert_eq!(codes(&evidence), [code], "{command}");
        assert_eq!(evidence.diagnose().root_cause().unwrap().evidence[0].lines, [last]);
        // A host that continued after the refusal did not need the command.
        attempt(&mut evidence, &VERIFIED, DONE);
        assert_eq!(codes(&evidence), [], "{command}");
    }
    // The refusal to create an existing file is no finding. The refusal after its deletion is one.
    let mut evidence = reached();
    answer(&mut evidence, "AT+FSCREATE=\"ca.crt\"", &[], "ERROR");
    assert_eq!(codes(&evidence), []);
    answer(&mut evidence, "AT+FSDEL=\"ca.crt\"", &[], "OK");
    answer(&mut evidence, "AT+FSCREATE=\"ca.crt\"", &[], "ERROR");
    assert_eq!(codes(&evidence), [Code::TlsUpload]);
    // Files for other purposes are not examined.
    let mut evidence = reached();
    answer(&mut evidence, "AT+FSWRITE=\"log.txt\",0,1200,13", &[], "ERROR");
    assert_eq!(codes(&evidence), []);
    // The module reports that the switch is already on.
    answer(&mut evidence, "AT+CIPSSL=1", &[], "+CME ERROR: 3");
    answer(&mut evidence, "AT+CIPSSL?", &["+CIPSSL: 1"], "OK");
    assert_eq!(codes(&evidence), []);
}

#[test]
fn firmware_without_tls_is_distinguished_from_a_refused_switch() {
    for last in ["ERROR", "+CME ERROR: 4"] {
        for command in ["AT+CIPSSL=?", "AT+CIPSSL=1"] {
            let mut evidence = Evidence::new();
            answer(&mut evidence, command, &[], last);
            assert_eq!(codes(&evidence), [Code::TlsMissing], "{command}");
        }
    }
    let mut evidence = Evidence::new();
    answer(&mut evidence, "AT+CIPSSL=1", &[], "+CME ERROR: 3");
    assert_eq!(codes(&evidence), [Code::TlsSwitch]);
}

#[test]
fn a_switch_that_does_not_change_is_a_finding() {
    for (lines, last) in [(&["+CIPSSL: 0"][..], "OK"), (&[], "+CME ERROR: 3"), (&[], "ERROR")] {
        let mut evidence = Evidence::new();
        answer(&mut evidence, "AT+CIPSSL=1", &[], "OK");
        answer(&mut evidence, "AT+CIPSSL?", lines, last);
        assert_eq!(codes(&evidence), [Code::TlsSwitch], "{lines:?} {last}");
    }
    // The question alone proves nothing.
    let mut evidence = Evidence::new();
    answer(&mut evidence, "AT+CIPSSL?", &["+CIPSSL: 0"], "OK");
    assert_eq!(codes(&evidence), []);
}

#[test]
fn a_connection_has_the_state_of_the_switch_at_its_start() {
    // In the capture, the result of a TLS connection comes after the command that switches TLS off, and the reverse.
    let text = "\
AT+SSLCFG=\"seclevel\",0,1\n\nOK\n\nAT+CIPSSL=1\n\nOK\n\nAT+CIPSTART=0,\"TCP\",\"example.com\",443\n\nOK\n\n\
AT+CIPSSL=0\n\nOK\n\n0, CONNECT FAIL\n\nAT+CIPSTART=1,\"TCP\",\"example.com\",80\n\nOK\n\n\
AT+CIPSSL=1\n\nOK\n\n1, CONNECT OK\n";
    let evidence = Evidence::of_capture(&capture::read(text.as_bytes()).unwrap());
    assert_eq!(codes(&evidence), [Code::TlsConnect]);
    let diagnosis = evidence.diagnose();
    let server = diagnosis.steps().iter().find(|step| step.check == Check::Server).unwrap();
    assert_eq!((server.state, server.shown.as_str()), (StepState::Passed, "example.com:80 is connected"));
    // A restart ends the earlier evidence.
    let mut evidence = Evidence::new();
    answer(&mut evidence, "AT+CIPSSL=1", &[], "OK");
    evidence.line("RDY");
    answer(&mut evidence, "AT+CIPSTART=0,\"TCP\",\"example.com\",443", &["OK"], DONE);
    assert_eq!(codes(&evidence), []);
    // Other contexts and UDP are ignored as well.
    let mut evidence = Evidence::new();
    answer(&mut evidence, "AT+SSLCFG=\"seclevel\",1,1", &[], "OK");
    answer(&mut evidence, "AT+SSLCFG=\"seclevel\",88,1", &[], "OK");
    answer(&mut evidence, "AT+SSLCFG=\"seclevel\",0", &[], "OK");
    answer(&mut evidence, "AT+CIPSSL=1", &[], "OK");
    answer(&mut evidence, "AT+CIPSTART=0,\"UDP\",\"example.com\",443", &["OK"], FAIL);
    assert_eq!(codes(&evidence), []);
    answer(&mut evidence, "AT+CIPSTART=0,\"TCP\",\"example.com\",443", &["OK"], DONE);
    assert_eq!(codes(&evidence), [Code::TlsUnverified]);
}

/// A certificate of valid form.
fn certificate() -> Certificate {
    Certificate::from_bytes(&[0x30, 7, 0x30, 0, 0x30, 0, 3, 1, 0]).unwrap()
}

fn live(step: TlsStep, why: TlsFailure) -> Evidence {
    let mut evidence = reached();
    let server = Server { host: "example.com".into(), port: 443 };
    let config = TlsConfig::verified(certificate());
    let result = Err(Error::Tls { step, why });
    evidence.secure_connection(&server, &config, None, result, Duration::from_secs(1));
    evidence
}

#[test]
fn every_failed_step_of_the_driver_has_its_cause() {
    let refused = TlsFailure::Refused(Refusal::Error);
    let late = TlsFailure::Timeout(Duration::from_secs(9));
    for why in [refused, late] {
        for part in [TlsPart::Ca, TlsPart::ClientCertificate, TlsPart::ClientKey] {
            assert_eq!(codes(&live(TlsStep::Upload(part), why)), [Code::TlsUpload]);
        }
        assert_eq!(codes(&live(TlsStep::Switch, why)), [Code::TlsSwitch]);
        assert_eq!(codes(&live(TlsStep::Connect, why)), [Code::TlsHandshake]);
    }
    let nowhere = TlsFailure::Refused(Refusal::ConnectFail);
    assert_eq!(codes(&live(TlsStep::Connect, nowhere)), [Code::TlsHandshake]);
    assert_eq!(codes(&live(TlsStep::Turn, late)), [], "the step was never begun");
    let proof = live(TlsStep::Upload(TlsPart::Ca), refused).diagnose().findings()[0].evidence.clone();
    assert!(proof[0].lines[0].contains("uploading the CA certificate: refused"), "{proof:?}");
}

#[test]
fn a_plain_connection_during_tls_is_not_tried_and_no_finding() {
    let mut evidence = Evidence::new();
    let server = Server { host: "example.com".into(), port: 80 };
    let error = Error::Tls { step: TlsStep::Switch, why: TlsFailure::TlsOpen };
    evidence.connection(&server, None, Err(error), Duration::ZERO);
    let diagnosis = evidence.diagnose();
    assert_eq!(codes(&evidence), [Code::TlsOpen]);
    assert_eq!((diagnosis.severity(), diagnosis.root_cause()), (Some(Severity::Note), None));
    let step = diagnosis.steps().iter().find(|step| step.check == Check::Server).unwrap();
    assert_eq!(step.state, StepState::Unseen);
}
