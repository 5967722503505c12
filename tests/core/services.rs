//! Names, time, radio and restart against the simulated modem, in virtual time.

#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::at::{Refusal, Urc};
use air724ug::proto::{Event, Request, Response};
use air724ug::query::{Clock, PdpContexts, Resolve, Signal};
use air724ug::{CloseReason, Error, NotReady};

fn resolve(pair: &mut Pair, host: &str, timeout: Duration) -> Result<Vec<Ipv4Addr>, Error> {
    let query = Resolve::new(host).unwrap().within(timeout);
    pair.query(&query)?.map_err(Error::ResolveFailed)
}

#[test]
fn a_name_is_resolved() {
    let mut pair = Pair::online();
    let addresses = resolve(&mut pair, ECHO.0, Duration::from_secs(60)).unwrap();
    assert_eq!(addresses, [Ipv4Addr::new(10, 1, 0, 1)]);
}

#[test]
fn an_unknown_name_is_a_typed_error() {
    let mut pair = Pair::online();
    let answer = resolve(&mut pair, "unknown.test", Duration::from_secs(60));
    assert!(matches!(answer, Err(Error::ResolveFailed(_))), "{answer:?}");
}

#[test]
fn sockets_work_while_a_name_is_being_resolved() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    let ticket = pair.ask(Request::query(&Resolve::new("unknown.test").unwrap()));
    let before = pair.now;
    pair.send(socket, b"meanwhile").unwrap();
    assert_eq!(pair.read(socket, 9).unwrap(), b"meanwhile");
    assert!(pair.now - before < Duration::from_secs(1));
    let Ok(Response::Reply(reply)) = pair.answer(ticket) else { panic!() };
    assert!(matches!(reply.urcs(), [Urc::ResolveFailed(_)]), "{reply:?}");
}

#[test]
fn a_missing_result_is_a_time_out() {
    let mut pair = Pair::online();
    pair.to_host = Box::new(|_, bytes| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.contains("+CDNSGIP") {
            text.replace("+CDNSGIP: 1", "+XDNSGIP: 1").into_bytes()
        } else {
            bytes
        }
    });
    let before = pair.now;
    let answer = resolve(&mut pair, ECHO.0, Duration::from_secs(7));
    assert!(matches!(answer, Err(Error::Timeout { .. })), "{answer:?}");
    assert_eq!(pair.now - before, Duration::from_secs(7));
}

#[test]
fn the_clock_is_read() {
    let mut pair = Pair::online();
    let time = pair.query(&Clock).unwrap();
    assert_eq!((time.year, time.quarters), (2024, Some(32)));
}

#[test]
fn flight_mode_ends_sockets_and_comes_back() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    assert!(matches!(pair.call(Request::Radio { on: false }), Ok(Response::Done)));
    assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::BearerLost)));
    assert_eq!(pair.engine.not_ready(), Some(NotReady::RadioOff));
    pair.run_for(Duration::from_secs(60));
    assert_eq!(pair.engine.not_ready(), Some(NotReady::RadioOff));
    assert!(matches!(pair.call(Request::Radio { on: true }), Ok(Response::Done)));
    pair.call(Request::WaitReady { timeout: Duration::from_secs(60) }).unwrap();
    pair.channel_open();
}

#[test]
fn a_restart_ends_sockets_and_comes_back() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    assert!(matches!(pair.call(Request::Restart), Ok(Response::Done)));
    assert!(matches!(pair.read_to_end(socket).1, Error::ModemRestarted));
    assert!(pair.saw(|event| *event == Event::Restarted));
    pair.call(Request::WaitReady { timeout: Duration::from_secs(120) }).unwrap();
    pair.channel_open();
}

const SOON: Duration = Duration::from_secs(20);

/// The bytes that were written after this command.
fn after(pair: &Pair, command: &str) -> Vec<u8> {
    let at = pair.written.windows(command.len()).rposition(|text| text == command.as_bytes()).unwrap();
    pair.written[at + command.len() + 2..].to_vec()
}

#[test]
fn the_payload_of_a_command_is_written_after_the_prompt() {
    let mut pair = Pair::online();
    pair.command("AT+FSCREATE=\"note\"", SOON).unwrap();
    let note = b"AT+CFUN=0\r\nhello\r\n";
    let write = format!("AT+FSWRITE=\"note\",0,{},9", note.len());
    assert_eq!(pair.command_with_payload(&write, note, SOON).unwrap(), [""; 0]);
    let lines = pair.command("AT+FSREAD=\"note\",0,100,0", SOON).unwrap();
    assert_eq!(lines, ["AT+CFUN=0", "hello"]);
}

#[test]
fn every_form_of_prompt_is_recognised() {
    for (command, prompt, payload, answer, lines) in [
        ("AT+HTTPDATA=5,9000", "\r\nDOWNLOAD\r\n", &b"hello"[..], "\r\nOK\r\n", vec![]),
        (
            "AT+HTTPEXPOST=5,9000",
            "\r\n>",
            b"hello",
            "\r\n+HTTPEXPOST: 5\r\n\r\nOK\r\n",
            vec!["+HTTPEXPOST: 5"],
        ),
        ("AT+MPUBEX=\"t\",0,0,5", "\r\n> ", b"AT+X1", "\r\nOK\r\n", vec![]),
        ("AT+FTPPUT=2,5", "\r\n+FTPPUT: 2,5\r\n", b"hello", "\r\nOK\r\n", vec![]),
        ("AT+CMGS=\"10086\"", "\r\n> ", b"hello", "\r\n+CMGS: 7\r\n\r\nOK\r\n", vec!["+CMGS: 7"]),
        ("AT+XPUT=5", "\r\nDOWNLOAD\r\n", b"hello", "\r\n+XPUT: 0\r\n\r\nOK\r\n", vec!["+XPUT: 0"]),
        ("AT+XPUT=5", "\r\n> ", b"hello", "\r\nOK\r\n", vec![]),
    ] {
        let mut pair = Pair::online();
        pair.instead(command, prompt).instead(std::str::from_utf8(payload).unwrap(), answer);
        assert_eq!(pair.command_with_payload(command, payload, SOON).unwrap(), lines, "{command}");
        let ends = if command.contains("CMGS") { &b"\x1a"[..] } else { b"" };
        assert_eq!(after(&pair, command), [payload, ends].concat(), "{command}");
        pair.command("AT+CSQ", SOON).unwrap();
    }
}

#[test]
fn an_error_in_place_of_a_prompt_is_the_answer_and_the_payload_is_not_written() {
    let mut pair = Pair::online();
    for command in ["AT+HTTPDATA=5,9000", "AT+MPUBEX=\"t\",0,0,5", "AT+CMGS=\"1\"", "AT+XPUT"] {
        let answer = pair.command_with_payload(command, b"hello", SOON);
        assert!(matches!(answer, Err(Error::Refused { code: Refusal::Error, .. })), "{command}: {answer:?}");
    }
    assert_eq!(pair.wrote("hello"), 0);
    // `OK` or `CONNECT` without a prompt is no success: the module does not have the payload.
    for success in ["\r\nOK\r\n", "\r\nCONNECT\r\n"] {
        pair.instead("AT+XPUT", success);
        let answer = pair.command_with_payload("AT+XPUT", b"AT+X1", SOON);
        assert!(matches!(answer, Err(Error::Timeout { .. })), "{success:?}: {answer:?}");
        assert_eq!(pair.wrote("AT+X1"), 0);
        pair.command("AT+CSQ", SOON).unwrap();
    }
}

#[test]
fn a_lost_prompt_of_a_command_is_a_time_out_and_no_payload_is_written() {
    // ESC ends a text, and filler bytes end payload of a known length.
    for (command, filler) in [("AT+CMGS=\"1\"", &b"\x1b"[..]), ("AT+MPUBEX=\"t\",0,0,5", b"\r\r\r\r\r")] {
        let mut pair = Pair::online();
        pair.instead(command, "");
        let answer = pair.command_with_payload(command, b"AT+X1", SOON);
        assert!(matches!(answer, Err(Error::Timeout { .. })), "{command}: {answer:?}");
        assert_eq!(pair.wrote("AT+X1"), 0);
        pair.command("AT+CSQ", SOON).unwrap();
        assert!(after(&pair, command).starts_with(filler), "{command}");
    }
    // The module ends the wait for a file by itself. Until then the driver writes nothing.
    let mut pair = Pair::online();
    pair.command("AT+FSCREATE=\"note\"", SOON).unwrap();
    pair.to_host = Box::new(|_, bytes| if bytes.ends_with(b"> ") { Vec::new() } else { bytes });
    let write = "AT+FSWRITE=\"note\",0,5,30";
    let before = pair.now;
    let answer = pair.command_with_payload(write, b"hello", SOON);
    assert!(matches!(answer, Err(Error::Timeout { .. })) && pair.now - before == SOON, "{answer:?}");
    let ticket = pair.ask(Request::query(&Signal));
    assert_eq!(after(&pair, write), b"");
    assert!(pair.answered(ticket).is_none());
    pair.run_for(Duration::from_secs(11));
    assert_eq!(pair.wrote("hello"), 0);
    assert!(pair.call(Request::query(&Signal)).is_ok());
    assert_eq!(pair.command("AT+FSFLSIZE=\"note\"", SOON).unwrap(), ["+FSFLSIZE: 0"]);
}

#[test]
fn a_bearer_that_the_applications_command_ends_is_noticed_without_a_socket() {
    for command in ["AT+CIPSHUT", "AT+CGATT=0"] {
        let mut pair = Pair::online();
        let before = pair.events.len();
        pair.command(command, Duration::from_secs(60)).unwrap();
        pair.run_for(Duration::from_secs(2));
        let lost = pair.events[before..].iter().any(|event| matches!(event, Event::NotReady(_)));
        assert!(lost, "{command}: {}", pair.story());
    }
}

#[test]
fn connections_that_the_applications_command_ends_are_noticed() {
    for (command, ends_all) in [("AT+CIPCLOSE=0", false), ("at+cipshut", true), ("AT+CGATT=0", true)] {
        let mut pair = Pair::online();
        let (first, second) = (pair.channel_open(), pair.channel_open());
        assert_eq!(first.channel().index(), 0);
        let before = pair.events.len();
        pair.command(command, Duration::from_secs(60)).unwrap();
        pair.run_for(Duration::from_secs(2));
        let saw = |pair: &Pair, wanted: &dyn Fn(&Event) -> bool| pair.events[before..].iter().any(wanted);
        assert!(saw(&pair, &|event| matches!(event, Event::Closed(id, _) if *id == first)), "{command}");
        let lost = saw(&pair, &|event| matches!(event, Event::NotReady(_)));
        assert_eq!(lost, ends_all, "{command}: {}", pair.story());
        let is_closed = |pair: &mut Pair, socket| matches!(pair.send(socket, b"x"), Err(Error::Closed(_)));
        assert!(is_closed(&mut pair, first), "{command}: {}", pair.story());
        assert_eq!(is_closed(&mut pair, second), ends_all, "{command}: {}", pair.story());
        if command == "AT+CGATT=0" {
            pair.command("AT+CGATT=1", Duration::from_secs(60)).unwrap();
        }
        let mut pair = pair.ready();
        let socket = pair.channel_open();
        pair.send(socket, b"again").unwrap();
        assert_eq!(pair.read(socket, 5).unwrap(), b"again", "{command}");
    }
}

#[test]
fn every_defined_context_is_listed() {
    let mut pair = Pair::online();
    let active = |pair: &mut Pair| {
        let states = pair.query(&PdpContexts).unwrap();
        states.iter().filter(|context| context.is_active).map(|context| context.id).collect::<Vec<_>>()
    };
    let bearer = active(&mut pair);
    assert_eq!(bearer.len(), 1);
    pair.command("AT+CGDCONT=7,\"IP\",\"cmnet\"", SOON).unwrap();
    pair.command("AT+CGACT=1,7", SOON).unwrap();
    assert_eq!(active(&mut pair), [bearer[0], 7]);
}
