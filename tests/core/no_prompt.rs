//! Sends without a prompt (`AT+CIPSPRT=0`): the payload is written with its command. After any loss, refusal or delay
//! no payload is executed as a command, no byte is lost or doubled without an error, and a prompt that comes
//! nevertheless ends the mode.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::Pair;
use air724ug::error::CloseReason;
use air724ug::proto::{Event, Request, Response, SocketId, Ticket};
use air724ug::sim::{Control, Link, ModemEvent, Peer, Settings};
use air724ug::{Config, Error, ReceiveMode};

/// The result of a send of five bytes on the first channel.
const ACCEPT: &[u8] = b"\r\nDATA ACCEPT:0,5\r\n";

fn config() -> Config {
    Config::default().send_prompt(false)
}

fn online() -> Pair {
    Pair::with(config(), Settings::default()).ready()
}

/// An open socket, and its link on the network.
fn open(pair: &mut Pair) -> (SocketId, Link) {
    let socket = pair.channel_open();
    (socket, pair.modem.network().last_link().unwrap())
}

fn peer_got(pair: &Pair, link: Link) -> String {
    pair.modem.network().received(link).escape_ascii().to_string()
}

/// The commands that the modem has executed since bring-up.
fn executed(pair: &Pair) -> Vec<String> {
    let commands = pair.modem_events.iter().filter_map(|event| match event {
        ModemEvent::Command(text) => Some(text.clone()),
        _ => None,
    });
    commands.collect()
}

/// A send of five bytes after one of one byte. Its result is lost on the line.
fn sending_without_result() -> (Pair, SocketId, Link, Ticket) {
    let mut pair = online();
    let (socket, link) = open(&mut pair);
    assert_eq!(pair.send(socket, b"x").unwrap(), 1);
    pair.to_host = Box::new(|_, bytes| bytes.strip_prefix(ACCEPT).map_or(bytes.clone(), <[u8]>::to_vec));
    let ticket = pair.sending(socket, b"hello");
    (pair, socket, link, ticket)
}

#[test]
fn a_payload_goes_out_with_its_command() {
    for receive_mode in [ReceiveMode::Push, ReceiveMode::Manual] {
        let mut pair = Pair::with(config().receive_mode(receive_mode), Settings::default()).ready();
        let (socket, link) = open(&mut pair);
        pair.written.clear();
        assert_eq!(pair.send(socket, b"hello").unwrap(), 5);
        assert_eq!(pair.send(socket, b"again!").unwrap(), 6);
        let expected = b"AT+CIPSPRT=0\r\nAT+CIPSEND=0,5\r\nhello";
        assert!(pair.written.starts_with(expected), "{}", pair.written.escape_ascii());
        assert_eq!((pair.wrote("AT+CIPSPRT"), pair.wrote("AT+CIPSEND=0,6\r\nagain!")), (1, 1));
        assert_eq!(pair.read(socket, 11).unwrap(), b"helloagain!");
        assert_eq!(peer_got(&pair, link), "helloagain!");
        pair.close(socket).unwrap();
    }
}

/// There is no line end between the echo of the command and that of its payload, so the echo was taken for damage
/// (noise seed 3147502).
#[test]
fn a_module_whose_echo_cannot_be_switched_off_keeps_its_prompt() {
    for chunk in [1, 11, 2_000] {
        let mut pair = Pair::with(config(), Settings::default()).in_chunks_of(chunk);
        pair.instead("ATE0", "ATE0\r\r\nOK\r\n");
        let mut pair = pair.ready();
        let (socket, link) = open(&mut pair);
        let payload = [b'x'; 3_000];
        assert_eq!(pair.send(socket, &payload).unwrap(), payload.len(), "by {chunk}");
        assert_eq!(pair.read(socket, payload.len()).unwrap(), payload, "by {chunk}");
        assert_eq!(peer_got(&pair, link).len(), payload.len());
        assert!(pair.saw(|event| matches!(event, Event::SendPromptKept)), "by {chunk}");
    }
}

/// The module has accepted the piece, and an error came in place of its result. A refused question proves nothing.
#[test]
fn a_refused_question_for_the_count_does_not_prove_that_a_piece_was_refused() {
    for refusal in ["\r\nERROR\r\n", "\r\n+CME ERROR: 3\r\n"] {
        let mut pair = online();
        let (socket, link) = open(&mut pair);
        assert_eq!(pair.send(socket, b"x").unwrap(), 1);
        let result = refusal.as_bytes().to_vec();
        pair.to_host = Box::new(move |_, bytes| match bytes.strip_prefix(ACCEPT) {
            Some(rest) => [&result, rest].concat(),
            None => bytes,
        });
        pair.instead("AT+CIPACK=0", refusal);
        let sent = pair.send(socket, b"hello");
        assert!(matches!(sent, Err(Error::Closed(CloseReason::SendUnconfirmed))), "{sent:?}");
        assert_eq!(peer_got(&pair, link), "xhello");
    }
}

/// The module reads a refused piece as commands. None of these bytes is one, in whatever pieces they are tried.
#[test]
fn a_refused_piece_is_written_again_and_executed_as_nothing() {
    let mut data: Vec<u8> = (0..200_000).map(Peer::source_byte).collect();
    for (index, place) in (1_000..199_000).step_by(1_400).enumerate() {
        let command = ["\rATZ\r", "\rATE1\r"][index % 2];
        data[place..place + command.len()].copy_from_slice(command.as_bytes());
    }
    refused_and_written_again(data);
    // Pieces end with `AT`, and a command follows each.
    refused_and_written_again(b"\x81AT".repeat(200_000 / 3 + 1)[..200_000].to_vec());
}

fn refused_and_written_again(data: Vec<u8>) {
    let mut pair = online();
    pair.modem.network_mut().serve("slow.test", 9, Peer::discard().never_reads());
    let socket = pair.connect("slow.test", 9).unwrap();
    let link = pair.modem.network().last_link().unwrap();
    let timeout = Duration::from_secs(600);
    let before = executed(&pair).len();
    let ticket = pair.ask(Request::Send { socket, data: data.clone(), timeout });
    for turn in 0.. {
        pair.run_for(Duration::from_secs(3));
        pair.modem.network_mut().set_reading(link, turn % 2 == 0);
        match pair.answered(ticket) {
            None => {}
            Some(Ok(Response::Sent { accepted: 200_000, .. })) => break,
            Some(answer) => panic!("{:?}", answer.map(|_| "not all")),
        }
    }
    pair.modem.network_mut().set_reading(link, true);
    pair.run_for(Duration::from_secs(20));
    assert!(pair.modem.network().received(link) == data, "other bytes");
    let statistics = pair.engine.socket_statistics(socket).unwrap();
    assert!(statistics.refusals > 0, "the buffer was never full");
    let strange: Vec<String> = executed(&pair)[before..]
        .iter()
        .filter(|text| {
            let known = ["AT+CIPSEND=", "AT+CIPACK=", "AT+CIPSPRT="];
            let is_question =
                text.ends_with('?') || *text == "AT+CSQ" || *text == "AT+CGSN" || *text == "ATI";
            !known.iter().any(|known| text.starts_with(known)) && !is_question
        })
        .cloned()
        .collect();
    assert_eq!(strange, [""; 0], "executed");
}

/// The line loses the command. The module reads the payload twice in a row: the piece, and the bytes that end its wait.
#[test]
fn a_piece_that_is_written_twice_is_executed_as_nothing() {
    let mut data = vec![0x81; 900];
    for more in 0..4 {
        data.extend_from_slice(b"\rAT+CNETLIGHT=0\r");
        data.extend_from_slice(&vec![0x81; 900 + more]);
    }
    data.extend_from_slice(b"\rA");
    for send_prompt in [false, true] {
        for lost in 1..10 {
            let mut pair =
                Pair::with(Config::default().send_prompt(send_prompt), Settings::default()).ready();
            let (socket, _) = open(&mut pair);
            assert_eq!(pair.send(socket, b"binary").unwrap(), 6);
            let mut sends = 0;
            pair.to_modem = Box::new(move |_, mut bytes| {
                sends += usize::from(bytes.starts_with(b"AT+CIPSEND="));
                if sends == lost && bytes.starts_with(b"AT+CIPSEND=") {
                    let end = bytes.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
                    bytes.drain(..end);
                }
                bytes
            });
            let ticket = pair.sending(socket, &data);
            let answer = pair.answer(ticket);
            let is_all = matches!(answer, Ok(Response::Sent { accepted, .. }) if accepted == data.len());
            assert!(!is_all || lost > 5, "{answer:?}");
            assert!(!executed(&pair).iter().any(|text| text.contains("CNETLIGHT")), "{lost} lost");
        }
    }
}

/// The module refuses a send before the line has carried its payload.
#[test]
fn a_full_buffer_does_not_end_a_connection_on_a_slow_line() {
    for baud in [4_800, 9_600, 38_400] {
        let mut pair = Pair::with(config().baud_rate(baud), Settings::default().baud(Some(baud))).ready();
        pair.modem.network_mut().serve("slow.test", 9, Peer::discard().never_reads());
        let socket = pair.connect("slow.test", 9).unwrap();
        let link = pair.modem.network().last_link().unwrap();
        let data: Vec<u8> = (0..120_000).map(Peer::source_byte).collect();
        let timeout = Duration::from_secs(3_000);
        let ticket = pair.ask(Request::Send { socket, data: data.clone(), timeout });
        pair.run_until(|pair| pair.engine.socket_statistics(socket).is_none_or(|seen| seen.refusals > 3));
        pair.modem.network_mut().set_reading(link, true);
        let answer = pair.answer(ticket);
        assert!(matches!(answer, Ok(Response::Sent { accepted: 120_000, .. })), "{baud} baud: {answer:?}");
        pair.run_for(Duration::from_secs(20));
        assert!(pair.modem.network().received(link) == data, "{baud} baud: other bytes");
    }
}

/// `SEND OK` has no length. So the result of a piece can't be distinguished from a repeated result of the piece before.
#[test]
fn firmware_that_says_send_ok_is_used_with_the_prompt() {
    let mut pair = Pair::with(config(), Settings::default());
    pair.instead("AT+CIPQSEND=1", "\r\nERROR\r\n");
    let mut pair = pair.ready();
    let (socket, link) = open(&mut pair);
    assert_eq!(pair.send(socket, b"first").unwrap(), 5);
    pair.to_modem = Box::new(|_, _| Vec::new());
    let ticket = pair.sending(socket, b"second");
    pair.inject(b"\r\n0, SEND OK\r\n");
    let answer = pair.answer(ticket);
    assert!(!matches!(answer, Ok(Response::Sent { accepted: 6, .. })), "{answer:?}");
    assert_eq!((pair.wrote("AT+CIPSPRT=0"), peer_got(&pair, link).as_str()), (0, "first"));
}

/// The firmware accepts `AT+CIPQSEND=1` and says `SEND OK` all the same.
#[test]
fn a_send_ok_in_quick_mode_ends_the_mode() {
    for wrong in [&b"\r\n0, SEND OK\r\n"[..], b"\r\nSEND OK\r\n"] {
        let mut pair = online();
        let (socket, link) = open(&mut pair);
        pair.to_host = Box::new(|_, bytes| if bytes.starts_with(ACCEPT) { wrong.to_vec() } else { bytes });
        assert_eq!(pair.send(socket, b"hello").unwrap(), 5);
        let begun = pair.now;
        assert_eq!(pair.send(socket, b"again").unwrap(), 5);
        assert!(pair.now - begun < Duration::from_secs(1), "{:?}", pair.now - begun);
        assert!(pair.saw(|event| *event == Event::SendPromptKept));
        assert!(peer_got(&pair, link).starts_with("helloagain"));
    }
}

#[test]
fn an_error_of_another_command_does_not_end_a_send() {
    for late in [1, 100, 290] {
        let (mut pair, _, link, ticket) = sending_without_result();
        pair.inject(b"\r\nERROR\r\n");
        pair.run_for(Duration::from_millis(late));
        pair.inject(ACCEPT);
        let answer = pair.answer(ticket);
        assert!(matches!(answer, Ok(Response::Sent { accepted: 5, .. })), "{late} ms: {answer:?}");
        assert_eq!(peer_got(&pair, link), "xhello");
    }
}

/// The module has the payload, and its `DATA ACCEPT` is lost: a piece that is written again would be doubled.
#[test]
fn a_piece_that_the_module_has_counted_is_not_written_again_after_an_error() {
    for is_count_lost in [false, true] {
        let mut pair = online();
        let (socket, link) = open(&mut pair);
        assert_eq!(pair.send(socket, b"x").unwrap(), 1);
        if is_count_lost {
            pair.instead("AT+CIPACK=0", "");
        }
        pair.to_host =
            Box::new(
                |_, bytes| if bytes.starts_with(b"\r\nDATA") { b"\r\nERROR\r\n".to_vec() } else { bytes },
            );
        let ticket = pair.sending(socket, b"hello");
        let answer = pair.answer(ticket);
        assert!(matches!(answer, Err(Error::Closed(CloseReason::SendUnconfirmed))), "{answer:?}");
        assert_eq!(peer_got(&pair, link), "xhello");
    }
}

/// The second result is that of the piece before, and the piece in flight has another length.
#[test]
fn a_result_that_comes_twice_does_not_confirm_the_next_piece() {
    for data in [vec![0x81; 4 * 1460], vec![0x81; 5], vec![0x81; 1]] {
        let mut pair = online();
        let (socket, link) = open(&mut pair);
        assert_eq!(pair.send(socket, &data).unwrap(), data.len());
        let written = String::from_utf8_lossy(&pair.written).into_owned();
        let (_, last) = written.rsplit_once("AT+CIPSEND=0,").unwrap();
        let last = last.split('\r').next().unwrap().to_owned();
        // The module takes nothing of the second send.
        pair.to_modem = Box::new(|_, _| Vec::new());
        let ticket = pair.sending(socket, &data);
        pair.inject(format!("\r\nDATA ACCEPT:0,{last}\r\n").as_bytes());
        pair.run_for(Duration::from_secs(1));
        assert_eq!(pair.modem.network().received(link).len(), data.len());
        assert!(pair.answered(ticket).is_none(), "{} bytes", data.len());
    }
}

/// A message that was shortened to differ from the previous one would need one more send.
#[test]
fn equal_messages_take_as_many_sends_as_with_the_prompt() {
    for (len, sends) in [(10, 20), (800, 20), (1460, 20), (2920, 40), (2000, 40), (29_200, 400)] {
        let mut pair = online();
        let (socket, link) = open(&mut pair);
        for _ in 0..20 {
            assert_eq!(pair.send(socket, &vec![0x81; len]).unwrap(), len);
        }
        assert_eq!(pair.modem.network().received(link).len(), 20 * len);
        let (taken, switches) = (pair.wrote("AT+CIPSEND=0,"), pair.wrote("AT+CIPSPRT"));
        assert!(taken <= sends + 1 && switches <= 3, "{len} bytes: {taken} sends, {switches} switches");
    }
}

#[test]
fn a_result_that_is_lost_is_asked_for() {
    let mut pair = online();
    let (socket, link) = open(&mut pair);
    assert_eq!(pair.send(socket, b"x").unwrap(), 1);
    let mut hit = false;
    pair.to_host = Box::new(move |_, bytes| {
        let hits = bytes.starts_with(b"\r\nDATA") && !std::mem::replace(&mut hit, true);
        if hits { Vec::new() } else { bytes }
    });
    assert_eq!(pair.send(socket, b"hello").unwrap(), 5);
    assert_eq!(peer_got(&pair, link), "xhello");
}

/// The line loses bytes of the command, or of the payload.
#[test]
fn a_torn_send_is_reported() {
    for (from, to) in [(0, 4), (3, 12), (10, 17), (12, 13), (14, 16), (15, 16), (16, 17), (18, 30), (0, 36)] {
        let mut pair = online();
        let (socket, link) = open(&mut pair);
        assert_eq!(pair.send(socket, b"x").unwrap(), 1);
        let mut hit = false;
        pair.to_modem = Box::new(move |_, mut bytes| {
            let hits = bytes.starts_with(b"AT+CIPSEND=0,20") && !std::mem::replace(&mut hit, true);
            if hits {
                bytes.drain(from..to);
            }
            bytes
        });
        let ticket = pair.sending(socket, b"reboot: yes; all: no");
        match pair.answer(ticket) {
            Ok(Response::Sent { accepted: 20, .. }) => {
                assert_eq!(peer_got(&pair, link), "xreboot: yes; all: no", "{from}..{to}");
            }
            Err(Error::Closed(CloseReason::SendUnconfirmed | CloseReason::SendRefused(_))) => {}
            answer => panic!("{from}..{to}: {answer:?}"),
        }
        pair.heal();
        let (other, link) = open(&mut pair);
        assert_eq!(pair.send(other, b"still here").unwrap(), 10, "{from}..{to}");
        assert_eq!(peer_got(&pair, link), "still here");
    }
}

#[test]
fn a_prompt_that_comes_nevertheless_ends_the_mode() {
    let (mut pair, socket, link, ticket) = sending_without_result();
    pair.inject(b"\r\n> ");
    pair.to_host = Box::new(|_, bytes| bytes);
    pair.inject(ACCEPT);
    let answer = pair.answer(ticket);
    assert!(matches!(answer, Ok(Response::Sent { accepted: 5, .. })), "{answer:?}");
    pair.written.clear();
    assert_eq!(pair.send(socket, b"again").unwrap(), 5);
    assert_eq!(pair.written.escape_ascii().to_string(), r"AT+CIPSPRT=1\r\nAT+CIPSEND=0,5\r\nagain");
    assert!(pair.saw(|event| *event == Event::SendPromptKept));
    pair.run_for(Duration::from_secs(3_600));
    pair.written.clear();
    assert_eq!(pair.send(socket, b"later").unwrap(), 5);
    assert_eq!(pair.written.escape_ascii().to_string(), r"AT+CIPSEND=0,5\r\nlater");
    assert_eq!(peer_got(&pair, link), "xhelloagainlater");
}

/// A byte of the data came twice, so that their last byte comes after them.
#[test]
fn an_end_of_data_that_looks_like_a_prompt_is_damage() {
    let (mut pair, socket, _, ticket) = sending_without_result();
    pair.inject(b"\r\n+RECEIVE,0,8:\r\n<P00000>>\r\nDATA ACCEPT:0,5\r\n");
    let _ = pair.answer(ticket);
    let (_, end) = pair.read_to_end(socket);
    assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{end}");
}

/// A module that takes nothing before its prompt waits for bytes that were written already.
#[test]
fn a_module_that_takes_payload_after_its_prompt_only_costs_one_socket() {
    let mut pair = online();
    pair.instead("AT+CIPSPRT=0", "\r\nOK\r\n");
    pair.to_modem = Box::new(|_, bytes| {
        let line = bytes.windows(2).position(|two| two == b"\r\n").map_or(bytes.len(), |at| at + 2);
        if bytes.starts_with(b"AT+CIPSEND=") { bytes[..line].to_vec() } else { bytes }
    });
    let (socket, link) = open(&mut pair);
    let ticket = pair.sending(socket, b"hello");
    let answer = pair.answer(ticket);
    assert!(matches!(answer, Err(Error::Closed(CloseReason::SendUnconfirmed))), "{answer:?}");
    assert_eq!(peer_got(&pair, link), "hello", "nothing but its own bytes");
    let (socket, link) = open(&mut pair);
    assert_eq!(pair.send(socket, b"hello").unwrap(), 5);
    assert_eq!(peer_got(&pair, link), "hello");
}

#[test]
fn firmware_that_can_not_switch_the_prompt_off_is_used_with_it() {
    for answer in ["\r\nERROR\r\n", "\r\n+CME ERROR: 3\r\n", ""] {
        let mut pair = online();
        pair.instead("AT+CIPSPRT=0", answer);
        let (socket, link) = open(&mut pair);
        assert_eq!(pair.send(socket, b"hello").unwrap(), 5, "{answer:?}");
        assert_eq!(pair.send(socket, b"again").unwrap(), 5, "{answer:?}");
        assert_eq!(pair.wrote("AT+CIPSPRT=0"), 1, "{answer:?}");
        let kept = pair.events.iter().filter(|event| **event == Event::SendPromptKept).count();
        assert_eq!(kept, 1, "{answer:?}");
        assert_eq!(pair.wrote("AT+CIPSEND=0,5\r\nhello"), 1, "{answer:?}: written after the prompt");
        assert_eq!(peer_got(&pair, link), "helloagain");
    }
}

/// A prompt that the module does not print any more costs one send its time, and not each.
#[test]
fn a_prompt_that_is_missing_is_switched_on_again() {
    let mut pair = online();
    let (socket, link) = open(&mut pair);
    let text = b"look at every line\r\n".repeat(20);
    assert_eq!(pair.send(socket, b"binary").unwrap(), 6);
    pair.instead("AT+CIPSPRT=1", "\r\nOK\r\n");
    assert_eq!(pair.send(socket, &text).unwrap(), text.len());
    let begun = pair.now;
    assert_eq!(pair.send(socket, &text).unwrap(), text.len());
    assert!(pair.now - begun < Duration::from_secs(1), "{:?}", pair.now - begun);
    assert_eq!(pair.modem.network().received(link).len(), 6 + 2 * text.len());
}

#[test]
fn text_keeps_the_prompt() {
    let mut pair = online();
    let (socket, _) = open(&mut pair);
    let text = b"look at every line\r\n".repeat(20);
    pair.written.clear();
    for _ in 0..5 {
        assert_eq!(pair.send(socket, &text).unwrap(), text.len());
        // Within ten seconds a socket of the other kind has it, too.
        assert_eq!(pair.send(socket, b"binary").unwrap(), 6);
    }
    assert_eq!((pair.wrote("AT+CIPSPRT=1"), pair.wrote("AT+CIPSPRT=0")), (1, 0));
    pair.run_for(Duration::from_secs(11));
    assert_eq!(pair.send(socket, b"binaries").unwrap(), 8);
    assert_eq!(pair.wrote("AT+CIPSPRT=0"), 1);
}

#[test]
fn a_restart_of_the_module_brings_its_prompt_back() {
    let mut pair = online();
    let (socket, _) = open(&mut pair);
    assert_eq!(pair.send(socket, b"hello").unwrap(), 5);
    pair.control(Control::Reset);
    pair.run_for(Duration::from_secs(60));
    assert!(pair.read_to_end(socket).1.to_string().contains("restart"));
    let (socket, link) = open(&mut pair);
    let before = pair.wrote("AT+CIPSPRT=0");
    assert_eq!(pair.send(socket, b"hello").unwrap(), 5);
    assert_eq!(pair.wrote("AT+CIPSPRT=0"), before + 1);
    assert_eq!(peer_got(&pair, link), "hello");
}
