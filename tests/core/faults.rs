//! The failures of modems of this family, by name. Each ends in time as a typed error or an event, and the next request
//! works. `Pair` checks that no request outlives its time-out and that no request is answered twice.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::at::{CmeError, Command, Refusal};
use air724ug::error::CloseReason;
use air724ug::proto::{Event, Request, Response, SocketId};
use air724ug::query::Signal;
use air724ug::sim::{Control, ModemEvent, Peer, Profile, Settings, fault};
use air724ug::{Config, Error, ReceiveMode};

const MINUTE: Duration = Duration::from_secs(60);

/// Payload that would switch the radio off if the module took it for commands.
const HOSTILE: &[u8] = b"hello\r\nAT+CFUN=0\r\nAT+CIPSHUT\rat&f\nA/\r\n";

fn both_modes() -> [ReceiveMode; 2] {
    [ReceiveMode::Push, ReceiveMode::Manual]
}

fn online(mode: ReceiveMode) -> Pair {
    Pair::with(Config::default().receive_mode(mode), Settings::default()).ready()
}

/// Checks that the pair still works, and that the module ran no command which the driver did not write as one.
fn still_works(pair: &mut Pair) {
    let socket = pair.channel_open();
    let data = b"still here";
    assert_eq!(pair.send(socket, data).unwrap(), data.len(), "{}", pair.story());
    assert_eq!(pair.read(socket, data.len()).unwrap(), data);
    assert!(matches!(pair.close(socket), Ok(Response::Closed)), "{}", pair.story());
    let state = pair.modem.state();
    assert!(state.attached && state.registration == 1, "a stray command was run: {state:?}");
    let strange = |event: &&ModemEvent| match event {
        // A question of the driver itself.
        ModemEvent::Command(text) if text == "AT+CFUN?" => false,
        ModemEvent::Command(text) => text.contains("CFUN") || text.contains("&F") || text.contains("&f"),
        _ => false,
    };
    assert_eq!(pair.modem_events.iter().find(strange), None);
    assert_eq!(pair.waiting(), 0);
}

/// The bytes that the peer has received on the newest link.
fn peer_got(pair: &Pair) -> Vec<u8> {
    let link = pair.modem.network().last_link().unwrap();
    pair.modem.network().received(link).to_vec()
}

fn closed(answer: Result<usize, Error>) -> CloseReason {
    match answer {
        Err(Error::Closed(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

// ------------------------------------------------------------------------------------------------------- sending

#[test]
fn a_peer_that_closes_before_the_prompt_ends_the_send() {
    for mode in both_modes() {
        let mut pair = online(mode);
        let socket = pair.channel_open();
        pair.instead("AT+CIPSEND=0", "\r\n0, CLOSED\r\n\r\n+CME ERROR: 3\r\n");
        pair.instead("AT+CIPACK=0", "\r\n+CME ERROR: 3\r\n");
        pair.instead("AT+CIPRXGET=2,0", "\r\n+CME ERROR: 3\r\n");
        let reason = closed(pair.send(socket, HOSTILE));
        assert!(matches!(reason, CloseReason::Peer | CloseReason::SendRefused(_)), "{mode:?}: {reason:?}");
        assert!(peer_got(&pair).is_empty());
        pair.close(socket).unwrap();
        still_works(&mut pair);
    }
}

#[test]
fn an_unreported_close_is_detected_by_the_refused_send() {
    for mode in both_modes() {
        let settings = Settings::default().closed_reported(false);
        let config = Config::default().receive_mode(mode).receive_poll(Duration::from_secs(3600));
        let mut pair = Pair::with(config, settings).ready();
        let socket = pair.channel_open();
        pair.control(Control::PeerClose(0));
        pair.run_for(Duration::from_secs(2));
        let reason = closed(pair.send(socket, HOSTILE));
        let refusal = Refusal::Cme(CmeError::OPERATION_NOT_ALLOWED);
        assert_eq!(reason, CloseReason::SendRefused(refusal), "{mode:?}");
        pair.close(socket).unwrap();
        still_works(&mut pair);
    }
}

#[test]
fn a_close_between_prompt_and_result_ends_the_send() {
    for mode in both_modes() {
        for after in 0..HOSTILE.len() {
            let mut pair = online(mode);
            let socket = pair.channel_open();
            pair.control(Control::fault(fault::CloseMidSend { after }));
            match pair.send(socket, HOSTILE) {
                // No chunk has this length, so no close happened.
                Ok(accepted) if accepted == HOSTILE.len() => continue,
                // Earlier chunks were accepted.
                Ok(_) => {}
                Err(Error::Closed(_)) => {}
                Err(error) => panic!("{after}: {error}"),
            }
            let (_, end) = pair.read_to_end(socket);
            assert!(matches!(end, Error::Closed(_)), "{end}");
            assert!(HOSTILE.starts_with(&peer_got(&pair)));
            pair.close(socket).unwrap();
            still_works(&mut pair);
        }
    }
}

#[test]
fn a_lost_prompt_costs_time_but_no_byte() {
    for mode in both_modes() {
        let mut pair = online(mode);
        let socket = pair.channel_open();
        pair.control(Control::fault(fault::LostPrompt));
        assert_eq!(pair.send(socket, HOSTILE).unwrap(), HOSTILE.len());
        assert_eq!(peer_got(&pair), HOSTILE);
        assert_eq!(pair.read(socket, HOSTILE.len()).unwrap(), HOSTILE);
        pair.close(socket).unwrap();
        still_works(&mut pair);
    }
}

#[test]
fn a_lost_send_command_does_not_turn_its_payload_into_commands() {
    for mode in both_modes() {
        for payload in [HOSTILE, b"AT+CFUN=0\r\n", b"\rAT+CFUN=0\rAT+CFUN=0\r", b"at+cfun=0", b"\nA/\nA/"] {
            let mut pair = online(mode);
            let socket = pair.channel_open();
            pair.instead("AT+CIPSEND=0", "");
            let reason = closed(pair.send(socket, payload));
            assert!(
                matches!(reason, CloseReason::SendUnconfirmed | CloseReason::SendRefused(_)),
                "{reason:?}"
            );
            assert!(peer_got(&pair).is_empty());
            pair.close(socket).unwrap();
            still_works(&mut pair);
        }
    }
}

#[test]
fn after_lost_bytes_of_a_payload_the_module_is_usable() {
    for lost in [1, 5, HOSTILE.len()] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        // The line cuts the first chunk of the payload.
        let mut hit = false;
        pair.to_modem = Box::new(move |_, bytes| {
            if !hit && bytes.starts_with(b"hello") {
                hit = true;
                return bytes[..bytes.len().saturating_sub(lost)].to_vec();
            }
            bytes
        });
        assert_eq!(closed(pair.send(socket, HOSTILE)), CloseReason::SendUnconfirmed);
        pair.close(socket).unwrap();
        still_works(&mut pair);
    }
}

#[test]
fn send_fail_and_a_wrong_count_end_the_socket() {
    for (result, wanted) in [
        ("\r\n0, SEND FAIL\r\n", Refusal::SendFail),
        ("\r\n0,SEND FAIL\r\n", Refusal::SendFail),
        ("\r\nDATA ACCEPT:0,3\r\n", Refusal::WrongCount { accepted: 3, given: 5 }),
        ("\r\nERROR\r\n", Refusal::Error),
        ("\r\n+CME ERROR: 915\r\n", Refusal::Cme(CmeError::SEND_TIMEOUT)),
    ] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.instead("AT+CIPSEND=0", "\r\n> ").instead("hello", result);
        assert_eq!(closed(pair.send(socket, b"hello")), CloseReason::SendRefused(wanted));
        pair.close(socket).unwrap();
        still_works(&mut pair);
    }
}

#[test]
fn send_ok_in_place_of_data_accept_is_a_success() {
    for spelling in
        ["\r\n0, SEND OK\r\n", "\r\n0,SEND OK\r\n", " \r\n0, SEND OK\r\n", "\r\nDATAACCEPT:0,5\r\n"]
    {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.instead("AT+CIPSEND=0", "\r\n> ").instead("hello", spelling);
        assert_eq!(pair.send(socket, b"hello").unwrap(), 5, "{spelling:?}");
    }
    // The module stays in the mode with `SEND OK`.
    let mut pair = Pair::new();
    pair.instead("AT+CIPQSEND=1", "\r\nERROR\r\n");
    still_works(&mut pair.ready());
}

#[test]
fn a_prompt_may_lack_its_blank() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CIPSEND=0", "\r\n>").instead("hello", "\r\nDATA ACCEPT:0,5\r\n");
    assert_eq!(pair.send(socket, b"hello").unwrap(), 5);
}

#[test]
fn data_before_the_result_of_a_send_are_read() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CIPSEND=0", "\r\n+RECEIVE,0,3:\r\nabc\r\n> ");
    pair.instead("hello", "\r\n+RECEIVE,0,3:\r\nd>f\r\nDATA ACCEPT:0,5\r\n");
    assert_eq!(pair.send(socket, b"hello").unwrap(), 5);
    assert_eq!(pair.read(socket, 6).unwrap(), b"abcd>f");
}

/// Every number in the table, some other numbers, and the texts of the manual and of the 8910 core.
fn refusals() -> Vec<(String, Refusal)> {
    let numbers = (0..=200).chain(760..=830).chain(900..=1010).chain([65_535, 4_000_000_000]);
    let mut all: Vec<_> = numbers
        .clone()
        .map(|code| (format!("\r\n+CME ERROR: {code}\r\n"), Refusal::Cme(CmeError::new(code))))
        .collect();
    let texts = numbers.filter_map(|code| CmeError::new(code).text());
    all.extend(texts.filter_map(|text| {
        Some((format!("\r\n+CME ERROR: {text}\r\n"), Refusal::Cme(CmeError::from_text(text)?)))
    }));
    all.extend(
        ["ERROR", " ERROR", "COMMAND NOT RESPONSE"].map(|text| (format!("\r\n{text}\r\n"), Refusal::Error)),
    );
    all.push(("\r\n+CME ERROR: words of no known firmware\r\n".to_owned(), Refusal::Cme(CmeError::UNKNOWN)));
    all
}

#[test]
fn every_refusal_of_a_connection_is_its_error() {
    let mut pair = Pair::online();
    for (text, refusal) in refusals() {
        pair.instead("AT+CIPSTART", &text);
        match pair.connect(ECHO.0, ECHO.1) {
            Err(Error::ConnectFailed(got)) => assert_eq!(got, refusal, "{text:?}"),
            other => panic!("{text:?}: {other:?}"),
        }
    }
    still_works(&mut pair);
}

#[test]
fn every_refusal_of_a_send_is_the_reason_of_the_sockets_end() {
    let mut pair = Pair::online();
    for (text, refusal) in refusals() {
        let socket = pair.channel_open();
        pair.instead("AT+CIPSEND", &text).instead("AT+CIPACK", "\r\n+CME ERROR: 3\r\n");
        assert_eq!(closed(pair.send(socket, b"hello")), CloseReason::SendRefused(refusal), "{text:?}");
        pair.close(socket).unwrap();
        let socket = pair.channel_open();
        pair.instead("AT+CIPSEND", "\r\n> ").instead("hello", &text);
        let reason = closed(pair.send(socket, b"hello"));
        assert_eq!(reason, CloseReason::SendRefused(refusal), "{text:?}");
        pair.close(socket).unwrap();
    }
    still_works(&mut pair);
}

/// True if the module has a connection on channel 0.
fn has_connection(pair: &Pair) -> bool {
    pair.modem.state().channels[0].link.is_some()
}

/// The close succeeds, and the module has no connection any more.
fn closes(pair: &mut Pair, socket: SocketId, why: &str) {
    assert!(matches!(pair.close(socket), Ok(Response::Closed)), "{why}, {}", pair.story());
    assert!(!has_connection(pair), "{why}, {}", pair.story());
}

/// A socket whose closes the module refuses.
fn refusing() -> (Pair, SocketId) {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead_times(1_000, "AT+CIPCLOSE", "\r\nERROR\r\n");
    (pair, socket)
}

#[test]
fn every_refusal_of_a_close_is_a_closed_channel() {
    let mut pair = Pair::online();
    for (text, _) in refusals() {
        // The module has closed the connection.
        let socket = pair.channel_open();
        pair.before("AT+CIPCLOSE", &text);
        closes(&mut pair, socket, &text);
        // It has not: the close is written again.
        let socket = pair.channel_open();
        pair.instead("AT+CIPCLOSE", &text);
        let before = (pair.wrote("AT+CIPCLOSE"), pair.wrote("AT+CIPSTATUS"));
        closes(&mut pair, socket, &text);
        assert_eq!((pair.wrote("AT+CIPCLOSE"), pair.wrote("AT+CIPSTATUS")), (before.0 + 2, before.1 + 1));
    }
    still_works(&mut pair);
}

#[test]
fn a_close_that_was_damaged_on_its_way_closes_the_connection() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    let mut damages = 1;
    pair.to_modem = Box::new(move |_, bytes| {
        if damages == 0 || !bytes.starts_with(b"AT+CIPCLOSE") {
            return bytes;
        }
        damages -= 1;
        b"AT+CIPCLSOE=0\r".to_vec()
    });
    closes(&mut pair, socket, "damaged");
    still_works(&mut pair);
}

#[test]
fn a_close_that_is_refused_again_and_again_is_an_error_and_the_channel_stays_in_use() {
    let (mut pair, socket) = refusing();
    let begun = pair.now;
    pair.written.clear();
    let answer = pair.close(socket);
    assert!(matches!(answer, Err(Error::Refused { code: Refusal::Error, .. })), "{answer:?}");
    assert!(pair.now - begun < Duration::from_secs(1));
    assert_eq!((pair.wrote("AT+CIPCLOSE"), pair.wrote("AT+CIPSTATUS")), (2, 2), "{}", pair.story());
    // The close is repeated, more and more seldom up to a bound, and the channel is not used for another connection.
    pair.run_for(Duration::from_secs(60));
    assert!((5..=8).contains(&pair.wrote("AT+CIPCLOSE")), "{} closes", pair.wrote("AT+CIPCLOSE"));
    let before = pair.wrote("AT+CIPCLOSE");
    pair.run_for(Duration::from_secs(600));
    let repeated = pair.wrote("AT+CIPCLOSE") - before;
    assert!((10..=30).contains(&repeated), "{repeated} closes in 10 minutes");
    assert!(has_connection(&pair));
    assert_eq!(pair.channel_open().channel().index(), 1);
    // A close that is asked for again is written at once.
    let before = pair.wrote("AT+CIPCLOSE");
    assert!(pair.close(socket).is_err());
    assert_eq!(pair.wrote("AT+CIPCLOSE") - before, 2);
    pair.heal();
    closes(&mut pair, socket, "healed");
    still_works(&mut pair);
}

/// What the module has said of an earlier connection says nothing of the next one.
#[test]
fn a_refused_close_after_the_end_of_an_earlier_connection_is_examined() {
    let mut pair = Pair::online();
    for _ in 0..2 {
        let socket = pair.channel_open();
        pair.control(Control::PeerClose(0));
        assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::Peer)));
        closes(&mut pair, socket, "an end that was reported");
        let socket = pair.channel_open();
        assert_eq!(socket.channel().index(), 0);
        pair.instead("AT+CIPCLOSE", "\r\nERROR\r\n");
        closes(&mut pair, socket, "the connection after it");
    }
}

/// A connection that is ending by itself needs no other close.
#[test]
fn a_refused_close_is_a_closed_channel_if_the_connection_is_ending() {
    for state in ["CLOSING", "REMOTE CLOSING"] {
        let (mut pair, socket) = refusing();
        let row = format!("\r\nC: 0,0,\"TCP\",\"1.2.3.4\",\"80\",\"{state}\"\r\n");
        pair.instead("AT+CIPSTATUS", format!("\r\nOK\r\n\r\nSTATE: IP PROCESSING\r\n{row}"));
        assert!(matches!(pair.close(socket), Ok(Response::Closed)), "{state}, {}", pair.story());
        assert_eq!(pair.wrote("AT+CIPCLOSE"), 1, "{state}");
    }
}

#[test]
fn a_refused_close_without_a_status_is_no_success() {
    let (mut pair, socket) = refusing();
    pair.instead_times(1_000, "AT+CIPSTATUS", "\r\nERROR\r\n");
    let answer = pair.call(Request::Close { socket, timeout: Duration::from_secs(20) });
    assert!(matches!(answer, Err(Error::Timeout { .. })), "{answer:?}");
    let commands = pair.wrote("AT+CIPCLOSE") + pair.wrote("AT+CIPSTATUS");
    assert!(commands <= 30, "{commands} commands in 20 s");
    pair.heal();
    pair.run_for(Duration::from_secs(32));
    assert!(!has_connection(&pair));
    still_works(&mut pair);
}

/// A close after `CLOSED` is refused by firmware, and that agrees with what the module has said.
#[test]
fn the_refused_close_of_a_connection_that_has_ended_needs_no_question() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.written.clear();
    pair.control(Control::PeerClose(0));
    assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::Peer)));
    assert!(matches!(pair.close(socket), Ok(Response::Closed)));
    assert_eq!((pair.wrote("AT+CIPCLOSE"), pair.wrote("AT+CIPSTATUS")), (1, 0), "{}", pair.story());
}

#[test]
fn every_refusal_of_a_fetch_ends_the_socket_or_is_tried_again() {
    for (text, refusal) in refusals() {
        let mut pair = online(ReceiveMode::Manual);
        let socket = pair.channel_open();
        pair.send(socket, b"hello").unwrap();
        assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
        pair.instead("AT+CIPRXGET=2", &text);
        pair.send(socket, b"world").unwrap();
        match pair.read(socket, 5) {
            Ok(bytes) => assert_eq!(bytes, b"world"),
            Err(Error::Closed(CloseReason::PeerWithDataLost | CloseReason::Peer)) => {}
            other => panic!("{text:?}: {other:?}"),
        }
        // A lasting refusal is an error.
        let mut pair = online(ReceiveMode::Manual);
        let socket = pair.channel_open();
        for _ in 0..3 {
            pair.instead("AT+CIPRXGET=2", &text);
        }
        pair.send(socket, b"hello").unwrap();
        match pair.read_to_end(socket).1 {
            Error::Closed(CloseReason::PeerWithDataLost | CloseReason::Peer) => {}
            Error::Closed(CloseReason::ReceiveRefused(got)) => assert_eq!(got, refusal),
            other => panic!("{text:?}: {other}"),
        }
    }
}

#[test]
fn every_refusal_of_a_command_is_its_error() {
    let mut pair = Pair::online();
    for (text, refusal) in refusals() {
        pair.instead("AT+CSQ", &text);
        match pair.command("AT+CSQ", Duration::from_secs(1)) {
            Err(Error::Refused { code, .. }) => assert_eq!(code, refusal, "{text:?}"),
            other => panic!("{text:?}: {other:?}"),
        }
    }
    still_works(&mut pair);
}

// ----------------------------------------------------------------------------------------------------- receiving

#[test]
fn an_unsolicited_line_within_an_answer_is_not_part_of_the_answer() {
    let mut pair = online(ReceiveMode::Manual);
    let socket = pair.channel_open();
    let reply = "\r\n+CIPRXGET: 1,0\r\n\r\n+CSQ: 24,99\r\n\r\n+CIPRXGET: 1,0\r\n\r\nOK\r\n";
    let before = pair.wrote("AT+CIPRXGET=2,0");
    pair.instead("AT+CSQ", reply);
    assert_eq!(pair.command("AT+CSQ", Duration::from_secs(1)).unwrap(), ["+CSQ: 24,99"]);
    assert!(pair.wrote("AT+CIPRXGET=2,0") > before, "the data were not fetched");
    pair.instead("AT+CREG?", "\r\n+CREG: 5\r\n\r\n+CREG: 0,1\r\n\r\n+CREG: 2\r\n\r\nOK\r\n");
    assert_eq!(pair.command("AT+CREG?", Duration::from_secs(1)).unwrap(), ["+CREG: 0,1"]);
    let _ = socket;
}

#[test]
fn data_within_an_answer_are_not_part_of_the_answer() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CSQ", "\r\n+CSQ: 24,99\r\n\r\n+RECEIVE,0,10:\r\n\r\nERROR\r\n!\r\nOK\r\n");
    assert_eq!(pair.command("AT+CSQ", Duration::from_secs(1)).unwrap(), ["+CSQ: 24,99"]);
    assert_eq!(pair.read(socket, 10).unwrap(), b"\r\nERROR\r\n!");
}

#[test]
fn lines_of_a_module_within_payload_are_payload() {
    let payload: &[u8] = b"\r\nOK\r\n\r\nERROR\r\n\r\n0, CLOSED\r\n\r\n+RECEIVE,1,3:\r\nabc\r\nRDY\r\n\r\n> \r\n+PDP: DEACT\r\n\
        \r\n+CIPRXGET: 2,0,5,0\r\nhello\r\n\r\nOK\r\n";
    for mode in both_modes() {
        for chunk in 1..40 {
            let config = Config::default().receive_mode(mode);
            let mut pair = Pair::with(config, Settings::default()).in_chunks_of(chunk).ready();
            let socket = pair.channel_open();
            let command = pair.ask(Request::query(&Signal));
            assert_eq!(pair.send(socket, payload).unwrap(), payload.len());
            assert_eq!(pair.read(socket, payload.len()).unwrap(), payload);
            assert!(matches!(pair.answer(command), Ok(Response::Reply(_))));
            assert!(!pair.saw(|event| matches!(event, Event::Closed(..) | Event::Restarted)));
        }
    }
}

#[test]
fn a_pushed_frame_cut_short_ends_every_socket_that_may_lack_a_frame() {
    let mut pair = Pair::online();
    let (socket, other) = (pair.channel_open(), pair.channel_open());
    pair.inject(b"\r\n+RECEIVE,0,3:\r\nabc\r\n+RECEIVE,0,100:\r\nonly a few bytes\r\nOK\r\n");
    let (read, end) = pair.read_to_end(socket);
    assert_eq!(read, b"abc");
    assert!(matches!(end, Error::Closed(CloseReason::Truncated { lost: 100 })), "{end}");
    // The missing bytes may include a whole frame of another channel.
    let (read, end) = pair.read_to_end(other);
    assert!(read.is_empty());
    assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{end}");
    pair.close(socket).unwrap();
    pair.close(other).unwrap();
    still_works(&mut pair);
}

#[test]
fn a_fetched_body_cut_short_by_a_close_ends_the_socket_as_in_capture_s07() {
    let mut pair = online(ReceiveMode::Manual);
    let first = pair.channel_open();
    let cut = "\r\n+CIPRXGET: 2,0,63,176\r\nie: connect.sid=s%3AHppfMVIrDeQ3Z7wuBx\r\n\r\n0, CLOSE OK\r\n";
    pair.instead("AT+CIPRXGET=2,0", cut);
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    let (read, end) = pair.read_to_end(first);
    assert!(read.is_empty(), "a part of the frame was delivered");
    assert!(matches!(end, Error::Closed(CloseReason::Truncated { lost: 63 })), "{end}");
    pair.close(first).unwrap();
    still_works(&mut pair);
}

#[test]
fn a_body_shorter_than_announced_yields_no_wrong_byte() {
    let data = [b'x'; 100];
    for mode in both_modes() {
        // In manual mode, fewer missing bytes would be filled by the line ends of the answer, and no damage would show.
        for missing in [20, 50, 100] {
            let mut pair = online(mode);
            let socket = pair.channel_open();
            pair.send(socket, b"first").unwrap();
            assert_eq!(pair.read(socket, 5).unwrap(), b"first");
            pair.control(Control::fault(fault::ShortBody { missing }));
            pair.send(socket, &data).unwrap();
            let (read, end) = pair.read_to_end(socket);
            assert!(read.is_empty(), "{read:?}");
            assert!(matches!(end, Error::Closed(CloseReason::Truncated { lost: 100 })), "{end}");
            pair.close(socket).unwrap();
            still_works(&mut pair);
        }
    }
}

// ---------------------------------------------------------------------------------------------------- connecting

fn silent_peer(pair: &mut Pair) {
    pair.modem.network_mut().serve("silent.test", 80, Peer::silent());
}

#[test]
fn connect_fail_after_75_s_is_the_error_of_the_connection() {
    let mut pair = Pair::online();
    silent_peer(&mut pair);
    let begun = pair.now;
    let answer = pair.connect("silent.test", 80);
    assert!(matches!(answer, Err(Error::ConnectFailed(Refusal::ConnectFail))), "{answer:?}");
    assert_eq!(pair.now - begun, Duration::from_secs(75));
    still_works(&mut pair);
}

#[test]
fn connect_fail_after_75_s_within_another_command_is_ignored_as_in_capture_s04() {
    let mut pair = Pair::online();
    silent_peer(&mut pair);
    let ticket = pair.connecting("silent.test", 80, Duration::from_secs(10));
    assert!(matches!(pair.answer(ticket), Err(Error::Timeout { .. })));
    pair.run_for(Duration::from_secs(60));
    pair.instead("AT+CSCS", "\r\n0, CONNECT FAIL\r\n\r\nOK\r\n");
    assert!(pair.command("AT+CSCS=\"GSM\"", Duration::from_secs(1)).unwrap().is_empty());
    // It is also not believed for the next connection on the same channel, while that is being made.
    let ticket = pair.connecting("silent.test", 80, Duration::from_secs(10));
    pair.inject(b"\r\n0, CONNECT FAIL\r\n");
    assert!(matches!(pair.answer(ticket), Err(Error::Timeout { .. })));
    still_works(&mut pair);
}

#[test]
fn a_connection_that_blocks_the_module_gives_its_late_error_to_no_other_command() {
    // The vendor dialect answers nothing for 60 s, and then reports the failure.
    let settings = Settings::default().profile(Profile::vendor8910());
    let mut pair = Pair::with(Config::default(), settings).ready();
    silent_peer(&mut pair);
    let socket = pair.channel_open();
    let connecting = pair.connecting("silent.test", 80, Duration::from_secs(120));
    let send = pair.sending(socket, b"hello");
    assert!(matches!(pair.answer(connecting), Err(Error::ConnectFailed(Refusal::ConnectFail))));
    assert!(matches!(pair.answer(send), Ok(Response::Sent { accepted: 5, .. })), "{}", pair.story());
    assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
    let connecting = pair.connecting("silent.test", 80, Duration::from_secs(120));
    assert_eq!(pair.command("AT+CSQ", Duration::from_secs(70)).unwrap(), ["+CSQ:24,99"]);
    assert!(matches!(pair.answer(connecting), Err(Error::ConnectFailed(_))));
    still_works(&mut pair);
}

#[test]
fn an_abandoned_blocking_connection_still_blocks_and_its_error_answers_no_other_command() {
    for mode in [ReceiveMode::Push, ReceiveMode::Manual] {
        for seconds in [2, 10, 30, 59, 60] {
            let settings = Settings::default().profile(Profile::vendor8910());
            let mut pair = Pair::with(Config::default().receive_mode(mode), settings).ready();
            silent_peer(&mut pair);
            let socket = pair.channel_open();
            let connecting = pair.connecting("silent.test", 80, Duration::from_secs(seconds));
            assert!(matches!(pair.answer(connecting), Err(Error::Timeout { .. })), "{mode:?} {seconds}");
            let send = pair.sending(socket, b"hello");
            let answer = pair.answer(send);
            let story = pair.story();
            assert!(matches!(answer, Ok(Response::Sent { accepted: 5, .. })), "{mode:?} {seconds} {story}");
            assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
            assert!(
                !pair.saw(|event| matches!(event, Event::Fault(_) | Event::Closed(..))),
                "{mode:?} {seconds}"
            );
            still_works(&mut pair);
        }
    }
}

#[test]
fn abandoned_blocking_connections_block_one_after_the_other() {
    for mode in [ReceiveMode::Push, ReceiveMode::Manual] {
        for count in 2..=4 {
            let settings = Settings::default().profile(Profile::vendor8910());
            let mut pair = Pair::with(Config::default().receive_mode(mode), settings).ready();
            silent_peer(&mut pair);
            let socket = pair.channel_open();
            let given_up: Vec<_> =
                (0..count).map(|_| pair.connecting("silent.test", 80, Duration::from_secs(5))).collect();
            for ticket in given_up {
                assert!(matches!(pair.answer(ticket), Err(Error::Timeout { .. })), "{mode:?} {count}");
            }
            let send = pair.sending(socket, b"hello");
            let answer = pair.command("AT+CSQ", Duration::from_secs(400));
            let story = pair.story();
            assert_eq!(answer.unwrap(), ["+CSQ:24,99"], "{mode:?} {count} {story}");
            assert!(matches!(pair.answer(send), Ok(Response::Sent { accepted: 5, .. })), "{mode:?} {count}");
            assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
            assert!(
                !pair.saw(|event| matches!(event, Event::Fault(_) | Event::Closed(..) | Event::Unresponsive)),
                "{mode:?} {count}"
            );
            still_works(&mut pair);
        }
    }
}

#[test]
fn an_answer_while_a_failure_is_in_doubt_does_not_prove_that_connections_do_not_block() {
    let settings = Settings::default().profile(Profile::vendor8910());
    let mut pair = Pair::with(Config::default(), settings).ready();
    silent_peer(&mut pair);
    let sockets: Vec<_> = (0..7).map(|_| pair.channel_open()).collect();
    let given_up = pair.connecting("silent.test", 80, Duration::from_secs(2));
    assert!(matches!(pair.answer(given_up), Err(Error::Timeout { .. })));
    let answer = pair.connect("closed.test", 81);
    assert!(matches!(answer, Err(Error::ConnectFailed(_))), "{answer:?} {}", pair.story());
    let connecting = pair.connecting("silent.test", 80, Duration::from_secs(120));
    assert_eq!(pair.command("AT+CSQ", Duration::from_secs(70)).unwrap(), ["+CSQ:24,99"], "{}", pair.story());
    assert!(matches!(pair.answer(connecting), Err(Error::ConnectFailed(_))));
    for socket in sockets {
        assert_eq!(pair.send(socket, b"hello").unwrap(), 5, "{}", pair.story());
    }
}

#[test]
fn a_close_with_unclear_answers_is_repeated_at_a_bounded_rate() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CSQ", "");
    assert!(pair.command("AT+CSQ", Duration::from_secs(1)).is_err(), "the answer is lost, and may come late");
    pair.instead_times(1_000, "AT+CIPCLOSE", "\r\n+CME ERROR: 10\r\n\r\n0, CLOSE OK\r\n");
    assert!(pair.close(socket).is_err());
    let before = pair.wrote("AT+CIPCLOSE");
    pair.run_for(Duration::from_secs(10));
    let closes = pair.wrote("AT+CIPCLOSE") - before;
    assert!((1..=11).contains(&closes), "{closes} closes in 10 s");
    pair.heal();
    pair.run_for(Duration::from_secs(2));
    still_works(&mut pair);
}

#[test]
fn a_connection_that_never_answers_times_out_and_its_channel_is_used_again() {
    let settings = Settings::default().connect_timeout(Duration::MAX);
    let mut pair = Pair::with(Config::default(), settings).ready();
    silent_peer(&mut pair);
    for _ in 0..10 {
        let tickets: Vec<_> =
            (0..8).map(|_| pair.connecting("silent.test", 80, Duration::from_secs(30))).collect();
        for ticket in tickets {
            assert!(matches!(pair.answer(ticket), Err(Error::Timeout { .. })));
        }
    }
    still_works(&mut pair);
}

/// For 75 s the late result of the abandoned connect may come.
#[test]
fn the_channel_of_an_abandoned_connection_is_used_last() {
    let settings = Settings::default().connect_timeout(Duration::MAX);
    let mut pair = Pair::with(Config::default(), settings).ready();
    silent_peer(&mut pair);
    let ticket = pair.connecting("silent.test", 80, Duration::from_secs(5));
    assert!(matches!(pair.answer(ticket), Err(Error::Timeout { .. })));
    for (pause, channel) in [(5, 1), (75, 0)] {
        pair.run_for(Duration::from_secs(pause));
        let socket = pair.channel_open();
        assert_eq!(socket.channel().index(), channel, "after {pause} s more");
        pair.close(socket).unwrap();
    }
}

#[test]
fn a_late_connect_ok_of_an_abandoned_connection_leads_to_a_close() {
    let mut pair = Pair::online();
    pair.modem.network_mut().set_latency(Duration::from_secs(10));
    let ticket = pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(5));
    assert!(matches!(pair.answer(ticket), Err(Error::Timeout { .. })));
    pair.run_for(Duration::from_secs(60));
    let open = pair.modem.state().channels.iter().filter(|channel| channel.link.is_some()).count();
    assert_eq!(open, 0, "a connection without a socket stays open");
}

#[test]
fn a_channel_in_use_is_avoided_for_every_spelling_of_the_refusal() {
    for words in ["ALREADY CONNECT", "ALREAY CONNECT", "ALREADY OPENED"] {
        for blank in ["", " "] {
            for first in ["\r\nOK\r\n", "\r\n+CME ERROR: 65535\r\n", ""] {
                let mut pair = Pair::online();
                pair.instead("AT+CIPSTART=0", format!("{first}\r\n0,{blank}{words}\r\n"));
                let socket = pair.channel_open();
                assert_eq!(socket.channel().index(), 1, "{first:?} {words}");
                pair.send(socket, b"hello").unwrap();
                assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
                assert_eq!(pair.wrote("AT+CIPCLOSE=0"), 1, "the channel is closed before it is used again");
                still_works(&mut pair);
            }
        }
    }
}

#[test]
fn a_module_with_all_channels_in_use_refuses_the_connection() {
    let mut pair = Pair::online();
    for channel in 0..8 {
        pair.instead(
            &format!("AT+CIPSTART={channel}"),
            format!("\r\nOK\r\n\r\n{channel}, ALREADY CONNECT\r\n"),
        );
    }
    let answer = pair.connect(ECHO.0, ECHO.1);
    assert!(matches!(answer, Err(Error::ConnectFailed(Refusal::AlreadyConnect))), "{answer:?}");
}

#[test]
fn connect_ok_without_its_line_end_is_read_after_a_moment() {
    for spelling in [
        "\r\nOK\r\n\r\n0, CONNECT OK",
        "\r\nOK\r\n\r\n\r\n0,CONNECT OK\r\n",
        "\r\n0, CONNECT OK\r\n\r\nOK\r\n",
    ] {
        let mut pair = Pair::online();
        pair.instead("AT+CIPSTART=0", spelling);
        let socket = pair.channel_open();
        assert_eq!(socket.channel().index(), 0);
    }
}

/// A USB hub, or a network in front of a serial server, delivers a line in two pieces. Regression: the number was that
/// of the first piece.
#[test]
fn a_number_that_pauses_is_read_as_one() {
    for (first, second) in
        [("\r\n+CME ERROR: 1", "0\r\n"), ("\r\n+CME ERR", "OR: 10\r\n"), ("\r\n+CME ERROR", ": 10\r\n")]
    {
        for pause in [249, 251, 1_900].map(Duration::from_millis) {
            let mut pair = Pair::online();
            pair.instead("AT+CGMM", first);
            let ticket = pair.ask(Request::Run(Command::of_user("AT+CGMM", MINUTE).unwrap()));
            pair.run_for(pause);
            pair.inject(second.as_bytes());
            let answer = pair.answer(ticket);
            assert!(
                matches!(&answer, Err(Error::Refused { code: Refusal::Cme(code), .. }) if code.code() == 10),
                "{first:?}, {pause:?}: {answer:?}"
            );
        }
    }
    for pause in [249, 251, 1_900].map(Duration::from_millis) {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.instead("hello hello", "\r\nDATA ACCEPT:0,1");
        let ticket = pair.sending(socket, b"hello hello");
        pair.run_for(pause);
        pair.inject(b"1\r\n");
        assert!(matches!(pair.answer(ticket), Ok(Response::Sent { accepted: 11, .. })), "{pause:?}");
        pair.run_for(MINUTE);
        assert!(!pair.saw(|event| matches!(event, Event::Closed(..) | Event::Fault(_))), "{}", pair.story());
    }
}

/// The line lost the end of an answer with all that came up to the next command: perhaps a whole frame.
#[test]
fn an_answer_that_stands_torn_at_its_timeout_is_damage() {
    let timeout = Duration::from_secs(20);
    for (came, is_damage) in
        [("", false), ("\r\nAirM2M_720U_V40", true), ("\r\nAirM2M_720U_V401881_LTE_AT\r\n", false)]
    {
        let mut pair = online(ReceiveMode::Push);
        let socket = pair.channel_open();
        pair.instead("ATI", came);
        let answer = pair.command("ATI", timeout);
        assert!(answer.is_err(), "{answer:?}");
        pair.run_for(MINUTE);
        let ended = pair.saw(|event| *event == Event::Closed(socket, Some(CloseReason::Damaged)));
        assert_eq!(ended, is_damage, "{came:?}: {}", pair.story());
    }
}

#[test]
fn a_name_that_does_not_resolve_fails_the_connection() {
    let mut pair = Pair::online();
    let answer = pair.connect("nowhere.test", 80);
    assert!(matches!(answer, Err(Error::ConnectFailed(Refusal::ConnectFail))), "{answer:?}");
    still_works(&mut pair);
}

// ------------------------------------------------------------------------------------------------------- the line

/// Pseudo-random bytes.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        (0..self.next() % most).map(|_| self.next() as u8).collect()
    }
}

/// Sends and reads. The bytes have to be correct, or the socket has to end with a typed error.
fn traffic(pair: &mut Pair, socket: SocketId, rounds: u8) {
    for round in 0..rounds {
        let data = vec![round; 30];
        match pair.send(socket, &data) {
            Ok(30) => {}
            Ok(_) | Err(Error::Closed(_)) => return,
            Err(error) => panic!("{error}"),
        }
        match pair.read(socket, 30) {
            Ok(bytes) => assert_eq!(bytes, data),
            Err(Error::Closed(_) | Error::Overrun { .. }) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn garbage_between_lines_is_skipped() {
    for mode in both_modes() {
        for seed in 1..400 {
            let mut pair = online(mode);
            let socket = pair.channel_open();
            let mut noise = Noise(seed * 0x9e37_79b9);
            pair.to_host = Box::new(move |_, bytes| match noise.next() % 3 {
                0 => [noise.bytes(20), bytes].concat(),
                _ => bytes,
            });
            let signal = pair.call(Request::query(&Signal));
            assert!(!matches!(&signal, Ok(other) if !matches!(other, Response::Reply(_))), "{signal:?}");
            traffic(&mut pair, socket, 5);
            pair.to_host = Box::new(|_, bytes| bytes);
            pair.run_for(Duration::from_secs(400));
            let ticket = pair.ask(Request::WaitReady { timeout: Duration::from_secs(120) });
            assert!(matches!(pair.answer(ticket), Ok(Response::Ready)), "seed {seed}, {}", pair.story());
            let _ = pair.close(socket);
            still_works(&mut pair);
        }
    }
}

#[test]
fn stray_blank_lines_change_nothing() {
    let mut pair = Pair::new();
    pair.to_host = Box::new(|_, bytes| match bytes.starts_with(b"\r\n") {
        true => [b"\r\n\r\n \r\n\0", &bytes[..]].concat(),
        false => bytes,
    });
    still_works(&mut pair.ready());
}

#[test]
fn an_unexpected_echo_shows_a_restart() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CSQ", "AT+CSQ\r\r\n+CSQ: 24,99\r\n\r\nOK\r\n");
    let answer = pair.command("AT+CSQ", Duration::from_secs(1));
    assert!(matches!(answer, Err(Error::ModemRestarted)), "{answer:?}");
    assert!(matches!(pair.read_to_end(socket).1, Error::ModemRestarted));
    let ready = pair.call(Request::WaitReady { timeout: Duration::from_secs(60) });
    assert!(matches!(ready, Ok(Response::Ready)), "{ready:?}");
    still_works(&mut pair);
}

#[test]
fn a_line_without_an_end_and_an_impossible_header_end_the_socket() {
    for garbage in [
        &[b'x'; 5000][..],
        b"\r\n+RECEIVE,9,4:\r\nOK\r\n",
        b"\r\n+RECEIVE,0,99999:\r\n",
        b"\r\n+CIPRXGET: 2,12,4,0\r\nOK\r\n",
    ] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.inject(garbage);
        let faults = pair.events.iter().filter(|event| matches!(event, Event::Fault(_))).count();
        assert_eq!(faults, 1, "{}", pair.story());
        assert_eq!(pair.engine.statistics().faults, 1);
        assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::Damaged)));
        pair.close(socket).unwrap();
        still_works(&mut pair);
    }
}
