//! Habits of the module that no other test is about: rows of the table in docs/protocol.md, in virtual time.
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

/// The modem says `new` where it would have said `old`.
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
fn news_before_an_echo_are_news_and_the_echo_is_one() {
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
fn a_question_for_lte_may_be_answered_with_the_packet_key() {
    let mut pair = Pair::new();
    let count = says_instead(&mut pair, "+CEREG: 0,1", "+CGREG: 0,1");
    let mut pair = pair.ready();
    assert_eq!(*count.borrow(), 1);
    let status = pair.query(&DomainRegistration(Domain::Lte)).unwrap();
    assert_eq!(status, RegistrationStatus::Home);
}

#[test]
fn a_card_that_is_ready_twice_is_ready() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.inject(b"\r\n+CPIN: READY\r\n\r\n+CPIN: READY\r\n");
    pair.send(socket, b"still there").unwrap();
    assert_eq!(pair.read(socket, 11).unwrap(), b"still there");
}

#[test]
fn a_shut_may_be_answered_with_a_plain_ok() {
    let mut pair = Pair::online();
    let count = says_instead(&mut pair, "SHUT OK", "OK");
    pair.control(Control::PdpLost);
    pair.call(Request::WaitReady { timeout: LONG }).unwrap();
    assert_eq!(*count.borrow(), 1);
    pair.channel_open();
}

#[test]
fn nothing_is_written_for_two_seconds_behind_a_shut() {
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
fn a_close_without_a_request_is_the_peers() {
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

/// XON and XOFF are bytes like others: the module is never asked to take them for more, and they pass both ways.
#[test]
fn flow_control_is_never_in_the_bytes() {
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

/// The writes of the host, and the places where the module has said something between.
#[derive(Debug, PartialEq)]
enum Said {
    Host(Vec<u8>),
    Module(Vec<u8>),
}

/// Keeps what is said from now on, in order.
fn listen(pair: &mut Pair) -> Rc<RefCell<Vec<Said>>> {
    let said = Rc::new(RefCell::new(Vec::new()));
    let (host, module) = (said.clone(), said.clone());
    pair.to_modem = Box::new(move |_, bytes| {
        host.borrow_mut().push(Said::Host(bytes.clone()));
        bytes
    });
    pair.to_host = Box::new(move |_, bytes| {
        module.borrow_mut().push(Said::Module(bytes.clone()));
        bytes
    });
    said
}

#[test]
fn nothing_is_written_behind_payload_before_its_result() {
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
    let is_payload = |said: &&Said| matches!(said, Said::Host(bytes) if bytes.starts_with(b"xx"));
    assert_eq!(said.iter().filter(is_payload).count(), 6, "{said:?}");
    for (index, payload) in said.iter().enumerate().filter(|(_, said)| is_payload(said)) {
        let Said::Host(bytes) = payload else { continue };
        assert!(bytes.iter().all(|byte| *byte == b'x'), "nothing else is in it");
        let rest = &said[index + 1..];
        let next = rest.iter().position(|said| matches!(said, Said::Host(_))).unwrap_or(rest.len());
        let between = rest[..next].iter().flat_map(|said| match said {
            Said::Host(bytes) | Said::Module(bytes) => bytes.clone(),
        });
        let between = String::from_utf8(between.collect()).unwrap();
        assert!(between.contains("DATA ACCEPT:") || between.contains("SEND OK"), "{between:?}");
    }
}

/// And if the result never comes, what the module may still wait for is the payload once more: nothing else may reach the
/// peer.
#[test]
fn what_is_behind_payload_without_a_result_is_the_payload_and_a_line_end() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("payload", "");
    let said = listen(&mut pair);
    let ticket = pair.sending(socket, b"payload");
    pair.run_until(|pair| pair.saw(|event| matches!(event, Event::Expired(_))));
    pair.run_for(Duration::from_secs(1));
    drop(pair.answered(ticket));
    let said = said.borrow();
    let host: Vec<_> = said.iter().filter(|said| matches!(said, Said::Host(_))).collect();
    assert_eq!(host[1], &Said::Host(b"payload\r\n".to_vec()), "{said:?}");
}
