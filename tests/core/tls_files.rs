//! Uploads of files: their behaviour when bytes are lost or refused, and the absence of their content in events and
//! logs. In virtual time.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::support::material::certificate_der;
use crate::support::pair::Pair;
use crate::support::tls::{SECRET_TEXT, commands, connect, connecting, mutual, online, verified};
use air724ug::at::Refusal;
use air724ug::capture::{Header, Recorder};
use air724ug::error::{TlsFailure, TlsPart, TlsStep};
use air724ug::proto::{Event, Input, Request};
use air724ug::sim::Control;
use air724ug::{Certificate, CloseReason, Error, TlsConfig};

const UPLOAD: TlsStep = TlsStep::Upload(TlsPart::Ca);

/// The bytes that reach the module.
fn arriving(pair: &mut Pair) -> Rc<RefCell<Vec<u8>>> {
    let arrived = Rc::new(RefCell::new(Vec::new()));
    let (copy, mut script) =
        (arrived.clone(), std::mem::replace(&mut pair.to_modem, Box::new(|_, bytes| bytes)));
    pair.to_modem = Box::new(move |now, bytes| {
        let bytes = script(now, bytes);
        copy.borrow_mut().extend_from_slice(&bytes);
        bytes
    });
    arrived
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Replaces text in the output of the module.
fn replace(pair: &mut Pair, from: &'static str, to: &'static str) {
    pair.to_host = Box::new(move |_, bytes| {
        String::from_utf8(bytes)
            .map_or_else(|error| error.into_bytes(), |text| text.replace(from, to).into_bytes())
    });
}

fn undisturbed(pair: &mut Pair) {
    pair.to_host = Box::new(|_, bytes| bytes);
}

#[test]
fn after_a_lost_prompt_the_driver_waits_and_writes_no_content() {
    let (mut pair, _) = online();
    let arrived = arriving(&mut pair);
    replace(&mut pair, "\r\n> ", "");
    let before = pair.now;
    let answer = connect(&mut pair, &verified());
    let why = TlsFailure::Refused(Refusal::TimeOut);
    assert!(matches!(answer, Err(Error::Tls { step: UPLOAD, why: is }) if is == why), "{answer:?}");
    assert!(
        pair.now - before >= Duration::from_secs(15),
        "the driver did not wait for the module's own timeout"
    );
    assert!(!holds(&arrived.borrow(), "-----BEGIN"));
    assert!(
        commands(&mut pair).last().unwrap().starts_with("AT+FSWRITE"),
        "a command was written after AT+FSWRITE"
    );
    undisturbed(&mut pair);
    connect(&mut pair, &verified()).unwrap();
}

#[test]
fn an_upload_with_a_lost_prompt_and_a_lost_timeout_ends() {
    let (mut pair, _) = online();
    let arrived = arriving(&mut pair);
    pair.to_host = Box::new(|_, bytes| {
        let text = String::from_utf8_lossy(&bytes);
        if text.contains("> ") || text.contains("TimeOut") { Vec::new() } else { bytes }
    });
    let before = pair.now;
    let answer = connect(&mut pair, &verified());
    let failed = matches!(answer, Err(Error::Tls { step: UPLOAD, why: TlsFailure::Timeout(_) }));
    assert!(failed, "{answer:?}");
    assert_eq!(pair.now - before, Duration::from_millis(20_005));
    assert!(!holds(&arrived.borrow(), "-----BEGIN"));
    undisturbed(&mut pair);
    connect(&mut pair, &verified()).unwrap();
}

#[test]
fn a_prompt_for_a_file_may_lack_its_blank() {
    let (mut pair, _) = online();
    replace(&mut pair, "\r\n> ", "\r\n>");
    connect(&mut pair, &mutual()).unwrap();
}

#[test]
fn a_content_with_lost_bytes_is_not_completed_with_filler() {
    let (mut pair, _) = online();
    let mut script = std::mem::replace(&mut pair.to_modem, Box::new(|_, bytes| bytes));
    pair.to_modem = Box::new(move |now, bytes| {
        let bytes = script(now, bytes);
        if bytes.starts_with(b"-----BEGIN") { bytes[..100].to_vec() } else { bytes }
    });
    let answer = connect(&mut pair, &verified());
    let why = TlsFailure::Refused(Refusal::TimeOut);
    assert!(matches!(answer, Err(Error::Tls { step: UPLOAD, why: is }) if is == why), "{answer:?}");
    let end = pair.written.windows(8).rposition(|text| text == b"-----END").unwrap();
    assert!(!holds(&pair.written[end..], "\r\r"), "filler was written as content");
    pair.to_modem = Box::new(|_, bytes| bytes);
    let lines = pair.command("AT+FSLS=\"/\"", Duration::from_secs(9)).unwrap();
    assert_eq!(lines.len(), 1);
    let size = pair.command(&format!("AT+FSFLSIZE=\"{}\"", lines[0]), Duration::from_secs(9)).unwrap();
    assert_eq!(size, ["+FSFLSIZE: 0"]);
}

#[test]
fn a_content_with_lost_bytes_and_a_lost_timeout_is_not_completed_with_filler() {
    let (mut pair, _) = online();
    let mut script = std::mem::replace(&mut pair.to_modem, Box::new(|_, bytes| bytes));
    pair.to_modem = Box::new(move |now, bytes| {
        let bytes = script(now, bytes);
        if bytes.starts_with(b"-----BEGIN") { bytes[..100].to_vec() } else { bytes }
    });
    replace(&mut pair, "\r\nTimeOut\r\n", "");
    let answer = connect(&mut pair, &verified());
    let failed = matches!(answer, Err(Error::Tls { step: UPLOAD, why: TlsFailure::Timeout(_) }));
    assert!(failed, "{answer:?}");
    pair.run_for(Duration::from_secs(30));
    assert!(!holds(&pair.written, "\r\r"), "filler was written as content");
}

#[test]
fn a_full_file_system_is_a_refusal() {
    let (mut pair, _) = online();
    let config = |seed| {
        let ca = Certificate::from_bytes(&certificate_der(seed, 7_400)).unwrap();
        TlsConfig::verified(ca)
    };
    let refused = (0..8).map(|seed| connect(&mut pair, &config(seed))).find(Result::is_err).unwrap();
    let why = TlsFailure::Refused(Refusal::Error);
    assert!(matches!(refused, Err(Error::Tls { step: UPLOAD, why: is }) if is == why), "{refused:?}");
}

#[test]
fn an_ok_before_the_prompt_is_not_taken_for_success() {
    let (mut pair, _) = online();
    replace(&mut pair, "\r\n> ", "\r\nOK\r\n\r\n> ");
    let arrived = arriving(&mut pair);
    connect(&mut pair, &verified()).unwrap();
    assert!(holds(&arrived.borrow(), "-----END CERTIFICATE-----\nAT"));
    assert!(pair.saw(|event| *event == Event::Dropped("OK".to_owned())));
}

#[test]
fn a_late_error_before_the_prompt_does_not_turn_content_into_commands() {
    let (mut pair, script) = online();
    // The answer to an earlier command is lost, so late answers are possible.
    script.loses("AT+CSQ");
    assert!(pair.command("AT+CSQ", Duration::from_secs(2)).is_err());
    pair.run_for(Duration::from_secs(5));
    replace(&mut pair, "\r\n> ", "\r\nERROR\r\n\r\n> ");
    let arrived = arriving(&mut pair);
    connect(&mut pair, &verified()).unwrap();
    assert!(holds(&arrived.borrow(), "-----END CERTIFICATE-----\nAT+"));
    // If the error is the command's own, the driver writes nothing while the module may still wait.
    replace(&mut pair, "\r\n> ", "\r\nERROR\r\n");
    arrived.borrow_mut().clear();
    let before = pair.now;
    let other = TlsConfig::verified(Certificate::from_bytes(&certificate_der(9, 90)).unwrap());
    let answer = connect(&mut pair, &other);
    assert!(matches!(answer, Err(Error::Tls { step: UPLOAD, .. })), "{answer:?}");
    assert!(pair.now - before >= Duration::from_secs(15));
    assert!(!holds(&arrived.borrow(), "-----BEGIN"));
}

#[test]
fn a_bearer_lost_during_an_upload_leaves_no_command_in_the_file() {
    let (mut pair, _) = online();
    replace(&mut pair, "\r\n> ", "");
    let ticket = connecting(&mut pair, &verified(), Duration::from_secs(120));
    pair.run_for(Duration::from_secs(1));
    let before = pair.written.len();
    pair.inject(b"\r\n+PDP: DEACT\r\n");
    let answer = pair.answer(ticket);
    assert!(matches!(answer, Err(Error::Closed(CloseReason::BearerLost))), "{answer:?}");
    pair.run_for(Duration::from_secs(10));
    assert_eq!(pair.written.len(), before, "the module may still wait for content");
    pair.run_for(Duration::from_secs(60));
    undisturbed(&mut pair);
    connect(&mut pair, &verified()).unwrap();
}

#[test]
fn a_restart_at_any_step_ends_only_the_connection() {
    for begin in ["AT+FSCREATE", "AT+FSWRITE", "AT+SSLCFG", "AT+CIPSSL", "AT+CIPSTART"] {
        let (mut pair, _) = online();
        let ticket = connecting(&mut pair, &verified(), Duration::from_secs(120));
        pair.run_until(|pair| holds(&pair.written, begin));
        pair.control(Control::Reset);
        let answer = pair.answer(ticket);
        assert!(answer.is_err(), "{begin}: {answer:?}");
        pair.call(Request::WaitReady { timeout: Duration::from_secs(120) }).unwrap();
        connect(&mut pair, &verified()).unwrap_or_else(|error| panic!("after {begin}: {error}"));
    }
}

#[test]
fn a_port_lost_at_any_step_ends_the_connection() {
    for begin in ["AT+FSCREATE", "AT+FSWRITE", "AT+SSLCFG", "AT+CIPSSL", "AT+CIPSTART"] {
        let (mut pair, _) = online();
        let ticket = connecting(&mut pair, &verified(), Duration::from_secs(120));
        pair.run_until(|pair| holds(&pair.written, begin));
        pair.engine.handle(pair.now, Input::PortLost("unplugged"));
        pair.run_for(Duration::from_millis(1));
        let answer = pair.answered(ticket);
        assert!(matches!(answer, Some(Err(Error::PortLost(_)))), "{begin}: {answer:?}");
    }
}

#[test]
fn an_incompletely_written_file_is_not_used_even_if_its_length_is_right() {
    let (mut pair, _) = online();
    let ticket = connecting(&mut pair, &verified(), Duration::from_secs(120));
    pair.run_until(|pair| holds(&pair.written, "AT+FSWRITE"));
    // The port is lost before the content is written, so the module takes the next bytes for the content.
    pair.engine.handle(pair.now, Input::PortLost("unplugged"));
    pair.run_for(Duration::from_millis(100));
    assert!(pair.answered(ticket).is_some());
    pair.engine.handle(pair.now, Input::PortBack);
    pair.call(Request::WaitReady { timeout: Duration::from_secs(120) }).unwrap();
    let line = commands(&mut pair).into_iter().find(|line| line.starts_with("AT+FSWRITE")).unwrap();
    let (name, len) = (line.split('"').nth(1).unwrap(), line.split(',').nth(2).unwrap());
    let size = pair.command(&format!("AT+FSFLSIZE=\"{name}\""), Duration::from_secs(9)).unwrap();
    assert_eq!(size, [format!("+FSFLSIZE: {len}")], "the file is full of line ends");
    connect(&mut pair, &verified()).unwrap();
    let read = format!("AT+FSREAD=\"{name}\",0,{len},0");
    let lines = pair.command(&read, Duration::from_secs(9)).unwrap();
    assert_eq!(
        (lines[0].as_str(), lines.last().unwrap().as_str()),
        ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")
    );
    // The file now has the content that its name stands for.
    commands(&mut pair);
    connect(&mut pair, &verified()).unwrap();
    assert!(!commands(&mut pair).iter().any(|line| line.starts_with("AT+FSWRITE")));
}

#[test]
fn an_abandoned_connection_leaves_the_channel_free() {
    let (mut pair, _) = online();
    replace(&mut pair, "\r\n> ", "");
    let ticket = connecting(&mut pair, &verified(), Duration::from_secs(2));
    assert!(pair.answer(ticket).is_err());
    undisturbed(&mut pair);
    for _ in 0..8 {
        connect(&mut pair, &verified()).unwrap();
    }
    assert!(matches!(connect(&mut pair, &verified()), Err(Error::NoFreeChannel)));
}

#[test]
fn no_event_log_or_capture_shows_a_key() {
    let (mut pair, _) = online();
    let header = Header { what: "secrets".into(), source: "test".into(), expect: vec!["none".into()] };
    let recorder = Rc::new(RefCell::new(Recorder::new(Vec::new(), &header)));
    let (sent, received) = (recorder.clone(), recorder.clone());
    let mut script = std::mem::replace(&mut pair.to_modem, Box::new(|_, bytes| bytes));
    pair.to_modem = Box::new(move |now, bytes| {
        sent.borrow_mut().to_modem(now, &bytes);
        script(now, bytes)
    });
    // A module that repeats its input line by line, as no documented one does.
    pair.to_host = Box::new(move |now, bytes| {
        let text = String::from_utf8_lossy(&bytes)
            .replace("\r\n> ", "\r\n> \r\nWlpaWlpaWlpa\r\n+WlpaWlpa: Wlpa\r\n");
        let bytes = text.into_bytes();
        received.borrow_mut().from_modem(now, &bytes);
        bytes
    });
    let ticket = connecting(&mut pair, &mutual(), Duration::from_secs(120));
    let is_hidden = |text: &str, at: &str| {
        assert!(!text.contains(SECRET_TEXT) && !text.contains("90, 90, 90"), "{at}: {text}");
    };
    for _ in 0..200 {
        is_hidden(&format!("{:?}", pair.engine), "engine");
        pair.run_for(Duration::from_millis(1));
    }
    assert!(pair.answer(ticket).is_ok());
    assert!(holds(&pair.written, SECRET_TEXT), "the key was not written to the module");
    is_hidden(&format!("{:?}", pair.events), "events");
    let empty = Recorder::new(Vec::new(), &header);
    let capture = String::from_utf8(recorder.replace(empty).into_inner()).unwrap();
    is_hidden(&capture, "capture");
    assert!(capture.contains("AT+FSWRITE=") && capture.contains("***"), "{capture}");
}

/// The module ends the upload before the content comes. With echo on, it sends back the content, which it takes for
/// commands.
#[test]
fn a_key_echoed_after_an_early_error_is_not_shown() {
    let (mut pair, _) = online();
    connect(&mut pair, &mutual()).unwrap();
    let written = String::from_utf8(pair.written.clone()).unwrap();
    let (before, content) = written.split_at(written.find("-----BEGIN PRIVATE KEY").unwrap());
    let command = &before[before.rfind("AT+FSWRITE").unwrap()..];
    let content = &content[..content.find("AT+").unwrap()];
    assert!(holds(content.as_bytes(), SECRET_TEXT));
    let header = Header { what: "secrets".into(), source: "test".into(), expect: vec!["none".into()] };
    let prompt = "\r\n> \r\nERROR\r\n";
    for echo in [content.to_owned(), content.replace('\n', "\r\n"), format!("+NEWS: 1\r\n{}", &content[40..])]
    {
        let echo = format!("{echo}\r\nERROR\r\n");
        let mut recorder = Recorder::new(Vec::new(), &header);
        recorder.to_modem(pair.now, command.as_bytes());
        recorder.from_modem(pair.now, prompt.as_bytes());
        recorder.to_modem(pair.now, content.as_bytes());
        recorder.from_modem(pair.now, echo.as_bytes());
        let capture = String::from_utf8(recorder.into_inner()).unwrap();
        let (mut pair, _) = online();
        pair.instead(command.trim_end(), prompt).instead("-----BEGIN PRIVATE KEY", echo);
        let answer = connect(&mut pair, &mutual());
        assert!(pair.wrote("-----BEGIN PRIVATE KEY") > 0, "{answer:?}");
        pair.run_for(Duration::from_secs(20));
        for text in [capture, format!("{:?} {:?} {answer:?}", pair.events, pair.engine)] {
            assert!(!text.contains(SECRET_TEXT), "{text}");
        }
    }
}

#[test]
fn the_names_of_requests_contain_no_key() {
    let host = air724ug::at::Quotable::host("example.com").unwrap();
    let tls = mutual().settings(host.as_str()).unwrap();
    let request = Request::ConnectTls { tls, host, port: 443, timeout: Duration::from_secs(1) };
    let shown = format!("{request:?} {}", request.summary());
    assert!(shown.contains("example.com") && !shown.contains(SECRET_TEXT), "{shown}");
}
