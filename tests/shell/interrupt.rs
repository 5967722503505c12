//! A `recv` that a message of another thread interrupts, over a simulated modem in this process.
#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::time::Duration;

use air724ug::sim::{MemoryNetwork, Peer, Settings, Simulator, serve};
use air724ug::{Config, Error, Modem, Received, Socket};
use crossbeam_channel::{select, unbounded};

/// A limit: the awaited event comes at once, or the test fails.
const SOON: Duration = Duration::from_secs(20);

fn modem() -> Modem {
    let mut network = MemoryNetwork::new();
    network.name("echo.test", [10, 1, 0, 1]).serve("echo.test", 7, Peer::echo());
    network.name("bye.test", [10, 1, 0, 2]).serve("bye.test", 7, Peer::echo().close_after(3));
    let (reader, writer, _handle) = serve::in_process(Simulator::new(Settings::default(), network)).unwrap();
    let modem = Modem::start(reader, writer, Config::default()).unwrap();
    modem.wait_ready(SOON).unwrap();
    modem
}

fn echo(modem: &Modem) -> Socket {
    modem.tcp().connect(("echo.test", 7)).unwrap()
}

#[test]
fn a_message_of_another_thread_ends_the_wait() {
    let socket = echo(&modem());
    let (publish, messages) = unbounded();
    let other = std::thread::spawn(move || publish.send("pub_msg").unwrap());
    assert_eq!(socket.recv_or(&messages, SOON).unwrap(), Received::Message("pub_msg"));
    other.join().unwrap();
}

#[test]
fn data_come_before_a_message_and_neither_is_lost() {
    let socket = echo(&modem());
    let (publish, messages) = unbounded();
    socket.send(b"data").unwrap();
    let mut buf = [0; 4];
    while socket.peek(&mut buf).unwrap() < 4 {}
    publish.send(1).unwrap();
    assert_eq!(socket.recv_or(&messages, SOON).unwrap(), Received::Data(b"data".to_vec()));
    assert_eq!(socket.recv_or(&messages, SOON).unwrap(), Received::Message(1));
}

#[test]
fn without_data_and_messages_the_wait_times_out() {
    let socket = echo(&modem());
    let (_publish, messages) = unbounded::<()>();
    assert_eq!(socket.recv_or(&messages, Duration::from_millis(20)).unwrap(), Received::Timeout);
}

#[test]
fn without_senders_the_wait_is_for_data_alone() {
    let socket = echo(&modem());
    let (publish, messages) = unbounded::<()>();
    drop(publish);
    assert_eq!(socket.recv_or(&messages, Duration::from_millis(20)).unwrap(), Received::Timeout);
    socket.send(b"x").unwrap();
    assert_eq!(socket.recv_or(&messages, SOON).unwrap(), Received::Data(b"x".to_vec()));
}

#[test]
fn the_end_of_the_socket_is_an_error_and_the_message_remains() {
    let socket = modem().tcp().connect(("bye.test", 7)).unwrap();
    let (publish, messages) = unbounded();
    socket.send(b"bye").unwrap();
    let mut seen = Vec::new();
    let error = loop {
        match socket.recv_or(&messages, SOON) {
            Ok(Received::Data(data)) => seen.extend(data),
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Closed(_)), "{error:?}");
    assert_eq!(seen, b"bye");
    publish.send(1).unwrap();
    assert!(socket.recv_or(&messages, SOON).is_err());
    assert_eq!(messages.len(), 1);
}

#[test]
fn one_thread_waits_for_many_sockets_and_messages() {
    let modem = modem();
    let (first, second) = (echo(&modem), echo(&modem));
    let (publish, messages) = unbounded();
    second.send(b"2").unwrap();
    let (mut from_second, mut message) = (Vec::new(), None);
    while from_second.is_empty() || message.is_none() {
        select! {
            recv(first.readable()) -> _ => assert!(first.try_recv().unwrap().is_empty()),
            recv(second.readable()) -> _ => {
                from_second.extend(second.try_recv().unwrap());
                publish.send("stop").unwrap();
            }
            recv(messages) -> said => message = said.ok(),
            default(SOON) => panic!("nothing happened"),
        }
    }
    assert_eq!((from_second, message), (b"2".to_vec(), Some("stop")));
}
