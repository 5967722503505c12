//! Habits of the module that no other test is about: rows of the table in docs/protocol.md, in virtual time.
#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

mod pair;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use air724ug::proto::{Event, Request};
use air724ug::sim::{Control, Settings};
use air724ug::time::Timestamp;
use air724ug::{CloseReason, Config, Error};
use pair::Pair;

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
    let answer = pair.call(Request::Registration(air724ug::at::Domain::Lte)).unwrap();
    assert!(format!("{answer:?}").contains("Home"), "{answer:?}");
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
fn a_close_that_nobody_asked_for_is_the_peers() {
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
