//! Datagrams against the simulated modem, in virtual time.

#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::net::SocketAddr;
use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::proto::SocketId;
use air724ug::sim::{MemoryNetwork, Peer, Settings, Simulator, serve};
use air724ug::{Config, Modem, ReceiveMode};

fn datagram(pair: &mut Pair, socket: SocketId) -> Vec<u8> {
    loop {
        match pair.read_some(socket, 2000).unwrap() {
            Some(datagram) => return datagram,
            None => pair.run_until(|pair| pair.engine.readable(socket) != (0, false)),
        }
    }
}

#[test]
fn datagrams_stay_separate_in_both_directions() {
    let mut pair = Pair::online();
    let socket = pair.association();
    for datagram in [&b"one"[..], b"two \r\nOK\r\n", &[7; 1460]] {
        pair.send(socket, datagram).unwrap();
    }
    assert_eq!(datagram(&mut pair, socket), b"one");
    assert_eq!(datagram(&mut pair, socket), b"two \r\nOK\r\n");
    assert_eq!(datagram(&mut pair, socket), [7; 1460]);
}

#[test]
fn the_sender_of_a_datagram_is_known_if_the_firmware_reports_it() {
    for mode in [ReceiveMode::Push, ReceiveMode::Manual] {
        let config = Config::default().receive_mode(mode).report_senders(true);
        let mut pair = Pair::with(config, Settings::default()).ready();
        assert_eq!(pair.wrote("AT+CIPSRIP=1"), 1);
        let socket = pair.association();
        pair.send(socket, b"who?").unwrap();
        pair.run_until(|pair| pair.engine.readable(socket) != (0, false));
        let sender = pair.engine.sender(socket).expect("the firmware reports the sender");
        assert_eq!(sender.port(), ECHO.1, "{mode:?}");
        assert_eq!(datagram(&mut pair, socket), b"who?");
        assert_eq!(pair.engine.sender(socket), None, "no datagram is waiting");
    }
}

#[test]
fn an_application_receives_a_datagram_with_its_sender() {
    let mut network = MemoryNetwork::new();
    network.name("echo.test", [10, 1, 0, 1]).serve("echo.test", 7, Peer::echo());
    let (reader, writer, _handle) = serve::in_process(Simulator::new(Settings::default(), network)).unwrap();
    let modem = Modem::start(reader, writer, Config::default().report_senders(true)).unwrap();
    modem.wait_ready(Duration::from_secs(20)).unwrap();
    let socket = modem.udp().connect(("echo.test", 7)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.send(b"a longer one").unwrap();
    socket.send(b"two").unwrap();
    let (mut buf, from) = ([0; 8], Some(SocketAddr::from(([10, 1, 0, 1], 7))));
    assert_eq!(socket.recv_from(&mut buf).unwrap(), (8, from), "the rest of the datagram is lost");
    assert_eq!(socket.recv_from(&mut buf).unwrap(), (3, from));
    assert_eq!(&buf[..3], b"two");
    socket.send_to(b"there", ("ECHO.test", 7)).unwrap();
    assert_eq!(socket.recv_from(&mut buf).unwrap(), (5, from));
    for other in [("echo.test", 8), ("other.test", 7), ("10.1.0.1", 7)] {
        let refused = socket.send_to(b"elsewhere", other);
        assert!(matches!(refused, Err(air724ug::Error::InvalidInput { .. })), "{refused:?}");
    }
    assert!(matches!(socket.send_to(b"", "echo.test:7"), Err(air724ug::Error::InvalidInput { .. })));
    socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    assert!(matches!(socket.recv_from(&mut buf), Err(air724ug::Error::Timeout { .. })));
}

#[test]
fn firmware_without_senders_works_without_them() {
    let mut pair = Pair::with(Config::default().report_senders(true), Settings::default());
    pair.to_modem = Box::new(|_, bytes| match bytes.starts_with(b"AT+CIPSRIP") {
        true => b"AT+UNKNOWN\r\n".to_vec(),
        false => bytes,
    });
    let mut pair = pair.ready();
    let socket = pair.association();
    pair.send(socket, b"who?").unwrap();
    pair.run_until(|pair| pair.engine.readable(socket) != (0, false));
    assert_eq!(pair.engine.sender(socket), None);
    assert_eq!(datagram(&mut pair, socket), b"who?");
}

#[test]
fn senders_are_asked_for_only_if_configured() {
    assert_eq!(Pair::online().wrote("AT+CIPSRIP"), 0);
}

#[test]
fn a_datagram_that_looks_like_a_command_is_one_datagram() {
    let mut pair = Pair::online();
    let socket = pair.association();
    pair.send(socket, b"x\r\nAT+CFUN=0\r\n").unwrap();
    assert_eq!(datagram(&mut pair, socket), b"x\r\nAT+CFUN=0\r\n");
}

#[test]
fn a_command_inside_a_datagram_is_not_run_when_the_prompt_is_lost() {
    let mut pair = Pair::online();
    let socket = pair.association();
    // The command is lost together with its prompt, so the module would read the payload as commands.
    pair.to_modem = Box::new(|_, bytes| if bytes.starts_with(b"AT+CIPSEND") { Vec::new() } else { bytes });
    assert!(pair.send(socket, b"x\r\nAT+CFUN=0\r\n").is_err());
    pair.to_modem = Box::new(|_, bytes| bytes);
    pair.run_for(Duration::from_secs(30));
    assert!(pair.engine.is_ready());
    assert!(!pair.written.windows(9).any(|nine| nine == b"AT+CFUN=0"));
}

#[test]
fn an_unread_datagram_is_lost_without_an_error() {
    let mut pair = Pair::with(Config::default().receive_window(4096), Settings::default()).ready();
    let socket = pair.association();
    (0..10).for_each(|index| drop(pair.send(socket, &[index; 1000])));
    pair.run_for(Duration::from_secs(1));
    for index in 0..4 {
        assert_eq!(datagram(&mut pair, socket), [index; 1000]);
    }
    pair.send(socket, b"still there").unwrap();
    assert_eq!(datagram(&mut pair, socket), b"still there");
}
