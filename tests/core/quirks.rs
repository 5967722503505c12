//! Habits of the module without a test elsewhere: rows of the table in docs/protocol.md, in virtual time.
#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::support::pair::Pair;
use air724ug::at::{Domain, RegistrationStatus};
use air724ug::proto::{Event, Request};
use air724ug::query::{DomainRegistration, Signal};
use air724ug::sim::{Control, Settings};
use air724ug::time::Timestamp;
use air724ug::{CloseReason, Config, Error, FlowControl};

const LONG: Duration = Duration::from_secs(120);

/// Replaces the text `old` by `new` in all output of the module.
fn says_instead(pair: &mut Pair, old: &'static str, new: &'static str) -> Rc<RefCell<usize>> {
    let count = Rc::new(RefCell::new(0));
    let seen = count.clone();
    pair.to_host = Box::new(move |_, bytes| {
        let text = String::from_utf8(bytes).unwrap();
        *seen.borrow_mut() += text.matches(old).count();
        text.replace(old, new).into_bytes()
    });
    count
}

#[test]
fn an_unsolicited_line_before_an_echo_is_reported_and_the_echo_is_recognised() {
    let mut pair = Pair::new();
    let count = says_instead(&mut pair, "ATE0\r\n", "\r\n+NITZ: 24/07/23,08:35:01+32,0\r\nATE0\r\n");
    let pair = pair.ready();
    assert_eq!(*count.borrow(), 1);
    assert!(pair.saw(|event| matches!(event, Event::Urc(air724ug::at::Urc::NetworkTime(_)))));
    assert!(!pair.saw(|event| *event == Event::Restarted));
}

#[test]
fn payload_that_begins_with_a_line_feed_arrives_whole() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.send(socket, b"\nabc").unwrap();
    assert_eq!(pair.read(socket, 4).unwrap(), b"\nabc");
}

#[test]
fn the_answer_to_cereg_may_have_the_name_cgreg() {
    let mut pair = Pair::new();
    let count = says_instead(&mut pair, "+CEREG: 0,1", "+CGREG: 0,1");
    let mut pair = pair.ready();
    assert_eq!(*count.borrow(), 1);
    let status = pair.query(&DomainRegistration(Domain::Lte)).unwrap();
    assert_eq!(status, RegistrationStatus::Home);
}

#[test]
fn the_card_may_report_ready_twice() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.inject(b"\r\n+CPIN: READY\r\n\r\n+CPIN: READY\r\n");
    pair.send(socket, b"still there").unwrap();
    assert_eq!(pair.read(socket, 11).unwrap(), b"still there");
}

#[test]
fn the_answer_to_cipshut_may_be_ok() {
    let mut pair = Pair::online();
    let count = says_instead(&mut pair, "SHUT OK", "OK");
    pair.control(Control::PdpLost);
    pair.call(Request::WaitReady { timeout: LONG }).unwrap();
    assert_eq!(*count.borrow(), 1);
    pair.channel_open();
}

#[test]
fn nothing_is_written_for_two_seconds_after_cipshut() {
    let mut pair = Pair::online();
    let written = Rc::new(RefCell::new(Vec::new()));
    let seen = written.clone();
    pair.to_modem = Box::new(move |at, bytes| {
        seen.borrow_mut().push((at, String::from_utf8_lossy(&bytes).into_owned()));
        bytes
    });
    pair.control(Control::PdpLost);
    pair.call(Request::WaitReady { timeout: LONG }).unwrap();
    let written: Vec<(Timestamp, String)> = written.take();
    let shut = written.iter().position(|(_, text)| text.starts_with("AT+CIPSHUT")).unwrap();
    let pause = written[shut + 1].0 - written[shut].0;
    assert!(pause >= Duration::from_secs(2), "{pause:?} before {}", written[shut + 1].1);
}

#[test]
fn close_ok_without_a_request_is_a_close_by_the_peer() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.inject(b"\r\n0, CLOSE OK\r\n");
    let (_, error) = pair.read_to_end(socket);
    assert!(matches!(error, Error::Closed(CloseReason::Peer)), "{error:?}");
}

#[test]
fn a_close_may_take_half_a_minute() {
    let mut pair = Pair::with(Config::default(), Settings::default()).ready();
    let socket = pair.channel_open();
    let since = pair.now;
    pair.to_modem =
        Box::new(move |_, bytes| if bytes.starts_with(b"AT+CIPCLOSE") { Vec::new() } else { bytes });
    let ticket = pair.ask(Request::Close { socket, timeout: LONG });
    pair.run_for(Duration::from_secs(29));
    pair.inject(b"\r\n0, CLOSE OK\r\n");
    pair.answer(ticket).unwrap();
    assert!(pair.now - since < Duration::from_secs(30));
}

/// XON and XOFF are ordinary bytes: the driver never enables software flow control, and both bytes pass in both
/// directions.
#[test]
fn software_flow_control_is_never_used() {
    for (flow_control, wanted) in [(FlowControl::None, 0), (FlowControl::RtsCts, 1)] {
        let config = Config::default().flow_control(flow_control);
        let mut pair = Pair::with(config, Settings::default()).ready();
        let socket = pair.channel_open();
        let data = b"\x11\x13\x13\x11 on and off";
        pair.send(socket, data).unwrap();
        assert_eq!(pair.read(socket, data.len()).unwrap(), data);
        assert_eq!((pair.wrote("AT+IFC=2,2"), pair.wrote("+IFC=")), (wanted, wanted));
    }
}

/// A write of the host, or of the module.
#[derive(Debug, PartialEq)]
enum Write {
    Host(Vec<u8>),
    Module(Vec<u8>),
}

/// Records all later writes in order.
fn listen(pair: &mut Pair) -> Rc<RefCell<Vec<Write>>> {
    let said = Rc::new(RefCell::new(Vec::new()));
    let (host, module) = (said.clone(), said.clone());
    pair.to_modem = Box::new(move |_, bytes| {
        host.borrow_mut().push(Write::Host(bytes.clone()));
        bytes
    });
    pair.to_host = Box::new(move |_, bytes| {
        module.borrow_mut().push(Write::Module(bytes.clone()));
        bytes
    });
    said
}

#[test]
fn nothing_is_written_after_payload_before_its_result() {
    let latencies = vec![("+CIPSEND".to_owned(), Duration::from_secs(1))];
    let mut pair = Pair::with(Config::default(), Settings::default().latencies(latencies)).ready();
    let (first, second) = (pair.channel_open(), pair.channel_open());
    let said = listen(&mut pair);
    let data = [b'x'; 4_000];
    let tickets =
        [pair.sending(first, &data), pair.sending(second, &data), pair.ask(Request::query(&Signal))];
    for ticket in tickets {
        pair.answer(ticket).unwrap();
    }
    let said = said.borrow();
    let is_payload = |said: &&Write| matches!(said, Write::Host(bytes) if bytes.starts_with(b"xx"));
    assert_eq!(said.iter().filter(is_payload).count(), 6, "{said:?}");
    for (index, payload) in said.iter().enumerate().filter(|(_, said)| is_payload(said)) {
        let Write::Host(bytes) = payload else { continue };
        assert!(bytes.iter().all(|byte| *byte == b'x'), "the write contains payload alone");
        let rest = &said[index + 1..];
        let next = rest.iter().position(|said| matches!(said, Write::Host(_))).unwrap_or(rest.len());
        let between = rest[..next].iter().flat_map(|said| match said {
            Write::Host(bytes) | Write::Module(bytes) => bytes.clone(),
        });
        let between = String::from_utf8(between.collect()).unwrap();
        assert!(between.contains("DATA ACCEPT:") || between.contains("SEND OK"), "{between:?}");
    }
}

/// Without a result, the module may still wait for payload. The driver writes the payload once more, so that nothing
/// else can reach the peer.
#[test]
fn after_payload_without_a_result_the_payload_is_written_again_with_a_line_end() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("payload", "");
    let said = listen(&mut pair);
    let ticket = pair.sending(socket, b"payload");
    pair.run_until(|pair| pair.saw(|event| matches!(event, Event::Expired(_))));
    pair.run_for(Duration::from_secs(1));
    drop(pair.answered(ticket));
    let said = said.borrow();
    let host: Vec<_> = said.iter().filter(|said| matches!(said, Write::Host(_))).collect();
    assert_eq!(host[1], &Write::Host(b"payload\r\n".to_vec()), "{said:?}");
}
