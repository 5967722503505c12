//! Queued sends, events of data, and what the peer has acknowledged, in virtual time.

#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

mod pair;

use std::time::Duration;

use air724ug::proto::{Event, Request, Response, SocketId};
use air724ug::sim::{Control, Peer, Settings};
use air724ug::{Config, Error};
use pair::Pair;

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

/// A socket to a peer that takes nothing, so that the module fills up.
fn to_a_deaf_peer(pair: &mut Pair) -> SocketId {
    pair.modem.network_mut().name("deaf.test", [10, 1, 0, 9]).serve(
        "deaf.test",
        7,
        Peer::discard().never_reads(),
    );
    pair.connect("deaf.test", 7).unwrap()
}

#[test]
fn queued_data_go_out_in_order_with_sends() {
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
fn a_full_queue_takes_nothing_and_says_how_much_it_would() {
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
fn queued_data_that_never_went_out_are_reported() {
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
fn a_flush_that_the_peer_never_grants_is_a_time_out_and_floods_nothing() {
    let mut pair = Pair::online();
    let socket = to_a_deaf_peer(&mut pair);
    // More than a deaf peer's buffers take, less than what the module takes.
    let mut sent = 0;
    while unacknowledged(&mut pair, socket) == 0 {
        sent += pair.send(socket, &[7; 1460]).unwrap();
        assert!(sent < 1_000_000);
    }
    let before = pair.written.len();
    let answer = pair.call(Request::Flush { socket, timeout: Duration::from_secs(60) });
    assert!(matches!(answer, Err(Error::Timeout { .. })), "{answer:?}");
    let questions = (pair.written.len() - before) / "AT+CIPACK=0\r\n".len();
    assert!((30..=40).contains(&questions), "{questions}");
}

#[test]
fn a_flush_fails_with_its_socket() {
    let mut pair = Pair::online();
    let socket = to_a_deaf_peer(&mut pair);
    pair.send(socket, &[7; 8_000]).unwrap();
    let ticket = pair.ask(Request::Flush { socket, timeout: LONG });
    pair.control(Control::PdpLost);
    let answer = pair.answer(ticket);
    assert!(matches!(answer, Err(Error::Closed(_)) | Ok(Response::Done)), "{answer:?}");
}
