//! Transparent mode: every byte both ways, in and out of it, and back to sockets whatever happens.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod pair;

use std::time::Duration;

use air724ug::at::Command;
use air724ug::proto::{Event, Request, Response, SocketId};
use air724ug::sim::{Control, Fault, LineState, Peer, Settings};
use air724ug::{CloseReason, Config, Error, InUse, NotReady};
use pair::{ECHO, Pair};

/// A stream to the echo server.
fn streaming() -> (Pair, SocketId) {
    let mut pair = Pair::online();
    let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
    (pair, stream)
}

/// Every byte that there is, several times, and words that mean something to a module.
fn everything() -> Vec<u8> {
    let words = b"\r\nOK\r\n\r\nCLOSED\r\nx+++ATH\r\n+RECEIVE,0,5:\r\n\r\n> \r\nRDY\r\n\r\nNO CARRIER\r\n\x1a\x1b";
    let bytes = (0..=255).cycle().take(2000);
    words.iter().copied().chain(bytes).chain(*words).chain(*b"the end").collect()
}

/// Sends and reads it back.
fn echoes(pair: &mut Pair, stream: SocketId, data: &[u8]) {
    assert_eq!(pair.send(stream, data).unwrap(), data.len());
    assert_eq!(pair.read(stream, data.len()).unwrap(), data);
}

/// Sockets work, one opened and closed shows it.
fn sockets_work(pair: &mut Pair) {
    let socket = pair.channel_open();
    echoes(pair, socket, b"an ordinary socket");
    pair.close(socket).unwrap();
}

#[test]
fn every_byte_goes_both_ways_at_every_chunk_size() {
    for size in (1..=40).chain([1000, 5000]) {
        let mut pair = Pair::online().in_chunks_of(size);
        let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
        for _ in 0..3 {
            echoes(&mut pair, stream, &everything());
        }
        assert!(matches!(pair.close(stream), Ok(Response::Closed)));
        sockets_work(&mut pair);
    }
}
