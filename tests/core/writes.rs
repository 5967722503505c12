//! Writes as to a `TcpStream`: joined and bounded, with errors that the next call reports. In virtual time.

#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::io::{self, Write};
use std::time::Duration;

use crate::support::pair::Pair;
use air724ug::proto::{Event, Joining, Request, Response, SocketId};
use air724ug::sim::{Control, Peer, Settings};
use air724ug::{CloseReason, Config, Error, ReceiveMode};

const LONG: Duration = Duration::from_secs(120);
const MODES: [ReceiveMode; 2] = [ReceiveMode::Push, ReceiveMode::Manual];
/// The most bytes that wait.
const BUFFER: usize = 16 * 1024;

/// An implementation of `Write` on a socket in virtual time.
struct Pen<'a> {
    pair: &'a mut Pair,
    socket: SocketId,
}

impl Write for Pen<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self.pair.write(self.socket, buf)? {
            Some(taken) => Ok(taken),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(flush(self.pair, self.socket).map(drop)?)
    }
}

fn flush(pair: &mut Pair, socket: SocketId) -> Result<Response, Error> {
    pair.call(Request::Drain { socket, timeout: LONG })
}

fn to(pair: &mut Pair, host: &str, peer: Peer) -> SocketId {
    pair.modem.network_mut().serve(host, 7, peer);
    pair.connect(host, 7).unwrap()
}

/// A modem on a slow line, so that a write comes during an earlier send.
fn online(config: Config) -> Pair {
    let settings = Settings::default().baud(Some(115_200)).latency(Duration::from_millis(5));
    let mut pair = Pair::with(config, settings).ready();
    pair.written.clear();
    pair
}

fn sends(pair: &Pair) -> usize {
    pair.wrote("AT+CIPSEND=")
}

/// The bytes that the peer of the last connection has received.
fn received(pair: &mut Pair) -> Vec<u8> {
    let network = pair.modem.network_mut();
    let link = network.last_link().unwrap();
    network.received(link).to_vec()
}

#[test]
fn a_formatted_write_of_two_arguments_is_at_most_two_sends() {
    for mode in MODES {
        let mut pair = online(Config::default().receive_mode(mode));
        let socket = pair.channel_open();
        let mut pen = Pen { pair: &mut pair, socket };
        let (path, host) = ("/index.html", "example.com");
        write!(pen, "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        pen.flush().unwrap();
        assert!(sends(&pair) <= 2, "{} sends", sends(&pair));
        let wanted = b"GET /index.html HTTP/1.1\r\nHost: example.com\r\n\r\n";
        assert_eq!(pair.read(socket, wanted.len()).unwrap(), wanted);
    }
}

#[test]
fn a_flight_of_a_handshake_and_the_next_request_are_at_most_two_sends() {
    let mut pair = online(Config::default());
    let socket = pair.channel_open();
    // The records of a TLS 1.3 client after the server's flight: change cipher spec, finished, application data.
    let (change, finished, request) = ([1; 6], [2; 74], [3; 120]);
    assert_eq!(pair.write_as(socket, &[&change, &finished], Joining::Joined).unwrap(), Some(80));
    assert_eq!(pair.write(socket, &request).unwrap(), Some(120));
    flush(&mut pair, socket).unwrap();
    assert_eq!(sends(&pair), 2);
    assert_eq!(pair.read(socket, 200).unwrap(), [&change[..], &finished, &request].concat());
}

#[test]
fn the_first_write_goes_out_at_once() {
    let mut pair = online(Config::default());
    let socket = pair.channel_open();
    pair.written.clear();
    pair.write(socket, b"now").unwrap();
    assert!(pair.written.starts_with(b"AT+CIPSEND="), "{:?}", pair.written);
}

#[test]
fn writes_that_are_kept_apart_are_not_joined() {
    let mut pair = online(Config::default());
    let socket = pair.channel_open();
    for _ in 0..5 {
        assert_eq!(pair.write_as(socket, &[b"abc"], Joining::Apart).unwrap(), Some(3));
    }
    flush(&mut pair, socket).unwrap();
    assert_eq!(sends(&pair), 5);
    assert_eq!(pair.read(socket, 15).unwrap(), b"abcabcabcabcabc");
}

#[test]
fn writes_and_sends_keep_their_order() {
    let mut pair = online(Config::default());
    let socket = pair.channel_open();
    pair.write(socket, b"one ").unwrap();
    let ticket = pair.sending(socket, b"two ");
    pair.write(socket, b"three ").unwrap();
    pair.write(socket, b"four ").unwrap();
    pair.call(Request::Queue { socket, data: b"five".to_vec() }).unwrap();
    pair.answer(ticket).unwrap();
    assert_eq!(pair.read(socket, 23).unwrap(), b"one two three four five");
    assert_eq!(sends(&pair), 4, "the writes `three` and `four` are one send");
}

#[test]
fn the_buffer_is_bounded_and_the_writer_is_woken_when_half_of_it_is_free() {
    let mut pair = online(Config::default());
    let socket = to(&mut pair, "deaf.test", Peer::discard().never_reads());
    let mut taken = 0;
    while let Some(count) = pair.write(socket, &[7; 1000]).unwrap() {
        taken += count;
    }
    assert_eq!(taken, BUFFER);
    assert_eq!(pair.engine.queued(socket), BUFFER);
    assert!(pair.writable.is_empty());
    pair.run_until(|pair| !pair.writable.is_empty());
    assert!(pair.engine.queued(socket) <= BUFFER / 2);
    let room = BUFFER - pair.engine.queued(socket);
    assert_eq!(pair.write(socket, &[7; BUFFER]).unwrap(), Some(room));
}

#[test]
fn the_data_of_a_fast_writer_are_sent_in_full_pieces() {
    let mut pair = online(Config::default());
    let socket = to(&mut pair, "discard.test", Peer::discard());
    let data: Vec<u8> = (0..100_000u32).map(|at| (at % 251) as u8).collect();
    let mut rest = &data[..];
    while !rest.is_empty() {
        match pair.write(socket, rest).unwrap() {
            Some(count) => rest = &rest[count..],
            None => pair.run_until(|pair| !std::mem::take(&mut pair.writable).is_empty()),
        }
    }
    flush(&mut pair, socket).unwrap();
    assert!(received(&mut pair) == data);
    // 69 full pieces, and some that end early where payload would look like a command.
    assert!(sends(&pair) <= 72, "{} sends", sends(&pair));
}

#[test]
fn a_flush_waits_only_for_data_that_were_written_before_it() {
    let mut pair = online(Config::default());
    let socket = pair.channel_open();
    pair.write(socket, b"first").unwrap();
    let flushing = pair.ask(Request::Drain { socket, timeout: LONG });
    pair.write(socket, b"behind").unwrap();
    pair.answer(flushing).unwrap();
    assert_eq!(pair.engine.queued(socket), 6, "later data still wait");
    flush(&mut pair, socket).unwrap();
    assert!(pair.engine.is_flushed(socket).unwrap());
    assert_eq!(pair.read(socket, 11).unwrap(), b"firstbehind");
}

#[test]
fn an_error_is_returned_once_by_the_next_call_and_by_every_call_that_needs_the_connection() {
    for call in 0..5 {
        let mut pair = online(Config::default());
        let socket = to(&mut pair, "deaf.test", Peer::discard().never_reads());
        while pair.write(socket, &[7; 1460]).unwrap().is_some() {}
        pair.control(Control::PdpLost);
        pair.run_until(|pair| pair.saw(|event| matches!(event, Event::Closed(..))));
        assert!(pair.saw(|event| matches!(event, Event::Unsent(_, 1..))));
        let error = match call {
            0 => pair.write(socket, b"x").map(drop),
            1 => flush(&mut pair, socket).map(drop),
            2 => pair.send(socket, b"x").map(drop),
            3 => pair.close(socket).map(drop),
            _ => pair.engine.take_error(socket).map_or(Ok(()), Err),
        };
        assert!(matches!(error, Err(Error::Closed(CloseReason::BearerLost))), "{call}: {error:?}");
        assert!(pair.engine.take_error(socket).is_none(), "the error was reported already");
        if call != 3 {
            assert!(pair.write(socket, b"x").is_err());
            assert!(matches!(pair.close(socket), Ok(Response::Closed)), "the error was reported already");
        }
    }
}

#[test]
fn data_received_before_the_peers_close_can_be_read_after_lost_writes() {
    for mode in MODES {
        let mut pair = online(Config::default().receive_mode(mode));
        // The peer answers the first bytes and closes.
        let peer = Peer::discard().greeting([b'a'; 50]).close_when_sent();
        let socket = to(&mut pair, "early.test", peer);
        pair.run_for(Duration::from_secs(5));
        assert!(!pair.engine.is_open(socket));
        // The program writes before it reads.
        for _ in 0..3 {
            assert_eq!(pair.write(socket, &[b'b'; 100]).unwrap(), Some(100), "{mode:?}");
        }
        let lost = flush(&mut pair, socket);
        assert!(matches!(lost, Err(Error::Closed(CloseReason::Peer))), "{mode:?}: {lost:?}");
        assert_eq!(pair.read(socket, 50).unwrap(), [b'a'; 50]);
        let (rest, end) = pair.read_to_end(socket);
        assert!(rest.is_empty() && matches!(end, Error::Closed(CloseReason::Peer)), "{end:?}");
        let error = pair.write(socket, b"x");
        assert!(matches!(error, Err(Error::Closed(CloseReason::Peer))), "{mode:?}: {error:?}");
    }
}

#[test]
fn a_writer_that_never_reads_gets_the_error_of_the_peers_close() {
    let mut pair = online(Config::default());
    let socket = to(&mut pair, "early.test", Peer::discard().greeting("hello").close_when_sent());
    pair.run_for(Duration::from_secs(5));
    let mut taken = 0;
    let error = loop {
        match pair.write(socket, &[7; 1000]) {
            Ok(count) => taken += count.unwrap(),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Closed(CloseReason::Peer)));
    assert_eq!(taken, BUFFER);
    assert_eq!(pair.engine.socket_statistics(socket).unwrap().unsent, BUFFER as u64);
}

#[test]
fn a_close_waits_until_earlier_writes_are_sent() {
    for mode in MODES {
        let mut pair = online(Config::default().receive_mode(mode));
        let socket = to(&mut pair, "discard.test", Peer::discard());
        assert_eq!(pair.write(socket, &[7; BUFFER]).unwrap(), Some(BUFFER));
        let closing = pair.ask(Request::Close { socket, timeout: LONG });
        assert!(pair.write(socket, b"late").is_err(), "the socket is closed for every handle");
        assert!(pair.engine.read(pair.now, socket, &mut [0; 8]).is_err());
        assert!(!pair.engine.is_open(socket));
        assert!(matches!(pair.answer(closing), Ok(Response::Closed)));
        assert!(received(&mut pair) == [7; BUFFER]);
    }
}

#[test]
fn a_wait_for_data_that_a_close_discards_is_an_error() {
    for mode in MODES {
        let mut pair = online(Config::default().receive_mode(mode));
        let socket = to(&mut pair, "discard.test", Peer::discard());
        pair.write(socket, &[7; 5000]).unwrap();
        let written = pair.ask(Request::Drain { socket, timeout: LONG });
        pair.call(Request::Queue { socket, data: b"queued".to_vec() }).unwrap();
        let queued = pair.ask(Request::Drain { socket, timeout: LONG });
        pair.close(socket).unwrap();
        assert!(matches!(pair.answer(written), Ok(Response::Done)));
        let answer = pair.answer(queued);
        assert!(matches!(answer, Err(Error::Closed(CloseReason::Local))), "{answer:?}");
        assert_eq!(received(&mut pair), [7; 5000]);
    }
}

#[test]
fn a_wait_for_data_queued_at_the_peers_close_is_an_error() {
    for mode in MODES {
        let mut pair = online(Config::default().receive_mode(mode));
        let socket = to(&mut pair, "discard.test", Peer::discard());
        pair.call(Request::Queue { socket, data: vec![7; 5000] }).unwrap();
        pair.control(Control::PeerClose(0));
        pair.run_until(|pair| pair.saw(|event| matches!(event, Event::Unsent(..))));
        let answer = flush(&mut pair, socket);
        assert!(matches!(answer, Err(Error::Closed(CloseReason::Peer))), "{mode:?} {answer:?}");
    }
}

#[test]
fn writes_before_the_drop_of_a_handle_are_sent_and_the_channel_is_released() {
    let mut pair = online(Config::default());
    let sockets: Vec<_> = (0..8).map(|_| to(&mut pair, "discard.test", Peer::discard())).collect();
    for socket in &sockets {
        pair.write(*socket, &[7; 5000]).unwrap();
    }
    for socket in sockets {
        pair.call(Request::Forget { socket }).unwrap();
    }
    assert!(pair.engine.is_leaving());
    pair.call(Request::WaitLeft { timeout: LONG }).unwrap();
    assert!(!pair.engine.is_leaving());
    let network = pair.modem.network_mut();
    let counts: Vec<_> = network.links().map(|(link, _)| link).collect();
    assert!(counts.iter().all(|link| network.received_count(*link) == 5000));
    // The ninth connection waits until a channel is released.
    pair.channel_open();
}

#[test]
fn a_connection_waits_for_the_channel_of_a_dropped_socket_that_still_sends() {
    let mut pair = online(Config::default());
    let sockets: Vec<_> = (0..8).map(|_| to(&mut pair, "discard.test", Peer::discard())).collect();
    pair.write(sockets[3], &[7; 5000]).unwrap();
    pair.call(Request::Forget { socket: sockets[3] }).unwrap();
    pair.channel_open();
}

/// A socket whose peer does not read, with the buffers of peer, module and driver full.
fn full(mode: ReceiveMode) -> (Pair, SocketId) {
    let mut pair = online(Config::default().receive_mode(mode));
    let socket = to(&mut pair, "deaf.test", Peer::discard().never_reads());
    for _ in 0..100 {
        while pair.write(socket, &[7; 1460]).unwrap().is_some() {}
        pair.run_for(Duration::from_secs(1));
    }
    (pair, socket)
}

#[test]
fn a_close_whose_data_can_not_be_sent_times_out() {
    for mode in MODES {
        let (mut pair, socket) = full(mode);
        let began = pair.now;
        let closed = pair.close(socket);
        assert!(matches!(closed, Err(Error::Timeout { .. })), "{closed:?}");
        assert!(pair.now - began < Duration::from_secs(35), "{:?}", pair.now - began);
        pair.channel_open();
    }
}

/// Regression: without an answer to the close command, the error named 30 s although the caller had waited longer.
#[test]
fn the_timeout_of_a_close_names_the_time_that_its_caller_has_waited() {
    for mode in MODES {
        let (mut pair, socket) = full(mode);
        pair.instead("AT+CIPCLOSE", "");
        let hasty = pair.ask(Request::Close { socket, timeout: Duration::from_secs(4) });
        pair.run_for(Duration::from_secs(5));
        let began = pair.now;
        assert!(matches!(pair.answered(hasty), Some(Err(Error::Timeout { .. }))));
        let closed = pair.close(socket);
        let waited = pair.now - began;
        assert!(
            matches!(closed, Err(Error::Timeout { after, .. }) if after == waited),
            "{closed:?} {waited:?}"
        );
        pair.channel_open();
    }
}

#[test]
fn data_received_during_a_close_are_discarded_without_an_error() {
    let config = Config::default().receive_window(4_096);
    let mut pair = online(config);
    let socket = to(&mut pair, "source.test", Peer::discard());
    pair.write(socket, &[7; BUFFER]).unwrap();
    let closing = pair.ask(Request::Close { socket, timeout: LONG });
    for _ in 0..20 {
        let link = pair.modem.network_mut().last_link().unwrap();
        pair.modem.network_mut().push(link, &[9; 1000]);
    }
    assert!(matches!(pair.answer(closing), Ok(Response::Closed)));
    assert!(pair.saw(|event| matches!(event, Event::Closed(_, Some(CloseReason::Local)))));
    assert!(received(&mut pair) == [7; BUFFER]);
}

#[test]
fn a_send_whose_result_is_lost_keeps_the_data_joined_to_it() {
    let mut pair = online(Config::default());
    let socket = pair.channel_open();
    pair.control(Control::fault(air724ug::sim::fault::LostAnswer { command: 0 }));
    pair.write(socket, b"one ").unwrap();
    for word in [&b"two "[..], b"three "] {
        pair.write(socket, word).unwrap();
    }
    flush(&mut pair, socket).unwrap();
    assert_eq!(pair.read(socket, 14).unwrap(), b"one two three ");
}

#[test]
fn a_wait_for_written_data_ends_with_the_port() {
    for is_away in [true, false] {
        let mut pair = online(Config::default());
        let socket = to(&mut pair, "deaf.test", Peer::discard().never_reads());
        while pair.write(socket, &[7; 1460]).unwrap().is_some() {}
        pair.call(Request::Forget { socket }).unwrap();
        let waiting = pair.ask(Request::WaitLeft { timeout: LONG });
        assert!(pair.engine.is_leaving() && pair.answered(waiting).is_none());
        if is_away {
            pair.unplug();
        } else {
            pair.pull_out();
        }
        assert!(pair.answered(waiting).is_some_and(|answer| answer.is_ok()), "expected back: {is_away}");
        assert!(!pair.engine.is_leaving());
    }
}

/// Writes until the buffer is full.
fn fill(pair: &mut Pair, socket: SocketId) {
    while pair.write(socket, &[7; 1460]).unwrap().is_some() {}
    assert!(pair.writable.is_empty());
}

#[test]
fn a_writer_that_waits_after_many_short_sends_is_woken() {
    let mut pair = online(Config::default());
    let socket = to(&mut pair, "discard.test", Peer::discard());
    for _ in 0..300 {
        pair.call(Request::Queue { socket, data: b"x".to_vec() }).unwrap();
    }
    assert_eq!(pair.write(socket, b"behind").unwrap(), None);
    assert!(pair.writable.is_empty());
    pair.run_until(|pair| !pair.writable.is_empty());
    assert_eq!(pair.write(socket, b"behind").unwrap(), Some(6));
}

#[test]
fn a_writer_that_waits_after_sends_that_time_out_is_woken() {
    let mut pair = online(Config::default());
    let socket = to(&mut pair, "deaf.test", Peer::discard().never_reads());
    let timeout = Duration::from_secs(2);
    let sends: Vec<_> =
        (0..300).map(|_| pair.ask(Request::Send { socket, data: vec![7; 10_000], timeout })).collect();
    assert_eq!(pair.write(socket, b"behind").unwrap(), None);
    pair.run_for(2 * timeout);
    assert!(sends.iter().all(|send| pair.answered(*send).is_some()));
    assert!(!pair.writable.is_empty());
}

#[test]
fn a_waiting_writer_is_woken_at_once_when_another_handle_closes_the_socket() {
    let mut pair = online(Config::default());
    let socket = to(&mut pair, "deaf.test", Peer::discard().never_reads());
    fill(&mut pair, socket);
    pair.ask(Request::Close { socket, timeout: LONG });
    assert_eq!(pair.writable, [socket]);
    assert!(matches!(pair.write(socket, b"x"), Err(Error::Closed(CloseReason::Local))));
}

#[test]
fn a_waiting_writer_is_woken_by_the_peers_close_while_data_are_unread() {
    for mode in MODES {
        let mut pair = online(Config::default().receive_mode(mode).receive_window(4_096));
        let peer = Peer::discard().never_reads().greeting([b'a'; 4_000]);
        let socket = to(&mut pair, "full.test", peer);
        pair.run_for(Duration::from_secs(2));
        fill(&mut pair, socket);
        let link = pair.modem.network_mut().last_link().unwrap();
        pair.modem.network_mut().push(link, &[b'b'; 100]);
        pair.modem.network_mut().close_by_peer(link);
        pair.run_for(Duration::from_secs(10));
        assert!(!pair.writable.is_empty(), "{mode:?}");
    }
}
