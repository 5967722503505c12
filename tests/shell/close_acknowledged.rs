//! A close that waits until the peer has all data, and otherwise reports the data that it may lack.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // A failing io call shall fail the test, also in a helper.

use std::io::{self, Read};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use crate::support::driver::{MODES, SOON, Terminal, connect, eventually, memory, noise, ready, server};
use air724ug::sim::{Peer, Settings};
use air724ug::{CloseReason, Config, Error, Modem};

fn modem() -> (Terminal, Modem) {
    let mut network = memory();
    network.serve("deaf.test", 1, Peer::discard().never_reads());
    let terminal = Terminal::with(Settings::default(), network);
    let modem = terminal.modem(Config::default());
    (terminal, modem)
}

/// Whether the module has no connection.
fn is_closed(modem: &Modem) -> bool {
    let lines = modem.command("AT+CIPSTATUS", SOON).unwrap();
    !lines.iter().any(|line| line.contains("\"CONNECTED\""))
}

#[test]
fn the_peer_has_all_data_when_the_call_returns() {
    for mode in MODES {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let server = server(move |mut stream| {
            let mut all = Vec::new();
            let mut buf = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buf) {
                all.extend_from_slice(&buf[..count]);
            }
            sender.send(all).unwrap();
        });
        let (_terminal, modem) = ready(Config::default().receive_mode(mode));
        let socket = connect(&modem, server);
        let data = noise(50_000, 3);
        socket.send(&data[..10_000]).unwrap();
        socket.queue(&data[10_000..]).unwrap();
        socket.close_acknowledged(SOON).unwrap();
        assert!(receiver.recv_timeout(SOON).unwrap() == data, "{mode:?}");
        assert!(is_closed(&modem));
    }
}

#[test]
fn a_timeout_reports_the_unacknowledged_bytes_and_closes_the_socket() {
    let (_terminal, modem) = modem();
    let socket = modem.tcp().connect(("deaf.test", 1)).unwrap();
    let other = socket.try_clone().unwrap();
    socket.queue(&noise(100_000, 4)).unwrap();
    let began = Instant::now();
    let error = socket.close_acknowledged(Duration::from_millis(300)).unwrap_err();
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(300) && took < Duration::from_millis(1_300), "{took:?}");
    let within = |after| after == Duration::from_millis(300);
    assert!(matches!(error.why, Error::Timeout { after, .. } if within(after)), "{error:?}");
    let seen = other.statistics();
    assert_eq!(error.unacknowledged, seen.unacknowledged());
    assert!((1..=100_000).contains(&seen.unacknowledged()), "{seen:?}");
    assert!(error.to_string().contains("bytes are not acknowledged"), "{error}");
    assert!(matches!(other.send(b"x"), Err(Error::Closed(CloseReason::Local))));
    drop(other);
    eventually("the module has closed the connection", || is_closed(&modem));
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::TimedOut);
}

#[test]
fn an_unconfirmed_close_is_an_error_even_if_all_data_are_acknowledged() {
    let slow = vec![("+CIPCLOSE".to_owned(), Duration::from_secs(10))];
    let terminal = Terminal::with(Settings::default().latencies(slow), memory());
    let modem = terminal.modem(Config::default());
    let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    socket.send(b"hello").unwrap();
    let error = socket.close_acknowledged(Duration::from_secs(2)).unwrap_err();
    assert_eq!(error.unacknowledged, 0);
    let within = |after| after == Duration::from_secs(2);
    assert!(matches!(error.why, Error::Timeout { after, .. } if within(after)), "{error:?}");
    assert!(error.to_string().contains("everything is acknowledged"), "{error}");
}

#[test]
fn a_timeout_of_zero_also_closes_the_socket() {
    let (_terminal, modem) = modem();
    let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    socket.send(b"hello").unwrap();
    let error = socket.close_acknowledged(Duration::ZERO).unwrap_err();
    // The driver may have asked the module, and got the answer, after the time-out.
    assert!(matches!(error.unacknowledged, 0 | 5), "{error:?}");
    eventually("the module has closed the connection", || is_closed(&modem));
}

#[test]
fn an_earlier_close_by_the_peer_is_the_reason() {
    let (_terminal, modem) = modem();
    let socket = modem.tcp().connect(("bye.test", 1)).unwrap();
    let mut page = String::new();
    (&socket).read_to_string(&mut page).unwrap();
    let error = socket.close_acknowledged(SOON).unwrap_err();
    assert!(matches!(error.why, Error::Closed(CloseReason::Peer)), "{error:?}");
    assert_eq!(error.unacknowledged, 0);
    let modem = {
        let socket = modem.tcp().connect(("deaf.test", 1)).unwrap();
        socket.queue(&noise(100_000, 4)).unwrap();
        modem.close();
        let error = socket.close_acknowledged(SOON).unwrap_err();
        assert!(matches!(error.why, Error::PortLost(_)), "{error:?}");
        assert_ne!(error.unacknowledged, 0);
        modem
    };
    drop(modem);
}

#[test]
fn wait_accepted_waits_until_every_datagram_is_sent() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(SOON)).unwrap();
    let (_terminal, modem) = ready(Config::default());
    let socket = modem.udp().connect(server.local_addr().unwrap()).unwrap();
    for datagram in [&b"one"[..], b"two", b"three"] {
        socket.queue(datagram).unwrap();
    }
    socket.wait_accepted().unwrap();
    assert_eq!(socket.queued(), 0);
    socket.close().unwrap();
    for datagram in [&b"one"[..], b"two", b"three"] {
        let mut buf = [0; 16];
        let count = server.recv(&mut buf).unwrap();
        assert_eq!(&buf[..count], datagram);
    }
    assert!(is_closed(&modem));
}
