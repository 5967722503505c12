//! Queued sends, events of data, and bytes that the peer has acknowledged, in virtual time.

#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::at::{Protocol, Quotable, Refusal};
use air724ug::error::DeliveryUnknown;
use air724ug::proto::{Event, Request, Response, SocketId};
use air724ug::sim::{Control, Peer, Settings};
use air724ug::{Config, Error, ReceiveMode};

const LONG: Duration = Duration::from_secs(120);

fn queue(pair: &mut Pair, socket: SocketId, data: &[u8]) -> Result<Response, Error> {
    pair.call(Request::Queue { socket, data: data.to_vec() })
}

fn unacknowledged(pair: &mut Pair, socket: SocketId) -> u32 {
    match pair.call(Request::Unacknowledged { socket, timeout: LONG }) {
        Ok(Response::Unacknowledged(count)) => count,
        other => panic!("{other:?}"),
    }
}

/// A socket to a peer that reads nothing, so that the buffer of the module fills.
fn to_a_deaf_peer(pair: &mut Pair) -> SocketId {
    pair.modem.network_mut().name("deaf.test", [10, 1, 0, 9]).serve(
        "deaf.test",
        7,
        Peer::discard().never_reads(),
    );
    pair.connect("deaf.test", 7).unwrap()
}

#[test]
fn queued_data_and_sends_keep_their_order() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    queue(&mut pair, socket, b"one ").unwrap();
    let ticket = pair.sending(socket, b"two ");
    queue(&mut pair, socket, b"three").unwrap();
    pair.answer(ticket).unwrap();
    assert_eq!(pair.read(socket, 13).unwrap(), b"one two three");
    assert_eq!(pair.engine.queued(socket), 0);
}

#[test]
fn a_full_queue_refuses_data_and_reports_its_room() {
    let mut pair = Pair::with(Config::default().send_queue(200_000), Settings::default()).ready();
    let socket = to_a_deaf_peer(&mut pair);
    queue(&mut pair, socket, &[1; 200_000]).unwrap();
    pair.run_for(Duration::from_secs(5));
    let waiting = pair.engine.queued(socket);
    assert!(waiting > 0);
    match queue(&mut pair, socket, &[2; 200_000]) {
        Err(Error::QueueFull { room }) => assert_eq!(room, 200_000 - waiting),
        other => panic!("{other:?}"),
    }
    assert_eq!(pair.engine.queued(socket), waiting);
}

#[test]
fn every_send_and_every_receive_is_an_event_in_order() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.send(socket, b"hello").unwrap();
    pair.read(socket, 5).unwrap();
    let seen: Vec<_> =
        pair.events.iter().filter(|event| matches!(event, Event::Sent(..) | Event::Received(..))).collect();
    assert_eq!(seen, [&Event::Sent(socket, 5), &Event::Received(socket, 5)]);
}

#[test]
fn unsent_queued_data_are_reported() {
    let mut pair = Pair::online();
    let socket = to_a_deaf_peer(&mut pair);
    queue(&mut pair, socket, &[1; 200_000]).unwrap();
    pair.run_for(Duration::from_secs(5));
    let waiting = pair.engine.queued(socket);
    pair.control(Control::PdpLost);
    assert!(pair.saw(|event| *event == Event::Unsent(socket, waiting)), "{}", pair.story());
}

#[test]
fn a_flush_waits_for_the_peer() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.send(socket, &[7; 5_000]).unwrap();
    assert!(matches!(pair.call(Request::Flush { socket, timeout: LONG }), Ok(Response::Done)));
    assert_eq!(unacknowledged(&mut pair, socket), 0);
}

#[test]
fn a_flush_without_acknowledgement_times_out_with_few_questions() {
    let mut pair = Pair::online();
    let socket = to_a_deaf_peer(&mut pair);
    // More bytes than the buffers of the peer hold, fewer than the module accepts.
    let mut sent = 0;
    while unacknowledged(&mut pair, socket) == 0 {
        sent += pair.send(socket, &[7; 1460]).unwrap();
        assert!(sent < 1_000_000);
    }
    let before = pair.written.len();
    let answer = pair.call(Request::Flush { socket, timeout: Duration::from_secs(60) });
    assert!(matches!(&answer, Err(Error::Timeout { command, .. }) if &**command == "flush"), "{answer:?}");
    let questions = (pair.written.len() - before) / "AT+CIPACK=0\r\n".len();
    assert!((30..=40).contains(&questions), "{questions}");
}

#[test]
fn a_flush_ends_with_its_socket() {
    let mut pair = Pair::online();
    let socket = to_a_deaf_peer(&mut pair);
    pair.send(socket, &[7; 8_000]).unwrap();
    let ticket = pair.ask(Request::Flush { socket, timeout: LONG });
    pair.control(Control::PdpLost);
    let answer = pair.answer(ticket);
    assert!(matches!(answer, Err(Error::Closed(_)) | Ok(Response::Done)), "{answer:?}");
}

#[test]
fn eight_flushes_at_once_use_little_of_the_line() {
    let mut pair = Pair::online();
    let sockets: Vec<_> = (0..8).map(|_| to_a_deaf_peer(&mut pair)).collect();
    for socket in &sockets {
        while unacknowledged(&mut pair, *socket) == 0 {
            pair.send(*socket, &[7; 1460]).unwrap();
        }
    }
    let before = pair.engine.statistics().written;
    let minute = Duration::from_secs(60);
    let flushes: Vec<_> =
        sockets.iter().map(|socket| pair.ask(Request::Flush { socket: *socket, timeout: minute })).collect();
    for flush in flushes {
        assert!(matches!(pair.answer(flush), Err(Error::Timeout { .. })));
    }
    // 8 questions of 13 bytes every 2 s: half a percent of a line of 115200 baud.
    let bytes = pair.engine.statistics().written - before;
    assert!(bytes < 60 * 11_520 / 100, "{bytes}");
}

#[test]
fn where_delivery_is_unknown_a_flush_fails_at_once_without_a_question() {
    let mut pair = Pair::online();
    let host = Quotable::host(ECHO.0).unwrap();
    let request = Request::Connect { protocol: Protocol::Udp, host, port: ECHO.1, timeout: LONG };
    let Ok(Response::Connected(socket)) = pair.call(request) else { panic!("{}", pair.story()) };
    pair.send(socket, b"hello").unwrap();
    for request in
        [Request::Flush { socket, timeout: LONG }, Request::Unacknowledged { socket, timeout: LONG }]
    {
        let answer = pair.call(request);
        let expected = matches!(answer, Err(Error::DeliveryUnknown(DeliveryUnknown::Datagrams)));
        assert!(expected, "{answer:?}");
    }
    assert_eq!(pair.wrote("AT+CIPACK"), 0);
    let seen = pair.engine.socket_statistics(socket).unwrap();
    assert_eq!((seen.given, seen.acknowledged), (5, 0));
}

#[test]
fn repeated_refusals_of_the_question_fail_a_flush() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.send(socket, b"hello").unwrap();
    pair.instead_times(3, "AT+CIPACK", "\r\nERROR\r\n");
    let before = pair.now;
    let answer = pair.call(Request::Flush { socket, timeout: LONG });
    assert!(matches!(answer, Err(Error::Refused { code: Refusal::Error, .. })), "{answer:?}");
    assert!(pair.now - before < Duration::from_secs(1));
    // A single refusal does not fail it.
    pair.instead("AT+CIPACK", "\r\nERROR\r\n");
    assert!(matches!(pair.call(Request::Flush { socket, timeout: LONG }), Ok(Response::Done)));
}

#[test]
fn a_drain_waits_for_the_module_without_a_question() {
    let settings = Settings::default().latency(Duration::from_millis(3));
    let mut pair = Pair::with(Config::default(), settings).ready();
    let socket = pair.channel_open();
    assert!(matches!(pair.call(Request::Drain { socket, timeout: LONG }), Ok(Response::Done)));
    queue(&mut pair, socket, &[7; 5_000]).unwrap();
    let ticket = pair.ask(Request::Drain { socket, timeout: LONG });
    assert!(pair.answered(ticket).is_none());
    assert!(matches!(pair.answer(ticket), Ok(Response::Done)));
    let seen = pair.engine.socket_statistics(socket).unwrap();
    assert_eq!((seen.given, seen.sent, pair.wrote("AT+CIPACK")), (5_000, 5_000, 0));
}

#[test]
fn a_drain_times_out_if_the_module_accepts_nothing() {
    let mut pair = Pair::online();
    let socket = to_a_deaf_peer(&mut pair);
    queue(&mut pair, socket, &[7; 200_000]).unwrap();
    let answer = pair.call(Request::Drain { socket, timeout: Duration::from_secs(30) });
    assert!(matches!(answer, Err(Error::Timeout { .. })), "{answer:?}");
    let ticket = pair.ask(Request::Drain { socket, timeout: LONG });
    pair.control(Control::PdpLost);
    assert!(matches!(pair.answer(ticket), Err(Error::Closed(_))));
}

#[test]
fn a_drain_waits_for_the_piece_of_a_send_that_timed_out() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.control(Control::fault(air724ug::sim::fault::LateSend { by: Duration::from_secs(5) }));
    let send = Request::Send { socket, data: b"hello".to_vec(), timeout: Duration::from_secs(1) };
    assert!(matches!(pair.call(send), Err(Error::Timeout { .. })));
    let ticket = pair.ask(Request::Drain { socket, timeout: LONG });
    assert!(pair.answered(ticket).is_none(), "the module has not confirmed the piece");
    assert!(matches!(pair.answer(ticket), Ok(Response::Done)), "{}", pair.story());
    assert_eq!(pair.engine.socket_statistics(socket).unwrap().sent, 5);
}

#[test]
fn acknowledged_bytes_are_counted() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.send(socket, &[7; 5_000]).unwrap();
    let seen = |pair: &Pair| pair.engine.socket_statistics(socket).unwrap().clone();
    assert_eq!(
        (seen(&pair).acknowledged, seen(&pair).unacknowledged()),
        (0, 5_000),
        "the driver has not asked the module"
    );
    pair.instead("AT+CIPACK", "\r\n+CIPACK: 5000,3800,1200\r\n\r\nOK\r\n");
    assert_eq!(unacknowledged(&mut pair, socket), 1_200);
    assert_eq!((seen(&pair).acknowledged, seen(&pair).unacknowledged()), (3_800, 1_200));
    // An impossible answer does not reduce the count.
    pair.instead("AT+CIPACK", "\r\n+CIPACK: 5000,0,4000000000\r\n\r\nOK\r\n");
    unacknowledged(&mut pair, socket);
    assert_eq!(seen(&pair).acknowledged, 3_800);
    assert!(matches!(pair.call(Request::Flush { socket, timeout: LONG }), Ok(Response::Done)));
    assert_eq!((seen(&pair).given, seen(&pair).unacknowledged()), (5_000, 0));
    pair.control(Control::PdpLost);
    assert_eq!(seen(&pair).acknowledged, 5_000);
}

#[test]
fn followed_delivery_is_queried_until_all_bytes_are_acknowledged() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.engine.follow_delivery(socket);
    pair.send(socket, &[7; 5000]).unwrap();
    pair.run_for(Duration::from_secs(3));
    assert_eq!(pair.engine.socket_statistics(socket).unwrap().acknowledged, 5000);
    let asked = pair.wrote("AT+CIPACK=");
    pair.run_for(Duration::from_secs(60));
    assert_eq!(pair.wrote("AT+CIPACK="), asked, "all bytes were acknowledged before");

    // Firmware that refuses the question is asked no more.
    pair.instead_times(100, "AT+CIPACK", "\r\nERROR\r\n");
    for _ in 0..10 {
        pair.send(socket, b"more").unwrap();
        pair.run_for(Duration::from_secs(3));
    }
    assert!(pair.wrote("AT+CIPACK=") <= asked + 3, "{} questions", pair.wrote("AT+CIPACK=") - asked);

    // A socket that is not followed causes no question.
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.send(socket, &[7; 5000]).unwrap();
    pair.run_for(Duration::from_secs(10));
    assert_eq!(pair.wrote("AT+CIPACK="), 0);
}

#[test]
fn a_question_without_an_answer_does_not_end_followed_delivery() {
    for answer in ["", "\r\nERROR\r\n", "\r\n+CIPACK: 50\r\n\r\nOK\r\n"] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.engine.follow_delivery(socket);
        pair.instead("AT+CIPACK", answer);
        pair.send(socket, &[7; 5000]).unwrap();
        pair.run_for(Duration::from_secs(60));
        assert_eq!(pair.engine.socket_statistics(socket).unwrap().acknowledged, 5000, "{answer:?}");
    }
}

#[test]
fn without_acknowledgements_the_questions_become_rarer() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.engine.follow_delivery(socket);
    pair.instead_times(1000, "AT+CIPACK", "\r\n+CIPACK: 5000,0,5000\r\n\r\nOK\r\n");
    pair.send(socket, &[7; 5000]).unwrap();
    pair.run_for(Duration::from_secs(15 * 60));
    let asked = pair.wrote("AT+CIPACK=");
    assert!((50..=62).contains(&asked), "{asked} questions");

    // A further send restarts the questions after a second, also for the unacknowledged bytes.
    pair.heal();
    pair.instead_times(4, "AT+CIPACK", "\r\n+CIPACK: 5004,0,5004\r\n\r\nOK\r\n");
    pair.send(socket, b"more").unwrap();
    pair.run_for(Duration::from_secs(5));
    let again = pair.wrote("AT+CIPACK=") - asked;
    assert!(again >= 3, "{again} questions");

    // The acknowledgement is counted.
    pair.heal();
    pair.send(socket, b"more").unwrap();
    pair.run_for(Duration::from_secs(2));
    assert_eq!(pair.engine.socket_statistics(socket).unwrap().acknowledged, 5008);
}

#[test]
fn slow_acknowledgements_are_queried_every_second() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.engine.follow_delivery(socket);
    pair.instead_times(8, "AT+CIPACK", "\r\n+CIPACK: 5000,0,5000\r\n\r\nOK\r\n");
    for left in (1..10).map(|tenth| 5000 - 500 * tenth) {
        pair.instead("AT+CIPACK", format!("\r\n+CIPACK: 5000,{},{left}\r\n\r\nOK\r\n", 5000 - left));
    }
    pair.send(socket, &[7; 5000]).unwrap();
    pair.run_for(Duration::from_secs(70));
    let before = pair.wrote("AT+CIPACK=");
    pair.run_for(Duration::from_secs(30));
    assert!(pair.wrote("AT+CIPACK=") >= before + 9, "{} questions", pair.wrote("AT+CIPACK=") - before);
    assert_eq!(pair.engine.socket_statistics(socket).unwrap().acknowledged, 5000);
}

/// The module still holds unread data, so the socket has not ended. But the connection no longer exists, so the module
/// can't be asked about it.
#[test]
fn a_request_about_a_connection_that_the_peer_has_closed_causes_no_busy_loop() {
    let config = Config::default().receive_mode(ReceiveMode::Manual).receive_window(4096);
    let mut pair = Pair::with(config, Settings::default()).ready();
    let socket = pair.channel_open();
    pair.engine.follow_delivery(socket);
    let answer = format!("\r\n+CIPRXGET: 2,0,1400,5000\r\n{}\r\nOK\r\n", "x".repeat(1400));
    pair.instead_times(2, "AT+CIPRXGET=2,0", answer);
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    pair.inject(b"\r\n0, CLOSED\r\n");
    let timeout = Duration::from_millis(700);
    for request in [Request::Unacknowledged { socket, timeout }, Request::Flush { socket, timeout }] {
        let answer = pair.call(request);
        assert!(matches!(answer, Err(Error::Timeout { after, .. }) if after == timeout), "{answer:?}");
    }
    let ticket = pair.sending(socket, b"hello");
    pair.run_for(Duration::from_secs(1));
    assert!(pair.answered(ticket).is_some_and(|answer| answer.is_err()));
    assert_eq!(pair.wrote("AT+CIPACK"), 0);
}

/// The notification wakes a thread that waits for data.
#[test]
fn a_socket_is_reported_once_when_it_becomes_readable() {
    for mode in [ReceiveMode::Push, ReceiveMode::Manual] {
        let mut pair = Pair::with(Config::default().receive_mode(mode), Settings::default()).ready();
        let socket = pair.channel_open();
        for _ in 0..2 {
            pair.readable.clear();
            for text in [b"one", b"two"] {
                pair.send(socket, text).unwrap();
                pair.run_for(Duration::from_secs(1));
                assert_eq!(
                    pair.readable,
                    [socket],
                    "{mode:?}: reported with the first data, which are unread"
                );
            }
            assert_eq!(pair.read(socket, 6).unwrap(), b"onetwo");
        }
        pair.readable.clear();
        pair.control(Control::PeerClose(0));
        pair.run_for(Duration::from_secs(1));
        assert_eq!(pair.readable, [socket], "{mode:?}: the end");
    }
    // An empty datagram does not make a socket readable.
    let mut pair = Pair::online();
    let (host, port) = (Quotable::host(ECHO.0).unwrap(), ECHO.1);
    let request = Request::Connect { protocol: Protocol::Udp, host, port, timeout: Duration::from_secs(60) };
    assert!(matches!(pair.call(request), Ok(Response::Connected(_))));
    pair.inject(b"\r\n+RECEIVE,0,0:\r\n");
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.readable, []);
}
