//! Connections while all channels are in use. A connection waits for a channel that is being released.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::Pair;
use air724ug::error::{CloseReason, InUse};
use air724ug::proto::{Event, Request, Response, SocketId, Ticket};
use air724ug::sim::{Control, Settings};
use air724ug::{Config, Error};

const LONG: Duration = Duration::from_secs(300);
/// The time-out of a connection whose channel is never released.
const SHORT: Duration = Duration::from_secs(7);

/// The time that the module takes to close.
const CLOSE: Duration = Duration::from_secs(2);

/// A modem whose module takes two seconds to close.
fn online() -> Pair {
    let latencies = vec![("+CIPCLOSE".to_owned(), CLOSE)];
    Pair::with(Config::default(), Settings::default().latencies(latencies)).ready()
}

/// A modem without a free channel.
fn full() -> (Pair, Vec<SocketId>) {
    let mut pair = online();
    let sockets = (0..8).map(|_| pair.channel_open()).collect();
    (pair, sockets)
}

/// Drops a socket: no call waits for its close.
fn forget(pair: &mut Pair, socket: SocketId) {
    pair.call(Request::Forget { socket }).unwrap();
}

/// A modem whose first socket is dropped, and whose answers to the close are lost.
fn never_released() -> (Pair, Vec<SocketId>) {
    let (mut pair, sockets) = full();
    pair.instead_times(100, "AT+CIPCLOSE", "");
    forget(&mut pair, sockets[0]);
    (pair, sockets)
}

fn connecting(pair: &mut Pair, timeout: Duration) -> Ticket {
    pair.connecting("echo.test", 7, timeout)
}

/// Checks that the connection is made on this channel and carries data.
#[track_caller]
fn connects(pair: &mut Pair, ticket: Ticket, like: SocketId) {
    let answer = pair.answer(ticket);
    let Ok(Response::Connected(socket)) = answer else { panic!("{answer:?}, {}", pair.story()) };
    assert_eq!(socket.channel(), like.channel());
    assert_eq!(pair.send(socket, b"hello").unwrap(), 5);
    assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
}

#[test]
fn a_connection_waits_for_the_channel_of_a_socket_that_was_dropped() {
    let (mut pair, sockets) = full();
    forget(&mut pair, sockets[5]);
    let began = pair.now;
    let ticket = connecting(&mut pair, LONG);
    connects(&mut pair, ticket, sockets[5]);
    assert!(pair.now >= began + CLOSE);
}

#[test]
fn a_connection_waits_for_the_channel_of_a_socket_that_is_being_closed() {
    let (mut pair, sockets) = full();
    let close = pair.ask(Request::Close { socket: sockets[2], timeout: LONG });
    let ticket = connecting(&mut pair, LONG);
    assert!(pair.answered(close).is_none(), "the close is outstanding");
    connects(&mut pair, ticket, sockets[2]);
    assert!(matches!(pair.answer(close), Ok(Response::Closed)));
}

#[test]
fn a_connection_waits_for_the_channel_of_an_abandoned_one() {
    let mut pair = online();
    for _ in 0..7 {
        pair.channel_open();
    }
    pair.instead("AT+CIPSTART", "");
    let late = connecting(&mut pair, SHORT);
    assert!(pair.answer(late).is_err());
    let ticket = connecting(&mut pair, LONG);
    assert!(pair.answered(ticket).is_none(), "AT+CIPSTART is still in flight");
    assert!(matches!(pair.answer(ticket), Ok(Response::Connected(_))), "{}", pair.story());
}

#[test]
fn no_connection_waits_for_an_ended_socket_with_a_handle() {
    let (mut pair, sockets) = full();
    pair.control(Control::PeerClose(0));
    pair.run_until(|pair| pair.saw(|event| matches!(event, Event::Closed(_, Some(CloseReason::Peer)))));
    let ticket = connecting(&mut pair, LONG);
    assert!(matches!(pair.answered(ticket), Some(Err(Error::NoFreeChannel))));
    pair.run_for(CLOSE);
    forget(&mut pair, sockets[0]);
    let ticket = connecting(&mut pair, LONG);
    connects(&mut pair, ticket, sockets[0]);
}

#[test]
fn one_connection_waits_for_each_channel_that_is_being_released() {
    let (mut pair, sockets) = never_released();
    forget(&mut pair, sockets[1]);
    let first = connecting(&mut pair, LONG);
    let second = connecting(&mut pair, LONG);
    let third = connecting(&mut pair, LONG);
    assert!(matches!(pair.answered(third), Some(Err(Error::NoFreeChannel))), "at once");
    assert!(pair.answered(first).is_none() && pair.answered(second).is_none());
    pair.heal();
    for ticket in [first, second] {
        assert!(matches!(pair.answer(ticket), Ok(Response::Connected(_))), "{}", pair.story());
    }
}

#[test]
fn connections_get_channels_in_the_order_of_their_requests() {
    let (mut pair, sockets) = full();
    pair.instead_times(100, "AT+CIPCLOSE=6", "");
    forget(&mut pair, sockets[6]);
    forget(&mut pair, sockets[4]);
    let first = connecting(&mut pair, LONG);
    let second = connecting(&mut pair, LONG);
    connects(&mut pair, first, sockets[4]);
    assert!(pair.answered(second).is_none(), "the channel is not free yet");
    // A later request does not get a channel before an earlier one.
    forget(&mut pair, sockets[1]);
    let third = connecting(&mut pair, LONG);
    connects(&mut pair, second, sockets[1]);
    assert!(pair.answered(third).is_none());
    pair.heal();
    connects(&mut pair, third, sockets[6]);
}

#[test]
fn a_connection_without_a_channel_times_out_and_is_never_begun() {
    let (mut pair, sockets) = never_released();
    let ticket = connecting(&mut pair, SHORT);
    let begun = pair.now;
    let answer = pair.answer(ticket);
    let Err(Error::Timeout { command, after, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!((&*command, after), ("connect", SHORT));
    assert_eq!(pair.now, begun + SHORT);
    assert_eq!(pair.engine.statistics().failed, 1);
    pair.heal();
    pair.run_for(LONG);
    assert_eq!(pair.wrote("AT+CIPSTART"), 8, "{}", pair.story());
    let ticket = connecting(&mut pair, LONG);
    connects(&mut pair, ticket, sockets[0]);
}

#[test]
fn a_failed_release_is_repeated_and_the_connection_waits() {
    let (mut pair, sockets) = full();
    pair.instead("AT+CIPCLOSE", "");
    forget(&mut pair, sockets[3]);
    let ticket = connecting(&mut pair, LONG);
    connects(&mut pair, ticket, sockets[3]);
    assert_eq!(pair.wrote("AT+CIPCLOSE"), 2);
}

#[test]
fn a_refused_release_is_repeated_and_the_connection_waits() {
    let (mut pair, sockets) = full();
    pair.instead("AT+CIPCLOSE", "\r\nERROR\r\n");
    forget(&mut pair, sockets[3]);
    let ticket = connecting(&mut pair, LONG);
    connects(&mut pair, ticket, sockets[3]);
    assert_eq!((pair.wrote("AT+CIPCLOSE"), pair.wrote("AT+CIPSTART")), (2, 9));
}

/// The module refuses the next close of the channel and keeps it, but its status says that the channel is free.
fn is_kept_in_silence(pair: &mut Pair, channel: usize) {
    pair.instead(&format!("AT+CIPCLOSE={channel}"), "\r\nERROR\r\n");
    let rows: String = (0..8).map(|n| format!("\r\nC: {n},,\"\",\"\",\"\",\"INITIAL\"\r\n")).collect();
    pair.instead("AT+CIPSTATUS", format!("\r\nOK\r\n\r\nSTATE: IP PROCESSING\r\n{rows}"));
}

/// The connection finds the channel in use, and there is no other.
#[test]
fn a_connection_that_finds_its_channel_in_use_waits_for_its_release() {
    let (mut pair, sockets) = full();
    is_kept_in_silence(&mut pair, 3);
    forget(&mut pair, sockets[3]);
    let ticket = connecting(&mut pair, LONG);
    connects(&mut pair, ticket, sockets[3]);
    assert_eq!((pair.wrote("AT+CIPCLOSE"), pair.wrote("AT+CIPSTART")), (2, 10));
}

#[test]
fn no_connection_overtakes_one_that_found_its_channel_in_use() {
    let (mut pair, sockets) = full();
    is_kept_in_silence(&mut pair, 3);
    pair.instead_times(100, "AT+CIPCLOSE=5", "");
    forget(&mut pair, sockets[3]);
    forget(&mut pair, sockets[5]);
    let first = connecting(&mut pair, LONG);
    let second = connecting(&mut pair, LONG);
    connects(&mut pair, first, sockets[3]);
    assert!(pair.answered(second).is_none());
    pair.heal();
    connects(&mut pair, second, sockets[5]);
}

/// Ended sockets with a handle also occupy channels. A channel without a handle reports `CONNECT OK` by mistake, and
/// has to be closed first.
#[test]
fn a_connection_that_waits_without_a_network_reports_the_missing_network() {
    let (mut pair, sockets) = full();
    pair.control(Control::NetworkDown);
    pair.control(Control::PdpLost);
    pair.run_for(Duration::from_secs(1));
    assert!(!pair.engine.is_ready());
    forget(&mut pair, sockets[0]);
    pair.inject(b"\r\n0, CONNECT OK\r\n");
    let ticket = connecting(&mut pair, SHORT);
    let next = connecting(&mut pair, SHORT);
    assert!(matches!(pair.answered(next), Some(Err(Error::NoFreeChannel))));
    let answer = pair.answer(ticket);
    assert!(matches!(answer, Err(Error::NotReady(_))), "{answer:?}");
}

#[test]
fn the_wait_for_a_channel_ends_with_the_port_the_bearer_or_a_restart() {
    let (mut pair, _) = never_released();
    let ticket = connecting(&mut pair, LONG);
    pair.pull_out();
    let answer = pair.answered(ticket);
    assert!(matches!(answer, Some(Err(Error::PortLost(_)))), "{answer:?}");

    let (mut pair, _) = never_released();
    let ticket = connecting(&mut pair, LONG);
    pair.inject(b"\r\n+PDP: DEACT\r\n");
    let answer = pair.answer(ticket);
    assert!(matches!(answer, Err(Error::Closed(CloseReason::BearerLost))), "{answer:?}");

    let (mut pair, _) = never_released();
    let ticket = connecting(&mut pair, LONG);
    pair.control(Control::Reset);
    let answer = pair.answer(ticket);
    assert!(matches!(answer, Err(Error::ModemRestarted)), "{answer:?}");
    pair.heal();
    assert!(matches!(pair.call(Request::WaitReady { timeout: LONG }), Ok(Response::Ready)));
    pair.channel_open();
    assert_eq!(pair.waiting(), 0);
}

#[test]
fn a_waiting_connection_counts_as_a_socket_for_a_stream() {
    let (mut pair, sockets) = full();
    pair.instead_times(100, "AT+CIPCLOSE", "");
    for socket in sockets {
        forget(&mut pair, socket);
    }
    let ticket = connecting(&mut pair, LONG);
    let dial = pair.dialling("echo.test", 7, LONG);
    assert!(matches!(pair.answered(dial), Some(Err(Error::InUse(InUse::Sockets)))));
    pair.heal();
    assert!(matches!(pair.answer(ticket), Ok(Response::Connected(_))), "{}", pair.story());
}
