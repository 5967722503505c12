//! Requests that are cancelled before they are answered, in virtual time.

#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::proto::{Request, Response, SocketId, Ticket};
use air724ug::sim::{Peer, Settings};
use air724ug::{CloseReason, Config, Error, NotReady};

const LONG: Duration = Duration::from_secs(120);

/// A modem on a slow line, so that a request can be cancelled at every stage.
fn online() -> Pair {
    let settings = Settings::default().baud(Some(115_200)).latency(Duration::from_millis(5));
    let mut pair = Pair::with(Config::default(), settings).ready();
    pair.modem.network_mut().serve("silent.test", 1, Peer::silent());
    pair
}

#[track_caller]
fn cancelled(pair: &mut Pair, ticket: Ticket) {
    assert!(matches!(pair.call(Request::Cancel { ticket }), Ok(Response::Done)));
    let answer = pair.answered(ticket);
    assert!(matches!(answer, Some(Err(Error::Closed(CloseReason::Local)))), "{answer:?}");
}

#[track_caller]
fn all_channels_are_free(pair: &mut Pair) {
    let sockets: Vec<SocketId> = (0..8).map(|_| pair.connect(ECHO.0, ECHO.1).unwrap()).collect();
    for socket in sockets {
        pair.send(socket, b"hello").unwrap();
        assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
    }
}

#[test]
fn a_connection_cancelled_at_any_moment_frees_its_channel() {
    for host in [ECHO, ("silent.test", 1)] {
        for after in (0..400).step_by(5) {
            let mut pair = online();
            let ticket = pair.connecting(host.0, host.1, LONG);
            pair.run_for(Duration::from_millis(after));
            if let Some(answer) = pair.answered(ticket) {
                assert!(host == ECHO && matches!(answer, Ok(Response::Connected(_))), "{answer:?}");
                break;
            }
            cancelled(&mut pair, ticket);
            pair.run_for(Duration::from_secs(100));
            all_channels_are_free(&mut pair);
        }
    }
}

#[test]
fn a_connection_that_waits_for_a_channel_is_cancelled_alone() {
    let mut pair = online();
    let first: Vec<SocketId> = (0..8).map(|_| pair.connect(ECHO.0, ECHO.1).unwrap()).collect();
    for socket in &first[..2] {
        pair.ask(Request::Forget { socket: *socket });
    }
    let waits = [0, 1].map(|_| pair.connecting(ECHO.0, ECHO.1, LONG));
    cancelled(&mut pair, waits[0]);
    let socket = match pair.answer(waits[1]) {
        Ok(Response::Connected(socket)) => socket,
        other => panic!("{other:?}"),
    };
    pair.send(socket, b"hello").unwrap();
    assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
}

#[test]
fn a_wait_for_readiness_is_cancelled_alone() {
    let mut pair = Pair::with(Config::default(), Settings::default().baud(Some(115_200)));
    let waits = [0, 1].map(|_| pair.ask(Request::WaitReady { timeout: LONG }));
    cancelled(&mut pair, waits[0]);
    assert!(matches!(pair.answer(waits[1]), Ok(Response::Ready)));
}

#[test]
fn a_request_that_waits_for_the_port_is_cancelled() {
    let mut pair = online();
    pair.unplug();
    let tickets = [pair.connecting(ECHO.0, ECHO.1, LONG), pair.ask(Request::WaitReady { timeout: LONG })];
    for ticket in tickets {
        cancelled(&mut pair, ticket);
    }
    assert!(matches!(pair.engine.not_ready(), Some(NotReady::NoPort)));
}

#[test]
fn other_requests_are_not_cancelled() {
    let mut pair = online();
    let socket = pair.connect(ECHO.0, ECHO.1).unwrap();
    let ticket = pair.sending(socket, b"hello");
    assert!(matches!(pair.call(Request::Cancel { ticket }), Ok(Response::Done)));
    assert!(matches!(pair.answer(ticket), Ok(Response::Sent { accepted: 5, .. })));
    assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
    // A cancel of a request that was answered, or that never existed, is a success.
    assert!(matches!(pair.call(Request::Cancel { ticket }), Ok(Response::Done)));
    assert!(matches!(pair.call(Request::Cancel { ticket: Ticket(0) }), Ok(Response::Done)));
}
