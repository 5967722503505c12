//! Manual receive mode: fetched data whose count is too low and that contain an `OK` at the place of the result, and
//! data that were not asked for.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::Pair;
use air724ug::at::Fault;
use air724ug::error::CloseReason;
use air724ug::proto::{Event, SocketId};
use air724ug::sim::Settings;
use air724ug::{Config, Error, ReceiveMode};

/// The data of the peer. Their first line has 10 bytes.
const SHORT: &str = "HTTP 200..\r\nOK\r\n";
const LONG: &str =
    "HTTP 200..\r\nOK\r\nmore of the body, which is much longer than that, and goes on for a hundred bytes!";

/// Two sockets, with the echo of commands or without.
fn two(echo: bool) -> (Pair, [SocketId; 2]) {
    let config = Config::default().receive_mode(ReceiveMode::Manual);
    let mut pair = Pair::with(config, Settings::default());
    if echo {
        pair.instead("ATE0", "ATE0\r\r\nOK\r\n");
    }
    let mut pair = pair.ready();
    let sockets = [pair.channel_open(), pair.channel_open()];
    (pair, sockets)
}

/// The bytes of an answer whose count is 10, up to the end of the `OK` among the data, and the others.
fn answer(data: &str, echo: bool) -> (String, String) {
    let (head, rest) = data.split_at(SHORT.len());
    let echoed = if echo { "AT+CIPRXGET=2,0,1460\r" } else { "" };
    (format!("{echoed}\r\n+CIPRXGET: 2,0,10,0\r\n{head}"), format!("{rest}\r\nOK\r\n"))
}

/// Data, whether the module echoes, and the length of reads.
fn ways() -> impl Iterator<Item = (&'static str, bool, usize)> {
    let data = [SHORT, LONG].into_iter();
    let echoed = data.flat_map(|data| [false, true].map(|echo| (data, echo)));
    echoed.flat_map(|(data, echo)| [1, 7, 5_000].map(|chunk| (data, echo, chunk)))
}

fn ends_damaged(pair: &mut Pair, socket: SocketId, context: &str) {
    let (read, end) = pair.read_to_end(socket);
    assert!(read.is_empty() || read == b"HTTP 200..", "{context}: {:?}", String::from_utf8_lossy(&read));
    assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{context}: {end}");
    assert!(pair.saw(|event| matches!(event, Event::Fault(_))), "{context}");
}

/// Regression: the rest of the data was missing without an error.
#[test]
fn a_count_that_ends_at_an_ok_within_the_data_ends_the_socket() {
    for (data, echo, chunk) in ways() {
        for pause in [0, 1, 3, 8, 40, 900] {
            let context = format!("{data:?}, echo {echo}, in pieces of {chunk}, after {pause} ms");
            let (pair, [socket, other]) = two(echo);
            let mut pair = pair.in_chunks_of(chunk);
            let (head, rest) = answer(data, echo);
            if pause == 0 {
                pair.instead("AT+CIPRXGET=2,0", head + &rest);
                pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
            } else {
                pair.instead("AT+CIPRXGET=2,0", head);
                pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
                pair.run_for(Duration::from_millis(pause));
                pair.inject(rest.as_bytes());
            }
            ends_damaged(&mut pair, socket, &context);
            assert!(pair.engine.is_open(other), "{context}");
        }
    }
}

/// Regression: the socket whose fetch was in flight ended, and the one that lacks the bytes went on.
#[test]
fn the_rest_of_the_data_behind_the_next_command_ends_the_socket_that_lacks_it() {
    for (data, echo, chunk) in ways() {
        let context = format!("{data:?}, echo {echo}, in pieces of {chunk}");
        let (pair, [socket, other]) = two(echo);
        let mut pair = pair.in_chunks_of(chunk);
        let (head, rest) = answer(data, echo);
        pair.instead("AT+CIPRXGET=2,0", head);
        pair.instead("AT+CIPRXGET=2,1", format!("{rest}\r\n+CIPRXGET: 2,1,5,0\r\nother\r\nOK\r\n"));
        pair.inject(b"\r\n+CIPRXGET: 1,0\r\n\r\n+CIPRXGET: 1,1\r\n");
        ends_damaged(&mut pair, socket, &context);
        pair.run_for(Duration::from_secs(2));
        // Its data were complete, or it has ended with an error.
        let read = pair.read_some(other, 100);
        let is_whole = matches!(&read, Ok(Some(bytes)) if bytes == b"other");
        assert!(is_whole || matches!(read, Err(Error::Closed(CloseReason::Damaged))), "{context}: {read:?}");
    }
}

/// The `OK` of the fetch is taken for the answer to a later command. The `OK` of that command is then one too many.
#[test]
fn an_ok_alone_does_not_prove_the_fetch_before_it() {
    for (command, answer_to_it) in [("AT+CREG=0", "\r\nOK\r\n"), ("AT+CSQ", "\r\n+CSQ: 20,0\r\n\r\nOK\r\n")] {
        let (mut pair, [socket, _]) = two(false);
        let (head, rest) = answer(SHORT, false);
        pair.instead("AT+CIPRXGET=2,0", head);
        pair.instead(command, rest + answer_to_it);
        pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
        let _ = pair.command(command, Duration::from_secs(5));
        ends_damaged(&mut pair, socket, command);
    }
}

/// A pair that does not poll, and a socket.
fn quiet() -> (Pair, SocketId) {
    let config = Config::default().receive_mode(ReceiveMode::Manual).receive_poll(Duration::from_secs(60));
    let mut pair = Pair::with(config, Settings::default()).ready();
    let socket = pair.channel_open();
    (pair, socket)
}

/// The `OK` of the fetch answers a command 3 s later, and that of the command comes 3 s after it.
#[test]
fn an_ok_alone_prolongs_the_doubt_of_the_fetch_before_it() {
    let (mut pair, socket) = quiet();
    let (head, rest) = answer(SHORT, false);
    pair.instead("AT+CIPRXGET=2,0", head);
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    pair.run_for(Duration::from_secs(3));
    pair.instead("AT+CREG=0", rest);
    pair.command("AT+CREG=0", Duration::from_secs(5)).unwrap();
    pair.run_for(Duration::from_secs(3));
    pair.inject(b"\r\nOK\r\n");
    ends_damaged(&mut pair, socket, "an OK after 6 s");
}

/// The rest of the data is a damaged header, which names no channel.
#[test]
fn damage_without_a_channel_after_a_fetch_ends_its_socket() {
    let (mut pair, socket) = quiet();
    pair.instead("AT+CIPRXGET=2,0", answer(SHORT, false).0);
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    pair.inject(b"\r\n+RECEIVE,x:\r\n");
    ends_damaged(&mut pair, socket, "a damaged header");
}

const FETCHED: &str = "\r\n+CIPRXGET: 2,0,4,0\r\nabcd\r\nOK\r\n";

/// An empty answer has no data that could go on.
#[test]
fn an_ok_too_many_after_an_empty_fetch_ends_no_socket() {
    let (mut pair, socket) = quiet();
    pair.instead("AT+CIPRXGET=2,0", "\r\n+CIPRXGET: 2,0,0,0\r\n\r\nOK\r\n");
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    pair.run_for(Duration::from_secs(1));
    pair.inject(b"\r\nOK\r\n");
    pair.run_for(Duration::from_secs(5));
    assert!(pair.engine.is_open(socket), "{}", pair.story());
}

/// The header of the next fetch answers a later command.
#[test]
fn a_fetch_is_proved_by_the_header_of_the_next_one() {
    let (mut pair, [socket, other]) = two(false);
    pair.instead("AT+CIPRXGET=2,0", FETCHED);
    pair.instead("AT+CIPRXGET=2,1", "\r\n+CIPRXGET: 2,1,5,0\r\nother, and more\r\nOK\r\n");
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n\r\n+CIPRXGET: 1,1\r\n");
    let (_, end) = pair.read_to_end(other);
    assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{end}");
    assert_eq!(pair.read(socket, 4).unwrap(), b"abcd");
    assert!(pair.engine.is_open(socket));
}

#[test]
fn an_ok_too_many_after_the_answer_to_a_later_command_ends_no_socket() {
    let (mut pair, sockets) = two(false);
    pair.instead("AT+CIPRXGET=2,0", FETCHED);
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    assert_eq!(pair.command("AT+CSQ", Duration::from_secs(5)).unwrap().len(), 1);
    pair.inject(b"\r\nOK\r\n");
    assert_eq!(pair.read(sockets[0], 4).unwrap(), b"abcd");
    // Without a command in between, the rest of the data would have come before.
    let (mut quiet, socket) = quiet();
    quiet.instead("AT+CIPRXGET=2,0", FETCHED);
    quiet.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    quiet.run_for(Duration::from_secs(5));
    quiet.inject(b"\r\nOK\r\n");
    assert!(quiet.engine.is_open(socket), "{}", quiet.story());
    assert!(sockets.into_iter().all(|socket| pair.engine.is_open(socket)), "{}", pair.story());
}

#[test]
fn a_late_ok_after_fetched_data_ends_no_socket() {
    let (mut pair, sockets) = two(false);
    pair.instead("AT+CREG=0", "");
    pair.command("AT+CREG=0", Duration::from_secs(1)).unwrap_err();
    pair.run_for(Duration::from_secs(2));
    pair.instead("AT+CIPRXGET=2,0", FETCHED);
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    pair.inject(b"\r\nOK\r\n");
    assert_eq!(pair.read(sockets[0], 4).unwrap(), b"abcd");
    pair.run_for(Duration::from_secs(30));
    assert!(sockets.into_iter().all(|socket| pair.engine.is_open(socket)), "{}", pair.story());
}

/// Regression: these bytes were read as data of the socket.
#[test]
fn data_that_no_fetch_has_asked_for_are_given_to_no_socket() {
    for bytes in [
        "\r\n+RECEIVE,0,5:\r\nhello",
        "\r\n+RECEIVE,0,5:hello\r\n",
        "\r\n+RECEIVE,0,5,1.2.3.4:80\r\nhello\r\n",
        "\r\nRECEIVE,0,5:\r\nhello\r\n",
    ] {
        for chunk in [1, 7, 5_000] {
            let (pair, [socket, other]) = two(false);
            let mut pair = pair.in_chunks_of(chunk);
            pair.deliver(bytes.as_bytes());
            let (read, end) = pair.read_to_end(socket);
            assert!(read.is_empty(), "{bytes:?}: {} bytes", read.len());
            assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{bytes:?}: {end}");
            pair.send(other, b"hello").unwrap();
            assert_eq!(pair.read(other, 5).unwrap(), b"hello", "{bytes:?}");
        }
    }
    let (mut pair, sockets) = two(false);
    pair.inject(b"\r\n+IPD,5:hello\r\n");
    assert!(pair.saw(|event| *event == Event::Fault(Fault::NotAskedFor)), "{}", pair.story());
    pair.run_for(Duration::from_secs(5));
    assert!(sockets.into_iter().all(|socket| pair.engine.is_open(socket)), "{}", pair.story());
}

/// Regression: the rest of the file was read as data of the socket.
#[test]
fn a_file_with_lines_like_pushed_data_is_text() {
    for header in ["+RECEIVE,0,5:", "+RECEIVE,0,5,1.2.3.4:80", "+IPD,5:", "RECEIVE,0,5:", "+RECEIV,0,5:"] {
        for chunk in [1, 7, 5_000] {
            let (pair, sockets) = two(false);
            let mut pair = pair.in_chunks_of(chunk);
            pair.instead("AT+FSREAD", format!("\r\nfirst\r\n\r\n{header}\r\nhello\r\nlast\r\n\r\nOK\r\n"));
            let lines = pair.command("AT+FSREAD=\"name\",0,100,0", Duration::from_secs(60)).unwrap();
            assert_eq!(lines, ["first", header, "hello", "last"], "{chunk}");
            for socket in sockets {
                pair.send(socket, b"hello").unwrap();
                assert_eq!(pair.read(socket, 5).unwrap(), b"hello", "{header}");
            }
            assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{}", pair.story());
        }
    }
}

/// The answer to a fetch is lost, and a late error of another command is taken for its refusal.
#[test]
fn bytes_that_the_module_has_counted_and_that_a_refused_fetch_took_are_missed() {
    for (counts, is_lost) in [("0,10,0", true), ("0,10,5", true), ("0,10,20", false), ("0,10,30", false)] {
        let (mut pair, [socket, _]) = two(false);
        let answer = |counts: &str| format!("\r\n+CIPRXGET: 2,{counts}\r\n0123456789\r\nOK\r\n");
        pair.instead("AT+CIPRXGET=2,0", answer("0,10,30"));
        pair.instead("AT+CIPRXGET=2,0", "\r\nERROR\r\n");
        pair.instead("AT+CIPRXGET=2,0", answer(counts));
        pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
        let first = pair.read(socket, 10).unwrap();
        let second = pair.read(socket, 10);
        assert_eq!(first, b"0123456789");
        if is_lost {
            assert!(
                matches!(second, Err(Error::Closed(CloseReason::ReceiveUnconfirmed))),
                "{counts}: {second:?}"
            );
        } else {
            assert_eq!(second.unwrap(), b"0123456789", "{counts}");
        }
    }
}

/// A lost datagram is no error of its association.
#[test]
fn counts_of_datagrams_end_no_association() {
    let config = Config::default().receive_mode(ReceiveMode::Manual);
    let mut pair = Pair::with(config, Settings::default()).ready();
    let socket = pair.association();
    let answer = |counts: &str| format!("\r\n+CIPRXGET: 2,{counts}\r\n0123456789\r\nOK\r\n");
    pair.instead("AT+CIPRXGET=2,0", answer("0,10,30"));
    pair.instead("AT+CIPRXGET=2,0", "\r\nERROR\r\n");
    pair.instead("AT+CIPRXGET=2,0", answer("0,10,0"));
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    assert_eq!(pair.read(socket, 10).unwrap(), b"0123456789");
    assert_eq!(pair.read(socket, 10).unwrap(), b"0123456789");
}

/// The data lack bytes, and the result of the fetch fills the count. The late `OK` of another command is not that of
/// the fetch.
#[test]
fn a_late_ok_after_data_that_end_with_a_result_does_not_confirm_them() {
    let data = "0123456789";
    for (missing, pause, is_late) in
        [(6, 3_000, true), (7, 3_000, true), (8, 3_000, true), (6, 300, true), (6, 3_000, false)]
    {
        let (mut pair, [socket, _]) = two(false);
        if is_late {
            pair.instead("AT+CREG=0", "");
            pair.command("AT+CREG=0", Duration::from_secs(1)).unwrap_err();
            pair.run_for(Duration::from_secs(2));
        }
        let count = data.len() + missing;
        let rest = if is_late { "" } else { "\r\n\r\nOK" };
        let came = format!("\r\n+CIPRXGET: 2,0,{count},0\r\n{data}{rest}\r\n\r\nOK\r\n");
        let (came, result) =
            if is_late { (came.as_str(), "\r\nOK\r\n") } else { came.split_at(came.len() - 6) };
        pair.instead("AT+CIPRXGET=2,0", came);
        pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
        pair.run_for(Duration::from_millis(pause));
        pair.inject(result.as_bytes());
        if is_late {
            ends_damaged(&mut pair, socket, &format!("{missing} after {pause} ms"));
        } else {
            assert_eq!(pair.read(socket, count).unwrap().len(), count);
        }
    }
}
