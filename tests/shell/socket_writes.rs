//! Writes as to a `std::net::TcpStream`, with real threads and a real port.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // A failing io call shall fail the test, also in a helper.

use std::io::{ErrorKind, IoSlice, Read, Write};
use std::time::Duration;

use crate::support::driver::{
    SOON, Terminal, all_asleep, connect, echo_server, eventually, memory, named, noise, ready, server,
};
use air724ug::sim::{Control, Peer, Settings};
use air724ug::{CloseReason, Config, Error, Modem, Socket};

fn to(modem: &Modem, host: &str, port: u16) -> Socket {
    modem.tcp().connect((host, port)).unwrap()
}

/// A modem with a peer that reads nothing at `deaf.test:1`.
fn with_a_deaf_peer() -> (Terminal, Modem) {
    let mut network = memory();
    network.serve("deaf.test", 1, Peer::discard().never_reads());
    let terminal = Terminal::with(Settings::default(), network);
    let modem = terminal.modem(Config::default());
    (terminal, modem)
}

#[test]
fn a_large_write_is_sent_whole_and_echoed() {
    let (_terminal, modem) = ready(Config::default());
    let socket = connect(&modem, echo_server());
    let data = noise(300_000, 9);
    let mut reader = socket.try_clone().unwrap();
    let len = data.len();
    let reader = named("w-whole", move || {
        let mut back = vec![0; len];
        reader.read_exact(&mut back).unwrap();
        back
    });
    (&socket).write_all(&data).unwrap();
    (&socket).flush().unwrap();
    assert_eq!(socket.queued(), 0);
    assert!(reader.join().unwrap() == data);
}

#[test]
fn several_buffers_are_one_write() {
    let terminal = Terminal::with(Settings::default(), memory());
    let modem = terminal.modem(Config::default());
    let mut socket = to(&modem, "echo.test", 7);
    let before = socket.statistics().sends;
    let taken = socket.write_vectored(&[IoSlice::new(b"one "), IoSlice::new(b""), IoSlice::new(b"two")]);
    assert_eq!(taken.unwrap(), 7);
    socket.flush().unwrap();
    assert_eq!(socket.statistics().sends - before, 1);
    let mut back = [0; 7];
    socket.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"one two");
}

#[test]
fn with_nodelay_each_write_is_its_own_send() {
    let terminal = Terminal::with(Settings::default(), memory());
    let modem = terminal.modem(Config::default());
    let mut socket = to(&modem, "discard.test", 9);
    assert!(!socket.nodelay().unwrap());
    socket.set_nodelay(true).unwrap();
    assert!(socket.try_clone().unwrap().nodelay().unwrap(), "the option holds for every handle");
    for _ in 0..10 {
        socket.write_all(b"x").unwrap();
    }
    socket.flush().unwrap();
    assert_eq!(socket.statistics().sends, 10);
}

#[test]
fn written_data_are_sent_although_all_handles_are_dropped() {
    let (sender, ended) = crossbeam_channel::bounded(1);
    let server = server(move |mut stream| {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        sender.send(all).unwrap();
    });
    let (_terminal, modem) = ready(Config::default());
    let mut socket = connect(&modem, server);
    let data = noise(10_000, 3);
    socket.write_all(&data).unwrap();
    drop(modem);
    drop(socket);
    assert!(ended.recv_timeout(SOON).unwrap() == data);
}

#[test]
fn a_close_waits_for_written_data() {
    let (sender, ended) = crossbeam_channel::bounded(1);
    let server = server(move |mut stream| {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        sender.send(all).unwrap();
    });
    let (_terminal, modem) = ready(Config::default());
    let mut socket = connect(&modem, server);
    let data = noise(10_000, 4);
    socket.write_all(&data).unwrap();
    socket.close().unwrap();
    assert!(ended.recv_timeout(SOON).unwrap() == data);
}

#[test]
fn an_error_is_returned_by_the_next_call_and_once_by_take_error() {
    let (terminal, modem) = with_a_deaf_peer();
    let mut socket = to(&modem, "deaf.test", 1);
    assert!(socket.is_open());
    assert!(socket.take_error().unwrap().is_none());
    socket.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let full = socket.write_all(&[7; 200_000]).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    assert_eq!(full.to_string(), "there was no room to write within 1s");
    assert!(terminal.remote.send(Control::PdpLost));
    eventually("the socket has ended", || !socket.is_open());
    let error = socket.try_clone().unwrap().take_error().unwrap();
    assert!(matches!(error, Some(Error::Closed(CloseReason::BearerLost))), "{error:?}");
    assert!(socket.take_error().unwrap().is_none());
    assert_eq!(socket.write(b"x").unwrap_err().kind(), ErrorKind::NetworkDown);
    assert_eq!(socket.flush().unwrap_err().kind(), ErrorKind::NetworkDown);
    socket.close().unwrap();
}

#[test]
fn a_write_that_waits_for_room_ends_with_the_socket() {
    let (terminal, modem) = with_a_deaf_peer();
    let mut socket = to(&modem, "deaf.test", 1);
    let writer = named("w-room", move || socket.write_all(&[7; 400_000]));
    all_asleep("w-room", 1);
    assert!(terminal.remote.send(Control::PdpLost));
    assert_eq!(writer.join().unwrap().unwrap_err().kind(), ErrorKind::NetworkDown);
}

#[test]
fn no_call_waits_on_a_nonblocking_socket() {
    // The line is slower than any writer and the peer reads everything, so the buffer fills and drains again.
    let mut network = memory();
    network.serve("discard.test", 9, Peer::discard());
    let terminal = Terminal::with(Settings::default().baud(Some(115_200)), network);
    let modem = terminal.modem(Config::default());
    let mut socket = to(&modem, "echo.test", 7);
    socket.set_nonblocking(true).unwrap();
    assert_eq!(socket.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(socket.peek(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    socket.write_all(b"hello").unwrap();
    let mut buf = [0; 8];
    let read = loop {
        match socket.read(&mut buf) {
            Ok(count) => break count,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        socket.readable().recv_timeout(SOON).unwrap();
    };
    assert_eq!(&buf[..read], b"hello");

    let mut socket = to(&modem, "discard.test", 9);
    socket.try_clone().unwrap().set_nonblocking(true).unwrap();
    let mut written = 0;
    let full = loop {
        match socket.write(&[7; 1460]) {
            Ok(count) => written += count,
            Err(error) => break error,
        }
    };
    assert!(written >= 16 * 1024, "{written}");
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    assert_eq!(socket.flush().unwrap_err().kind(), ErrorKind::WouldBlock);
    // The module accepts some of the data.
    socket.writable().recv_timeout(SOON).unwrap();
    assert!(socket.write(&[7; 1460]).unwrap() > 0);
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    assert_eq!(socket.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
}
