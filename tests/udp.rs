//! Datagrams against the simulated modem, in virtual time.

#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

mod pair;

use std::time::Duration;

use air724ug::Config;
use air724ug::at::{Protocol, Quotable};
use air724ug::proto::{Request, Response, SocketId};
use air724ug::sim::Settings;
use pair::{ECHO, Pair};

fn association(pair: &mut Pair) -> SocketId {
    let (host, port) = (Quotable::host(ECHO.0).unwrap(), ECHO.1);
    let request = Request::Connect { protocol: Protocol::Udp, host, port, timeout: Duration::from_secs(120) };
    match pair.call(request) {
        Ok(Response::Connected(socket)) => socket,
        other => panic!("{other:?}"),
    }
}

fn datagram(pair: &mut Pair, socket: SocketId) -> Vec<u8> {
    loop {
        match pair.read_some(socket, 2000).unwrap() {
            Some(datagram) => return datagram,
            None => pair.run_until(|pair| pair.engine.readable(socket) != (0, false)),
        }
    }
}

#[test]
fn datagrams_keep_their_borders_both_ways() {
    let mut pair = Pair::online();
    let socket = association(&mut pair);
    for datagram in [&b"one"[..], b"", b"two \r\nOK\r\n", &[7; 1460]] {
        pair.send(socket, datagram).unwrap();
    }
    assert_eq!(datagram(&mut pair, socket), b"one");
    assert_eq!(datagram(&mut pair, socket), b"two \r\nOK\r\n");
    assert_eq!(datagram(&mut pair, socket), [7; 1460]);
}

#[test]
fn a_datagram_that_looks_like_a_command_is_one_datagram() {
    let mut pair = Pair::online();
    let socket = association(&mut pair);
    pair.send(socket, b"x\r\nAT+CFUN=0\r\n").unwrap();
    assert_eq!(datagram(&mut pair, socket), b"x\r\nAT+CFUN=0\r\n");
}

#[test]
fn a_command_inside_a_datagram_is_not_run_when_the_prompt_is_lost() {
    let mut pair = Pair::online();
    let socket = association(&mut pair);
    // Both the command and its prompt are lost: the payload would be read as commands.
    pair.to_modem = Box::new(|_, bytes| if bytes.starts_with(b"AT+CIPSEND") { Vec::new() } else { bytes });
    assert!(pair.send(socket, b"x\r\nAT+CFUN=0\r\n").is_err());
    pair.to_modem = Box::new(|_, bytes| bytes);
    pair.run_for(Duration::from_secs(30));
    assert!(pair.engine.is_ready());
    assert!(!pair.written.windows(9).any(|nine| nine == b"AT+CFUN=0"));
}

#[test]
fn a_datagram_that_nobody_reads_is_lost_without_an_error() {
    let mut pair = Pair::with(Config::default().receive_window(4096), Settings::default()).ready();
    let socket = association(&mut pair);
    (0..10).for_each(|index| drop(pair.send(socket, &[index; 1000])));
    pair.run_for(Duration::from_secs(1));
    for index in 0..4 {
        assert_eq!(datagram(&mut pair, socket), [index; 1000]);
    }
    pair.send(socket, b"still there").unwrap();
    assert_eq!(datagram(&mut pair, socket), b"still there");
}
