//! A module that refuses to switch its echo off. Everything that the host writes comes back among the module's lines.

use std::time::Duration;

use crate::support::pair::Pair;
use air724ug::error::CloseReason;
use air724ug::proto::{Event, Response, SocketId};
use air724ug::sim::Settings;
use air724ug::{Config, Error};

const MINUTE: Duration = Duration::from_secs(60);

/// Data of the application that look like lines of a module.
const TRAPS: [&[u8]; 4] = [
    b"\r\n+RECEIVE,0,5:\r\nabcde",
    b"ab\r\n0, CLOSED\r\n+RECEIVE,1,4:\r\nEVIL\r\n> \r\nOK\r\n",
    b"0\r\n+PDP: DEACT\r\n.\r\n",
    b" ERR",
];

/// Frames of the module that come while it echoes, and the data of the second socket in them.
const FRAMES: [(&str, &[u8]); 5] = [
    ("\r\n+RECEIVE,1,5:\r\nfghij", b"fghij"),
    ("\r\n+CREG: 1\r\n", b""),
    ("\r\n+RECEIVE,1,5:\r\n\r\n0, \r\n+RECEIVE,1,2:\r\n\r\n", b"\r\n0, \r\n"),
    ("\r\nRING\r\n", b""),
    ("", b""),
];

fn keeps_echo() -> (Pair, SocketId, SocketId) {
    let mut pair = Pair::with(Config::default(), Settings::default());
    pair.instead("ATE0", "ATE0\r\n\r\nERROR\r\n");
    let mut pair = pair.ready();
    let sockets = (pair.channel_open(), pair.channel_open());
    (pair, sockets.0, sockets.1)
}

/// Delivers bytes in two pieces, with a pause between them.
fn deliver(pair: &mut Pair, bytes: &[u8], first: usize, pause: Duration) {
    let (one, other) = bytes.split_at(first);
    pair.inject(one);
    pair.run_for(pause);
    pair.inject(other);
}

/// Regression: from the second read on, a line end of the echo was taken for that of a frame, and the application's own
/// words for the module's. `0, CLOSED` among them ended the socket as if its peer had closed it.
#[test]
fn own_data_that_come_back_with_a_pause_and_a_frame_are_nothing_that_was_received() {
    for trap in TRAPS {
        for (frame, data) in FRAMES {
            // A frame between the CR and the LF of an echo is not expected.
            for place in (0..=trap.len()).filter(|place| !trap[..*place].ends_with(b"\r")) {
                let (before, after) = trap.split_at(place);
                let accepted = format!("\r\nDATA ACCEPT:0,{}\r\n", trap.len());
                let bytes = [before, frame.as_bytes(), after, accepted.as_bytes()].concat();
                let (mut pair, socket, other) = keeps_echo();
                for first in (0..bytes.len()).step_by(1 + bytes.len() / 9) {
                    let case = format!("{} {frame:?} at {place}, pause at {first}", trap.escape_ascii());
                    let header = format!("AT+CIPSEND=0,{}", trap.len());
                    pair.instead(&header, format!("{header}\r\n\r\n> "));
                    pair.instead(&String::from_utf8_lossy(trap), "");
                    let ticket = pair.sending(socket, trap);
                    deliver(&mut pair, &bytes, first, Duration::from_millis(60));
                    let answer = pair.answer(ticket);
                    let len = trap.len();
                    assert!(
                        matches!(&answer, Ok(Response::Sent { accepted, .. }) if *accepted == len),
                        "{case}: {answer:?}\n{}",
                        pair.story()
                    );
                    if !data.is_empty() {
                        assert_eq!(pair.read(other, data.len()).unwrap(), data, "{case}");
                    }
                    let left = (pair.engine.readable(socket), pair.engine.readable(other));
                    assert_eq!(left, ((0, false), (0, false)), "{case}\n{}", pair.story());
                }
                assert!(!pair.saw(|event| matches!(event, Event::Closed(..) | Event::Fault(_))));
            }
        }
    }
}

/// The module echoes the rest of a payload whose connection has ended, as it would echo a command.
#[test]
fn the_rest_of_a_payload_after_the_end_of_its_connection_is_an_echo() {
    let payload = b"abcdefgh+RECEIVE,1,4:\r\nEVIL\r\n1, CLOSED\r\n";
    let end = "\r\n0, SEND FAIL\r\n\r\n0, CLOSED\r\n";
    for place in 0..8 {
        let (mut pair, socket, other) = keeps_echo();
        let header = format!("AT+CIPSEND=0,{}", payload.len());
        pair.instead(&header, format!("{header}\r\n\r\n> "));
        pair.instead("abcdefgh", "");
        let ticket = pair.sending(socket, payload);
        let (before, after) = payload.split_at(place);
        pair.inject(&[before, end.as_bytes(), after].concat());
        let answer = pair.answer(ticket);
        assert!(matches!(answer, Err(Error::Closed(CloseReason::Peer))), "{place}: {answer:?}");
        pair.run_for(MINUTE);
        assert_eq!(pair.engine.readable(other), (0, false), "{place}\n{}", pair.story());
        assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{place}\n{}", pair.story());
    }
}

/// A frame that interrupts the first echo after the refusal must not hide that there is one.
#[test]
fn an_interrupted_echo_is_an_echo() {
    for place in 1.."AT+CMEE=1".len() {
        let (before, after) = "AT+CMEE=1\r\n".split_at(place);
        let mut pair = Pair::with(Config::default(), Settings::default());
        pair.instead("ATE0", "ATE0\r\n\r\nERROR\r\n");
        pair.instead("AT+CMEE=1", format!("{before}\r\n+CPIN: READY\r\n{after}\r\nOK\r\n"));
        let mut pair = pair.ready();
        pair.channel_open();
        assert!(!pair.saw(|event| matches!(event, Event::Restarted)), "{place}\n{}", pair.story());
    }
}
