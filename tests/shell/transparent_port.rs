//! A transparent stream over a real pseudo-terminal, to a real server.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::io::{Read, Write};
use std::thread;
use std::time::Instant;

use crate::support::driver::{SOON, connect, echo_server, noise, ready};
use air724ug::Config;

#[test]
fn a_megabyte_passes_in_both_directions_and_sockets_work_afterwards() {
    let server = echo_server();
    let (_terminal, modem) = ready(Config::default());
    let stream = modem.connect_transparent((&server.ip().to_string(), server.port())).unwrap();
    let data = noise(1 << 20, 7);
    let began = Instant::now();
    let mut back = vec![0; data.len()];
    thread::scope(|scope| {
        scope.spawn(|| (&stream).write_all(&data).unwrap());
        (&stream).read_exact(&mut back).unwrap();
    });
    println!("a megabyte both ways in {:?}", began.elapsed());
    assert!(back == data);
    stream.escape().unwrap();
    modem.signal_quality().unwrap();
    stream.resume().unwrap();
    stream.close().unwrap();
    modem.wait_ready(SOON).unwrap();
    let socket = connect(&modem, server);
    socket.send(b"a socket").unwrap();
}
