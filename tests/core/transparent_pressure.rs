//! A peer that does not read, on a line with RTS/CTS: the modem stops the host, a transparent stream waits, and no byte
//! is lost.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::{ECHO, PORT_BUFFER, Pair};
use air724ug::proto::{Request, Response, SocketId};
use air724ug::sim::{Link, Peer, Settings};
use air724ug::{CloseReason, Config, Error, FlowControl};

/// A stream to a peer that does not read, on a line with flow control.
fn to_a_deaf_peer(settings: Settings) -> (Pair, SocketId, Link) {
    let config = Config::default().flow_control(FlowControl::RtsCts);
    let mut pair = Pair::with(config, settings.uart_buffer(Some(256))).ready();
    pair.modem.network_mut().serve("deaf.test", 1, Peer::discard().never_reads());
    let stream = pair.dial("deaf.test", 1).unwrap();
    let link = pair.modem.network_mut().last_link().unwrap();
    (pair, stream, link)
}

fn data(len: u64) -> Vec<u8> {
    (0..len).map(Peer::source_byte).collect()
}

fn send(pair: &mut Pair, stream: SocketId, data: &[u8], secs: u64) -> Result<usize, Error> {
    let timeout = Duration::from_secs(secs);
    match pair.call(Request::Send { socket: stream, data: data.to_vec(), timeout })? {
        Response::Sent { accepted, .. } => Ok(accepted),
        other => panic!("{other:?}"),
    }
}

#[test]
fn data_for_a_slow_peer_wait_and_arrive_in_order() {
    for baud in [None, Some(921_600)] {
        let (mut pair, stream, link) = to_a_deaf_peer(Settings::default().baud(baud));
        let data = data(600_000);
        let sent = pair.sending(stream, &data);
        pair.run_for(Duration::from_secs(30));
        assert!(pair.answered(sent).is_none(), "the peer can't have received all data");
        assert!(pair.held_back() > 0, "the modem does not stop the host");
        assert!(
            pair.written.len() < 500_000,
            "{} bytes written to a peer that does not read",
            pair.written.len()
        );
        assert!(pair.modem.network().received(link).is_empty());
        pair.modem.network_mut().set_reading(link, true);
        pair.run_for(Duration::ZERO);
        let answer = pair.answer(sent);
        assert!(matches!(answer, Ok(Response::Sent { accepted: 600_000, .. })), "{answer:?}");
        pair.run_for(Duration::from_secs(2));
        assert_eq!(pair.held_back(), 0);
        assert!(pair.modem.network().received(link) == data, "a byte is lost or out of order");
        pair.escape(stream).unwrap();
        pair.resume(stream).unwrap();
    }
}

#[test]
fn a_write_to_a_peer_that_never_reads_reports_the_accepted_bytes_and_then_times_out() {
    let (mut pair, stream, link) = to_a_deaf_peer(Settings::default());
    let data = data(600_000);
    let accepted = send(&mut pair, stream, &data, 5).unwrap();
    assert!(0 < accepted && accepted < data.len(), "{accepted}");
    let error = send(&mut pair, stream, b"more", 5).unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    pair.modem.network_mut().set_reading(link, true);
    pair.run_for(Duration::ZERO);
    pair.run_for(Duration::from_secs(2));
    let received = pair.modem.network().received(link);
    assert_eq!(received.len(), accepted, "the peer received more or less than was accepted");
    assert!(received == &data[..accepted]);
    assert_eq!(send(&mut pair, stream, b"again", 5).unwrap(), 5);
    pair.run_for(Duration::from_secs(2));
    assert!(pair.modem.network().received(link).ends_with(b"again"));
}

/// Regression, schedule 641 of `hostile_stream`: the escape waited only for the last piece, and reached the peer.
#[test]
fn an_escape_waits_until_the_port_is_empty() {
    for baud in [9_600, 115_200] {
        let settings = Settings::default().baud(Some(baud));
        let mut pair = Pair::with(Config::default().baud_rate(baud), settings).ready();
        let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
        let link = pair.modem.network_mut().last_link().unwrap();
        let data = data(8_000);
        pair.send(stream, &data).unwrap();
        pair.send(stream, b"and a few").unwrap();
        pair.escape(stream).unwrap();
        assert_eq!(pair.wrote("+++"), 1, "one escape is enough at {baud}");
        assert!(pair.modem.network().received(link) == [&data[..], b"and a few"].concat());
    }
}

#[test]
fn a_stream_whose_peer_never_reads_can_be_left() {
    let (mut pair, stream, link) = to_a_deaf_peer(Settings::default());
    let accepted = send(&mut pair, stream, &data(600_000), 5).unwrap();
    let began = pair.now;
    let escaped = pair.escape(stream);
    assert!(
        matches!(escaped, Err(Error::Timeout { .. })),
        "the modem can't have received the escape: {escaped:?}"
    );
    assert!(pair.now - began <= Duration::from_secs(20));
    // The port is not empty, so the question for the mode is postponed until the time-out, and the mode stays unknown.
    let closed = pair.call(Request::Close { socket: stream, timeout: Duration::from_secs(40) });
    assert!(matches!(closed, Err(Error::Timeout { .. } | Error::Closed(CloseReason::Local))), "{closed:?}");
    assert!(accepted > PORT_BUFFER);
    pair.modem.network_mut().set_reading(link, true);
    pair.run_for(Duration::ZERO);
    pair.run_for(Duration::from_secs(120));
    let socket = pair.channel_open();
    assert_eq!(pair.send(socket, b"a socket").unwrap(), 8);
    assert_eq!(pair.read(socket, 8).unwrap(), b"a socket");
}
