//! Transparent mode: every byte in both directions, the ways in and out, and the return to sockets after every event.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::at::Command;
use air724ug::error::InUse;
use air724ug::proto::{Event, Pulse, Request, Response, SocketId};
use air724ug::query::{Clock, Ping, Resolve, Signal};
use air724ug::sim::{Control, LineState, Peer, Settings, fault};
use air724ug::{CloseReason, Config, Error, NotReady};

/// A stream to the echo server.
fn streaming() -> (Pair, SocketId) {
    let mut pair = Pair::online();
    let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
    (pair, stream)
}

/// Every byte value several times, and lines that mean something to a module.
fn everything() -> Vec<u8> {
    let words =
        b"\r\nOK\r\n\r\nCLOSED\r\nx+++ATH\r\n+RECEIVE,0,5:\r\n\r\n> \r\nRDY\r\n\r\nNO CARRIER\r\n\x1a\x1b";
    let bytes = (0..=255).cycle().take(2000);
    words.iter().copied().chain(bytes).chain(*words).chain(*b"the end").collect()
}

/// Sends data and reads them back.
fn echoes(pair: &mut Pair, stream: SocketId, data: &[u8]) {
    assert_eq!(pair.send(stream, data).unwrap(), data.len());
    assert_eq!(pair.read(stream, data.len()).unwrap(), data);
}

/// Checks that sockets work, with one that is opened and closed.
fn sockets_work(pair: &mut Pair) {
    let socket = pair.channel_open();
    echoes(pair, socket, b"an ordinary socket");
    pair.close(socket).unwrap();
}

#[test]
fn every_byte_passes_in_both_directions_at_every_chunk_size() {
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

#[test]
fn every_profile_carries_a_stream() {
    for profile in air724ug::sim::Profile::all() {
        for echo in [true, false] {
            let settings =
                Settings::default().profile(profile.clone()).echo(echo).latency(Duration::from_millis(5));
            let mut pair = Pair::with(Config::default(), settings).ready();
            let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
            echoes(&mut pair, stream, &everything());
            pair.escape(stream).unwrap();
            assert!(pair.command("AT+CSQ", Duration::from_secs(9)).is_ok());
            pair.resume(stream).unwrap();
            echoes(&mut pair, stream, b"again");
            pair.close(stream).unwrap();
            sockets_work(&mut pair);
        }
    }
}

#[test]
fn a_stream_works_byte_by_byte_at_a_line_rate() {
    for baud in [9_600, 115_200] {
        let settings = Settings::lifelike().baud(Some(baud));
        let mut pair = Pair::with(Config::default().baud_rate(baud), settings).in_chunks_of(1).ready();
        let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
        echoes(&mut pair, stream, &everything());
        pair.escape(stream).unwrap();
        pair.resume(stream).unwrap();
        echoes(&mut pair, stream, &everything());
        pair.close(stream).unwrap();
        sockets_work(&mut pair);
    }
}

#[test]
fn pluses_without_guard_times_are_payload() {
    let (mut pair, stream) = streaming();
    for data in ["+++", "+", "++", "+++", "++++", "+++"] {
        pair.run_for(Duration::from_secs(2));
        echoes(&mut pair, stream, data.as_bytes());
        pair.run_for(Duration::from_secs(2));
        assert_eq!(pair.modem.state().line, LineState::Online, "{data:?} was taken as an escape");
    }
    for _ in 0..9 {
        pair.run_for(Duration::from_millis(300));
        echoes(&mut pair, stream, b"+");
    }
    assert_eq!(pair.modem.state().line, LineState::Online);
}

#[test]
fn an_escape_keeps_the_connection_and_allows_commands() {
    let (mut pair, stream) = streaming();
    echoes(&mut pair, stream, b"before");
    let before = pair.now;
    assert!(matches!(pair.escape(stream), Ok(Response::Done)));
    assert!(pair.now - before < Duration::from_secs(3), "it took {:?}", pair.now - before);
    assert!(matches!(pair.call(Request::query(&Signal)), Ok(Response::Reply(_))));
    assert_eq!(pair.command("AT+CSQ", Duration::from_secs(9)).unwrap(), ["+CSQ: 24,99"]);
    assert!(matches!(pair.escape(stream), Ok(Response::Done)), "the module is in command mode already");
    let waits = pair.sending(stream, b"behind");
    pair.run_for(Duration::from_secs(30));
    assert_eq!(pair.modem.state().line, LineState::Command);
    assert!(pair.answered(waits).is_none(), "data for the stream wait for data mode");
    assert!(matches!(pair.resume(stream), Ok(Response::Done)));
    assert_eq!(pair.read(stream, 6).unwrap(), b"behind");
    assert!(matches!(pair.resume(stream), Ok(Response::Done)), "the module is in data mode already");
    assert!(pair.answered(waits).is_some());
    pair.close(stream).unwrap();
    sockets_work(&mut pair);
}

#[test]
fn lines_after_the_answer_to_an_escape_are_no_payload() {
    for news in ["RING", "BUSY", "+CREG: 1"] {
        let (mut pair, stream) = streaming();
        pair.run_for(Duration::from_secs(5));
        let line = format!("\r\n{news}\r\n");
        pair.to_host = Box::new(move |_, bytes| match bytes.as_slice() {
            b"\r\nOK\r\n" => [b"\r\nOK\r\n", line.as_bytes()].concat(),
            _ => bytes,
        });
        assert!(matches!(pair.escape(stream), Ok(Response::Done)), "{news}");
        assert_eq!(pair.engine.readable(stream), (0, false), "{news}");
        pair.resume(stream).unwrap();
        echoes(&mut pair, stream, b"again");
    }
}

#[test]
fn payload_before_an_escape_is_delivered_if_the_connection_ends_after_it() {
    let (mut pair, stream) = streaming();
    push(&mut pair, b"data\r\n+PDP: DEACT\r\n more");
    pair.run_for(Duration::from_millis(700));
    let mut ends = false;
    pair.to_host = Box::new(move |_, bytes| match bytes.as_slice() {
        b"\r\nOK\r\n" if !std::mem::replace(&mut ends, true) => b"\r\nOK\r\n\r\nCLOSED\r\n".to_vec(),
        _ => bytes,
    });
    let (read, end) = pair.read_to_end(stream);
    assert!(matches!(end, Error::Closed(CloseReason::Peer)), "{end}");
    assert_eq!(read, b"data\r\n+PDP: DEACT\r\n more");
}

/// If data arrive in command mode, the driver can't know whether the line before the escape was a result code or data.
#[test]
fn a_doubtful_line_before_an_escape_is_not_delivered_if_data_follow_the_escape() {
    let (mut pair, stream) = streaming();
    push(&mut pair, b"data\r\n+PDP: DEACT\r\n more");
    pair.after("AT+CIPMODE?", "\r\nwhat is this\r\n");
    let (read, end) = pair.read_to_end(stream);
    assert!(matches!(end, Error::Closed(CloseReason::DataInCommandMode)), "{end}");
    assert_eq!(read, b"data");
}

#[test]
fn payload_of_the_peer_in_command_mode_comes_after_the_return_to_data_mode() {
    let (mut pair, stream) = streaming();
    pair.escape(stream).unwrap();
    push(&mut pair, b"while you were away\r\nOK\r\n");
    assert_eq!(pair.command("AT+CSQ", Duration::from_secs(9)).unwrap(), ["+CSQ: 24,99"]);
    pair.resume(stream).unwrap();
    assert_eq!(pair.read(stream, 25).unwrap(), b"while you were away\r\nOK\r\n");
}

/// Sends bytes from the peer of the stream.
fn push(pair: &mut Pair, bytes: &[u8]) {
    let network = pair.modem.network_mut();
    let link = network.last_link().unwrap();
    network.push(link, bytes);
    pair.run_for(Duration::from_millis(1));
}

/// The module's line at the end of a connection, and the reason that the stream reports.
const ENDINGS: [(&str, CloseReason); 7] = [
    ("\r\nCLOSED\r\n", CloseReason::Peer),
    ("\r\nTCP ERROR:12\r\n", CloseReason::Reset),
    ("\r\nTCP ERROR: 14\r\n", CloseReason::Reset),
    ("\r\nUDP ERROR:8\r\n", CloseReason::Reset),
    ("\r\nNO CARRIER\r\n", CloseReason::Reset),
    ("\r\n+PDP: DEACT\r\n", CloseReason::BearerLost),
    ("\r\nCLOSED\r\n\r\n", CloseReason::Peer),
];

#[test]
fn a_close_by_the_peer_is_the_end_after_the_last_byte() {
    for size in 1..=24 {
        let mut pair = Pair::online().in_chunks_of(size);
        pair.modem.network_mut().serve(
            "bye.test",
            1,
            Peer::discard().greeting(*b"bye\r\n").close_when_sent(),
        );
        let stream = pair.dial("bye.test", 1).unwrap();
        let before = pair.now;
        let (read, error) = pair.read_to_end(stream);
        assert_eq!(read, b"bye\r\n");
        assert!(matches!(error, Error::Closed(CloseReason::Peer)), "{error}");
        assert!(pair.now - before < Duration::from_secs(4), "it took {:?}", pair.now - before);
        sockets_work(&mut pair);
    }
}

#[test]
fn a_reset_connection_ends_the_stream_with_that_reason() {
    let (mut pair, stream) = streaming();
    echoes(&mut pair, stream, b"data");
    let link = pair.modem.network_mut().last_link().unwrap();
    pair.modem.network_mut().reset_by_peer(link);
    let (read, error) = pair.read_to_end(stream);
    assert!(read.is_empty() && matches!(error, Error::Closed(CloseReason::Reset)), "{read:?}, {error}");
    assert!(matches!(pair.send(stream, b"more"), Err(Error::Closed(CloseReason::Reset))));
    sockets_work(&mut pair);
}

#[test]
fn a_lost_bearer_and_a_restart_in_data_mode_end_the_stream() {
    let (mut pair, stream) = streaming();
    pair.control(Control::PdpLost);
    let (_, error) = pair.read_to_end(stream);
    assert!(matches!(error, Error::Closed(CloseReason::BearerLost)), "{error}");
    sockets_work(&mut pair);

    let (mut pair, stream) = streaming();
    echoes(&mut pair, stream, b"data");
    pair.control(Control::fault(fault::Reboot));
    let (read, error) = pair.read_to_end(stream);
    assert!(
        read.is_empty() && matches!(error, Error::ModemRestarted),
        "{:?}, {error}",
        read.escape_ascii().to_string()
    );
    assert!(pair.saw(|event| matches!(event, Event::Restarted)));
    sockets_work(&mut pair);
}

/// Ends the connection in the simulated module, so that it is in command mode, and injects these lines.
fn ends_with(pair: &mut Pair, words: &str) {
    pair.control(Control::PeerClose(0));
    assert_eq!(pair.modem.state().line, LineState::Command);
    pair.inject(words.as_bytes());
}

#[test]
fn every_line_of_an_end_has_its_reason_and_is_no_payload() {
    for (words, reason) in ENDINGS {
        for payload in ["", "data", "a line\r\n", "\r\nCLOSED\r\n."] {
            let settings = Settings::default().closed_reported(false);
            let mut pair = Pair::with(Config::default(), settings).ready();
            let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
            ends_with(&mut pair, &format!("{payload}{words}"));
            let (read, error) = pair.read_to_end(stream);
            assert_eq!(read.escape_ascii().to_string(), payload.as_bytes().escape_ascii().to_string());
            assert!(matches!(error, Error::Closed(why) if why == reason), "{words:?}: {error}");
            pair.call(Request::Forget { socket: stream }).unwrap();
            sockets_work(&mut pair);
        }
    }
}

#[test]
fn lines_of_an_end_that_the_peer_sends_are_payload() {
    for (words, _) in ENDINGS {
        let (mut pair, stream) = streaming();
        push(&mut pair, words.as_bytes());
        let sent = pair.sending(stream, b"written meanwhile");
        assert_eq!(pair.read(stream, words.len()).unwrap(), words.as_bytes());
        assert_eq!(pair.read(stream, 17).unwrap(), b"written meanwhile");
        assert!(matches!(pair.answered(sent), Some(Ok(Response::Sent { accepted: 17, .. }))));
        assert_eq!(pair.wrote("ATO"), 1, "the module was asked");
        echoes(&mut pair, stream, &everything());
    }
}

#[test]
fn lines_of_an_end_with_payload_after_them_lose_no_byte() {
    let (mut pair, stream) = streaming();
    for _ in 0..20 {
        push(&mut pair, b"\r\nCLOSED\r\n");
        pair.run_for(Duration::from_millis(290));
    }
    push(&mut pair, b"!");
    assert_eq!(
        pair.read(stream, 20 * 10 + 1).unwrap(),
        [b"\r\nCLOSED\r\n".repeat(20), b"!".to_vec()].concat()
    );
    assert!(pair.wrote("+++") > 0, "the driver did not check the mode");
    echoes(&mut pair, stream, b"goes on");
}

/// Regression: one escape that the module had missed made a clean end of a connection that stood.
#[test]
fn words_of_an_end_and_an_escape_that_is_missed_make_no_clean_end() {
    for words in ["\r\nCLOSED\r\n", "data\r\nCLOSED\r\n", "\r\nCLOSED\r\n\r\nOK\r\n"] {
        let (mut pair, stream) = streaming();
        pair.instead_times(1, "+++", "");
        push(&mut pair, words.as_bytes());
        let (_, error) = pair.read_to_end(stream);
        assert!(matches!(error, Error::Closed(CloseReason::EscapeUnanswered)), "{words:?}: {error}");
        pair.call(Request::Forget { socket: stream }).unwrap();
        sockets_work(&mut pair);
    }
}

#[test]
fn words_of_an_end_are_payload_if_the_answer_to_the_escape_is_late() {
    for millis in [1_600, 2_000, 2_400] {
        let (mut pair, stream) = streaming();
        pair.to_host = Box::new(|_, bytes| if bytes == b"\r\nOK\r\n" { Vec::new() } else { bytes });
        pair.instead("AT+CIPMODE?", "");
        push(&mut pair, b"data\r\nCLOSED\r\n");
        pair.run_until(|pair| pair.wrote("+++") == 1);
        pair.run_for(Duration::from_millis(millis));
        pair.to_host = Box::new(|_, bytes| bytes);
        pair.inject(b"\r\nOK\r\n\r\n+CIPMODE: 1\r\n\r\nOK\r\n");
        assert_eq!(pair.read(stream, 14).unwrap(), b"data\r\nCLOSED\r\n", "after {millis} ms");
        echoes(&mut pair, stream, b"goes on");
    }
}

/// Regression: the end of a connection was uncertain if the peer's last line had ended a moment before it.
#[test]
fn an_end_after_a_line_of_the_peer_is_certain() {
    for (text, millis) in [("data\r\n", 100), ("\r\n", 30), ("\r\n", 5_000), ("\r\n\r\n", 30)] {
        let (mut pair, stream) = streaming();
        push(&mut pair, text.as_bytes());
        pair.run_for(Duration::from_millis(millis));
        pair.control(Control::PeerClose(0));
        let (read, error) = pair.read_to_end(stream);
        assert_eq!(read.escape_ascii().to_string(), text.as_bytes().escape_ascii().to_string());
        assert!(matches!(error, Error::Closed(CloseReason::Peer)), "{text:?}: {error}");
    }
}

/// Lines that a module may print after the end of a connection: unsolicited lines, and answers to payload that was
/// under way.
const FOLLOWING: [&str; 22] = [
    "+CSCON: 0",
    "+CIEV: service, 0",
    "+CTZV: +32",
    "+CTZEU: +32,0",
    "+EEMLTESVC: 1120, 2, 26",
    "+EEMLTEINTRA: 0, 1",
    "+UPGRADEIND: -1003",
    "+QIND: \"FOTA\",\"END\",0",
    "+HTTPACTION: 0,200,5",
    "+MUID: 1",
    "+CRING: VOICE",
    "+CDNSGIP: 1,\"a.test\",\"1.2.3.4\"",
    "+CIPPING: 1,\"1.2.3.4\",9,64",
    "RECV FROM:1.2.3.4:80",
    "+CREG: 0",
    "+NITZ: 24/07/23,08:35:01+32,0",
    "+UNKNOWN: 1",
    "OK",
    "ERROR",
    "+CME ERROR: 3",
    "AirM2M_720U_V401881_LTE_AT\r\n\r\nOK",
    "> ",
];

#[test]
fn an_end_is_detected_with_any_line_after_it() {
    for after in FOLLOWING {
        for millis in [0, 50, 400] {
            let settings = Settings::default().closed_reported(false);
            let mut pair = Pair::with(Config::default(), settings).ready();
            let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
            ends_with(&mut pair, "data\r\nCLOSED\r\n");
            pair.run_for(Duration::from_millis(millis));
            pair.inject(format!("\r\n{after}\r\n").as_bytes());
            let (read, error) = pair.read_to_end(stream);
            assert_eq!(read.escape_ascii().to_string(), "data", "{after}");
            assert!(matches!(error, Error::Closed(CloseReason::Peer)), "{after}: {error}");
            pair.call(Request::Forget { socket: stream }).unwrap();
            sockets_work(&mut pair);
        }
    }
}

#[test]
fn a_late_answer_after_an_end_is_not_the_answer_to_the_escape() {
    for millis in [300, 450, 600, 1_000, 1_400] {
        let settings = Settings::default().closed_reported(false);
        let mut pair = Pair::with(Config::default(), settings).ready();
        let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
        ends_with(&mut pair, "data\r\nCLOSED\r\n");
        pair.run_until(|pair| pair.wrote("+++") == 1);
        pair.run_for(Duration::from_millis(millis));
        pair.inject(b"\r\nOK\r\n");
        let (read, error) = pair.read_to_end(stream);
        assert_eq!(read.escape_ascii().to_string(), "data", "after {millis} ms");
        assert!(matches!(error, Error::Closed(CloseReason::Peer)), "after {millis} ms: {error}");
        pair.call(Request::Forget { socket: stream }).unwrap();
        pair.run_for(Duration::from_secs(5));
        sockets_work(&mut pair);
    }
}

#[test]
fn a_lost_bearer_after_an_end_is_the_reason() {
    let settings = Settings::default().closed_reported(false);
    let mut pair = Pair::with(Config::default(), settings).ready();
    let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
    ends_with(&mut pair, "\r\nCLOSED\r\n\r\n+SAPBR 1: DEACT\r\n");
    let (read, error) = pair.read_to_end(stream);
    assert!(read.is_empty() && matches!(error, Error::Closed(CloseReason::BearerLost)), "{error}");
}

#[test]
fn lines_before_an_end_that_may_be_payload_are_reported() {
    for lines in [
        "\r\n+CREG: 1\r\n",
        "\r\n+NITZ: 24/07/23,08:35:01+32,0\r\n\r\n+CREG: 1\r\n",
        "\r\nRDY\r\n",
        "\r\n+PDP: DEACT\r\n",
        "\r\nCLOSED\r\n",
    ] {
        for size in [1, 1000] {
            let mut pair = Pair::online().in_chunks_of(size);
            let peer = Peer::discard().greeting(format!("data{lines}").into_bytes()).close_when_sent();
            pair.modem.network_mut().serve("bye.test", 1, peer);
            let stream = pair.dial("bye.test", 1).unwrap();
            let (read, error) = pair.read_to_end(stream);
            assert_eq!(read.escape_ascii().to_string(), "data");
            let held = lines.len() + "\r\nCLOSED\r\n".len();
            assert!(
                matches!(error, Error::Closed(CloseReason::EndUncertain { held: count }) if count == held),
                "{lines:?}: {error}"
            );
            sockets_work(&mut pair);
        }
    }
}

/// From the first words of the restarted module on, nothing is written but one escape, and the end is known when that
/// is unanswered.
#[test]
fn a_restart_during_a_long_write_ends_the_stream_and_returns_no_byte_as_payload() {
    for (baud, size) in [(115_200, 1000), (115_200, 7), (460_800, 64)] {
        let settings = Settings::lifelike().baud(Some(baud));
        let config = Config::default().baud_rate(baud);
        let mut pair = Pair::with(config, settings).in_chunks_of(size).ready();
        pair.modem.network_mut().serve("sink.test", 1, Peer::discard());
        let stream = pair.dial("sink.test", 1).unwrap();
        let link = pair.modem.network_mut().last_link().unwrap();
        // Some lines look like those of a module.
        let data = [&b"bulk data, line by line\r\n"[..], b"\r\nCLOSED\r\n"].concat().repeat(20_000);
        let timeout = Duration::from_secs(120);
        let send = pair.ask(Request::Send { socket: stream, data: data.clone(), timeout });
        pair.run_for(Duration::from_millis(300));
        let spoke_at = Rc::new(Cell::new(None));
        let first = spoke_at.clone();
        pair.to_host = Box::new(move |now, bytes| {
            if bytes.windows(3).any(|three| three == b"RDY" || three == b"'v'") {
                first.set(first.get().or(Some(now)));
            }
            bytes
        });
        pair.control(Control::fault(fault::Reboot));
        pair.run_until(|_| spoke_at.get().is_some());
        let (spoke_at, written) = (pair.now, pair.written.len());
        let (read, error) = pair.read_to_end(stream);
        let (ended_at, more) = (pair.now, pair.written[written..].to_vec());
        assert!(read.is_empty(), "{} bytes, {}", read.len(), read[..read.len().min(60)].escape_ascii());
        assert!(
            matches!(error, Error::ModemRestarted | Error::Closed(CloseReason::EndUncertain { .. })),
            "{error}"
        );
        // The bytes in the port leave it, 1.1 s of silence follow, and 1.5 s without an answer.
        assert!(ended_at - spoke_at < Duration::from_secs(4), "{:?}", ended_at - spoke_at);
        assert_eq!(more.escape_ascii().to_string(), "+++", "written after the first words");
        assert!(data.starts_with(pair.modem.network().received(link)));
        let sent = pair.answer(send);
        assert!(!matches!(sent, Ok(Response::Sent { accepted, .. }) if accepted == data.len()));
        sockets_work(&mut pair);
    }
}

#[test]
fn an_ok_from_the_peer_after_a_lost_escape_is_no_answer() {
    for millis in (500..1_500).step_by(50) {
        for host in [ECHO.0, "sink.test"] {
            let mut pair = Pair::online();
            pair.modem.network_mut().serve("sink.test", ECHO.1, Peer::discard());
            let stream = pair.dial(host, ECHO.1).unwrap();
            pair.instead("+++", "");
            let escaping = pair.ask(Request::Escape { socket: stream, timeout: Duration::from_secs(20) });
            pair.run_until(|pair| pair.wrote("+++") == 1);
            pair.run_for(Duration::from_millis(millis));
            push(&mut pair, b"\r\nOK\r\n");
            match pair.answer(escaping) {
                Ok(_) => {
                    assert_eq!(pair.modem.state().line, LineState::Command, "after {millis} ms");
                    assert_eq!(pair.command("AT+CSQ", Duration::from_secs(9)).unwrap(), ["+CSQ: 24,99"]);
                }
                Err(error) => {
                    assert!(matches!(error, Error::Closed(CloseReason::EscapeUnanswered)), "{error}");
                    assert_eq!(pair.wrote("AT+CSQ\r\n"), 2, "only bring-up has written the command");
                }
            }
            pair.call(Request::Forget { socket: stream }).unwrap();
            sockets_work(&mut pair);
        }
    }
}

/// Restarts the module without its banner: it echoes, and the driver receives nothing else from it.
fn restart_in_silence(pair: &mut Pair) {
    pair.control(Control::fault(fault::Reboot));
    pair.to_host =
        Box::new(|_, bytes| if bytes.contains(&b'\r') || bytes.contains(&b'^') { vec![] } else { bytes });
}

#[test]
fn a_heartbeat_detects_a_restart_without_a_banner() {
    for echo in [true, false] {
        let (mut pair, stream) = streaming();
        echoes(&mut pair, stream, b"data");
        restart_in_silence(&mut pair);
        if !echo {
            pair.to_host = Box::new(|_, _| Vec::new());
        }
        let mut pulse = Pulse::new(Duration::from_secs(10), b"ping");
        pulse.max_missed = Some(2);
        pair.engine.set_heartbeat(pair.now, stream, Some(pulse)).unwrap();
        let before = pair.now;
        let (read, error) = pair.read_to_end(stream);
        assert!(read.is_empty() || read == b"ping", "{}", read.escape_ascii());
        assert!(
            matches!(error, Error::Closed(CloseReason::EscapeUnanswered | CloseReason::HeartbeatLost)),
            "{error}"
        );
        assert!(pair.now - before < Duration::from_secs(60));
        pair.to_host = Box::new(|_, bytes| bytes);
        pair.run_for(Duration::from_secs(30));
        sockets_work(&mut pair);
    }
}

#[test]
fn a_heartbeat_that_the_peer_answers_or_echoes_keeps_the_stream() {
    for (host, answer) in [(ECHO.0, &b"ping"[..]), ("other.test", b"pong")] {
        let mut pair = Pair::online();
        let stream = {
            pair.modem.network_mut().serve("other.test", ECHO.1, Peer::discard());
            pair.dial(host, ECHO.1).unwrap()
        };
        let mut pulse = Pulse::new(Duration::from_secs(10), b"ping");
        pulse.max_missed = Some(2);
        pair.engine.set_heartbeat(pair.now, stream, Some(pulse)).unwrap();
        for _ in 0..10 {
            pair.run_for(Duration::from_secs(11));
            if host != ECHO.0 {
                push(&mut pair, answer);
            }
            assert_eq!(pair.read(stream, 4).unwrap(), answer);
        }
        assert!(pair.engine.heartbeat_statistics(stream).unwrap().answered > 5);
        assert_eq!(pair.wrote("+++") > 0, host == ECHO.0, "an identical answer may be the module's echo");
        pair.close(stream).unwrap();
    }
}

#[test]
fn an_ok_from_the_peer_is_never_the_answer_to_an_escape() {
    for millis in (0..3_000).step_by(50) {
        for words in [&b"\r\nOK\r\n"[..], b"x\r\nOK\r\n", b"\r\nOK\r\n\r\nCLOSED\r\n", b"\r\nOK"] {
            let (mut pair, stream) = streaming();
            let escaping = pair.ask(Request::Escape { socket: stream, timeout: Duration::from_secs(20) });
            pair.run_for(Duration::from_millis(millis));
            push(&mut pair, words);
            assert!(matches!(pair.answer(escaping), Ok(Response::Done)), "after {millis} ms");
            assert_eq!(pair.modem.state().line, LineState::Command, "after {millis} ms");
            pair.resume(stream).unwrap();
            assert_eq!(pair.read(stream, words.len()).unwrap(), words, "after {millis} ms");
            echoes(&mut pair, stream, b"goes on");
        }
    }
}

/// The words of the peer come before the answer, and look like it. The true answer comes after the question.
#[test]
fn an_ok_from_the_peer_is_not_lost_when_the_module_is_slow() {
    for latency in [400, 700, 1_000] {
        for millis in (1_100..3_000).step_by(100) {
            for words in [&b"\r\nOK\r\n"[..], b"x\r\nOK\r\n", b"\r\n+CIPMODE: 1\r\n\r\nOK\r\n"] {
                let settings = Settings::default().latency(Duration::from_millis(latency));
                let mut pair = Pair::with(Config::default(), settings).ready();
                let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
                let escaping = pair.ask(Request::Escape { socket: stream, timeout: Duration::from_secs(20) });
                pair.run_for(Duration::from_millis(millis));
                push(&mut pair, words);
                assert!(matches!(pair.answer(escaping), Ok(Response::Done)), "{latency}: after {millis} ms");
                pair.resume(stream).unwrap();
                assert_eq!(pair.read(stream, words.len()).unwrap(), words, "{latency}: after {millis} ms");
                echoes(&mut pair, stream, b"goes on");
            }
        }
    }
}

/// The module misses the first escape, and answers the next one after the words of the peer. Each of the two `OK` can
/// be the answer, so the stream goes on with exactly its data, or ends with an error.
#[test]
fn an_ok_from_the_peer_is_not_lost_in_silence_after_a_lost_escape_of_a_slow_module() {
    let (mut went_on, mut ended) = (0, 0);
    for latency in [0, 400, 1_000, 1_600] {
        for millis in (1_100..7_000).step_by(150) {
            for words in [&b"\r\nOK\r\n"[..], b"\r\n+CIPMODE: 1\r\n\r\nOK\r\n"] {
                let settings = Settings::default().latency(Duration::from_millis(latency));
                let mut pair = Pair::with(Config::default(), settings).ready();
                let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
                pair.instead("+++", "");
                let escaping = pair.ask(Request::Escape { socket: stream, timeout: Duration::from_secs(30) });
                pair.run_for(Duration::from_millis(millis));
                push(&mut pair, words);
                let what = format!("latency {latency}, after {millis} ms");
                match pair.answer(escaping).and_then(|_| pair.resume(stream)) {
                    Ok(_) => {
                        pair.run_for(Duration::from_secs(5));
                        let read = pair.read_some(stream, words.len()).unwrap().unwrap_or_default();
                        assert_eq!(read.as_slice(), words, "{what}");
                        echoes(&mut pair, stream, b"goes on");
                        went_on += 1;
                    }
                    Err(Error::Closed(CloseReason::EndUncertain { .. } | CloseReason::EscapeUnanswered)) => {
                        ended += 1;
                    }
                    Err(error) => panic!("{what}: {error}"),
                }
            }
        }
    }
    assert!(went_on > ended && ended > 0, "{went_on} streams went on, {ended} ended");
}

/// The answers to several questions come at once. Their final result codes were taken for that of the escape, and its
/// own answer for the peer's (stream seed 3325110).
#[test]
fn late_answers_to_questions_after_an_escape_are_not_its_answer() {
    let mut pair = Pair::with(Config::default(), Settings::default()).ready();
    // A lost answer makes the driver ask a second question after each.
    pair.instead("AT+CSQ", "");
    assert!(pair.command("AT+CSQ", Duration::from_secs(1)).is_err());
    let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
    let questions = [
        ("CIPMUX", "0"),
        ("CIPQSEND", "1"),
        ("CGATT", "1"),
        ("IPR", "0"),
        ("CMEE", "1"),
        ("CMGF", "0"),
        ("CSCS", "\"IRA\""),
    ];
    for (name, _) in questions {
        pair.instead(&format!("AT+{name}?"), "");
    }
    pair.written.clear();
    let escaping = pair.ask(Request::Escape { socket: stream, timeout: Duration::from_secs(20) });
    pair.run_for(Duration::from_secs(9));
    let written = pair.written.escape_ascii().to_string();
    let mut asked: Vec<_> = questions
        .iter()
        .filter_map(|(name, value)| Some((written.find(&format!("AT+{name}?"))?, name, value)))
        .collect();
    asked.sort_unstable();
    assert!(asked.len() > 2, "{written}");
    for (_, name, value) in asked {
        pair.inject(format!("\r\n+{name}: {value}\r\n\r\nOK\r\n").as_bytes());
    }
    assert!(matches!(pair.answer(escaping), Ok(Response::Done)));
    pair.resume(stream).unwrap();
    assert_eq!(pair.engine.readable(stream), (0, false), "the answers were taken for data");
}

#[test]
fn a_slow_module_leaves_data_mode_and_goes_back() {
    for latency in [500, 1_000, 1_500, 2_000, 3_000] {
        let settings = Settings::default().latency(Duration::from_millis(latency));
        let mut pair = Pair::with(Config::default(), settings);
        pair.call(Request::WaitReady { timeout: Duration::from_secs(300) }).unwrap();
        let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
        for _ in 0..3 {
            let escaped = pair.escape(stream);
            assert!(matches!(escaped, Ok(Response::Done)), "{latency} ms: {escaped:?}");
            pair.resume(stream).unwrap();
            echoes(&mut pair, stream, b"nothing is lost or made up");
        }
    }
}

/// `CLOSED` between the escape and its answer seems to be payload. The refused return shows that it was not.
#[test]
fn an_end_during_an_escape_is_not_read_as_data() {
    let (mut pair, stream) = streaming();
    echoes(&mut pair, stream, b"data");
    let escaping = pair.ask(Request::Escape { socket: stream, timeout: Duration::from_secs(20) });
    pair.instead("+++", b"\r\nCLOSED\r\n");
    pair.run_for(Duration::from_millis(1_500));
    pair.inject(b"\r\nOK\r\n");
    pair.instead("AT+CIPMODE?", b"\r\n+CIPMODE: 1\r\n\r\nOK\r\n");
    assert!(matches!(pair.answer(escaping), Ok(Response::Done)));
    pair.instead("ATO", b"\r\nNO CARRIER\r\n");
    assert!(matches!(pair.resume(stream), Err(Error::Closed(_))));
    let (read, error) = pair.read_to_end(stream);
    assert!(read.is_empty(), "{:?}, {error}", read.escape_ascii().to_string());
}

#[test]
fn a_line_end_is_delivered_without_a_long_wait() {
    let (mut pair, stream) = streaming();
    for text in ["hello\r\n", "\r", "\r\n", "^"] {
        push(&mut pair, text.as_bytes());
        pair.run_for(Duration::from_millis(20));
        assert_eq!(pair.read_some(stream, 100).unwrap().unwrap(), text.as_bytes());
    }
}

#[test]
fn a_connection_that_ends_in_command_mode_ends_the_stream() {
    for (words, reason) in ENDINGS.into_iter().filter(|(words, _)| !words.contains("NO CARRIER")) {
        let (mut pair, stream) = streaming();
        pair.escape(stream).unwrap();
        pair.inject(words.as_bytes());
        let (_, error) = pair.read_to_end(stream);
        assert!(matches!(error, Error::Closed(why) if why == reason), "{words:?}: {error}");
        assert!(matches!(pair.resume(stream), Err(Error::Closed(why)) if why == reason));
        sockets_work(&mut pair);
    }
}

#[test]
fn data_in_command_mode_are_not_lost_silently() {
    let long = [0xff; 5000];
    for data in [
        &b"what is this\r\n"[..],
        &long,
        b"somedata",
        b"\0\0\0\0",
        b"\r\nOK\r\n",
        b"\r\nERROR\r\n",
        b"+IPD,4:abcd",
        b"\r\n+RECEIVE,0,4:\r\nabcd",
        b"\r\n+CIPRXGET: 2,0,4,0\r\nabcd",
    ] {
        let (mut pair, stream) = streaming();
        pair.escape(stream).unwrap();
        pair.inject(data);
        let (read, error) = pair.read_to_end(stream);
        assert!(read.is_empty(), "{}", data.escape_ascii());
        assert!(
            matches!(error, Error::Closed(CloseReason::DataInCommandMode)),
            "{}: {error}",
            data.escape_ascii()
        );
        sockets_work(&mut pair);
    }
}

/// Old firmware omits the line end of some lines. A text of people may be incomplete for a moment.
#[test]
fn a_line_of_the_module_without_its_end_in_command_mode_is_no_data() {
    for line in
        ["\r\n+CREG: 1", "\r\nRING", "\r\n+CMT: \"+8613800138000\",,\"24/07/23,08:35:01+32\"\r\nhello"]
    {
        let (mut pair, stream) = streaming();
        pair.escape(stream).unwrap();
        pair.inject(line.as_bytes());
        pair.run_for(Duration::from_secs(1));
        pair.inject(b"\r\n");
        pair.resume(stream).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        echoes(&mut pair, stream, b"goes on");
    }
}

#[test]
fn no_carrier_and_every_other_refusal_of_data_mode_end_the_stream() {
    for answer in ["\r\nNO CARRIER\r\n", "\r\nERROR\r\n", "\r\n+CME ERROR: 3\r\n"] {
        let (mut pair, stream) = streaming();
        pair.escape(stream).unwrap();
        pair.instead("ATO", answer);
        let resumed = pair.resume(stream);
        assert!(matches!(resumed, Err(Error::Closed(CloseReason::Reset))), "{resumed:?}");
        sockets_work(&mut pair);
    }
}

#[test]
fn data_mode_without_a_confirmation_ends_the_stream_and_the_module_is_found_again() {
    for (reaches, answer) in [(true, ""), (false, ""), (false, "\r\nOK\r\n")] {
        let (mut pair, stream) = streaming();
        pair.escape(stream).unwrap();
        if reaches {
            // The module enters data mode, and its `CONNECT` is lost.
            pair.to_host =
                Box::new(|_, bytes| if bytes.windows(7).any(|w| w == b"CONNECT") { vec![] } else { bytes });
        } else {
            pair.instead("ATO", answer);
        }
        let resumed = pair.resume(stream);
        let Err(error) = resumed else { panic!("{resumed:?}") };
        assert!(matches!(error, Error::Closed(CloseReason::ResumeUnanswered)), "{error}");
        assert!(error.to_string().contains("did not enter transparent mode"), "{error}");
        let link = pair.modem.network_mut().last_link().unwrap();
        pair.run_for(Duration::from_secs(1));
        assert_eq!(pair.modem.network().received(link), b"", "the peer got commands");
        pair.to_host = Box::new(|_, bytes| bytes);
        sockets_work(&mut pair);
    }
}

#[test]
fn data_after_a_lost_connect_are_no_answer_and_the_peer_gets_no_commands() {
    for data in [
        &b"what is this\r\nERROR\r\n"[..],
        b"\r\nERROR\r\n",
        b"\r\nNO CARRIER\r\n",
        b"+RECEIVE,1,4:\r\nE\r\nERROR\r\n> .\r\n",
        b"what is this\r\nCONNECT FAIL\r\n+PDP: DEACT\r\n",
    ] {
        let (mut pair, stream) = streaming();
        pair.escape(stream).unwrap();
        pair.to_host =
            Box::new(|_, bytes| if bytes.windows(7).any(|w| w == b"CONNECT") { vec![] } else { bytes });
        let resumed = pair.ask(Request::Resume { socket: stream, timeout: Duration::from_secs(20) });
        pair.run_for(Duration::from_millis(10));
        pair.to_host = Box::new(|_, bytes| bytes);
        push(&mut pair, data);
        let answer = pair.answer(resumed);
        assert!(
            matches!(answer, Err(Error::Closed(CloseReason::DataInCommandMode | CloseReason::Reset))),
            "{answer:?}"
        );
        let link = pair.modem.network_mut().last_link().unwrap();
        sockets_work(&mut pair);
        assert_eq!(
            pair.modem.network().received(link).escape_ascii().to_string(),
            "",
            "the peer got commands after {}",
            data.escape_ascii()
        );
    }
}

#[test]
fn a_doubtful_refusal_of_data_mode_is_not_settled_by_a_question() {
    let (mut pair, stream) = streaming();
    pair.escape(stream).unwrap();
    // The answer to this command is lost, so that the next refusal may be its late one.
    pair.to_host = Box::new(|_, _| vec![]);
    let answer = pair.command("AT+CSQ", Duration::from_secs(5));
    assert!(answer.is_err(), "{answer:?}");
    pair.to_host =
        Box::new(|_, bytes| if bytes.windows(7).any(|w| w == b"CONNECT") { vec![] } else { bytes });
    let resumed = pair.ask(Request::Resume { socket: stream, timeout: Duration::from_secs(40) });
    pair.run_for(Duration::from_secs(3));
    pair.to_host = Box::new(|_, bytes| bytes);
    push(&mut pair, b"\r\nERROR\r\n");
    let answer = pair.answer(resumed);
    assert!(matches!(answer, Err(Error::Closed(CloseReason::ResumeUnanswered))), "{answer:?}");
    let link = pair.modem.network_mut().last_link().unwrap();
    sockets_work(&mut pair);
    assert_eq!(pair.modem.network().received(link).escape_ascii().to_string(), "", "the peer got commands");
}

#[test]
fn a_lost_escape_is_written_again() {
    for lost in 0..=4 {
        let (mut pair, stream) = streaming();
        pair.instead_times(lost, "+++", "");
        let escaped = pair.escape(stream);
        if lost < 3 {
            assert!(matches!(escaped, Ok(Response::Done)), "{lost} lost: {escaped:?}");
            pair.resume(stream).unwrap();
            echoes(&mut pair, stream, b"goes on");
            pair.close(stream).unwrap();
        } else {
            assert!(matches!(escaped, Err(Error::Closed(CloseReason::EscapeUnanswered))), "{escaped:?}");
        }
        sockets_work(&mut pair);
    }
}

fn run(pair: &mut Pair, command: &str) {
    let command = Command::of_user(command, Duration::from_secs(5)).unwrap();
    pair.call(Request::Run(command)).unwrap();
}

/// A module that never receives an escape.
fn deaf_to_pluses(settings: &[&str]) -> (Pair, SocketId) {
    let mut pair = Pair::online();
    for command in settings {
        run(&mut pair, command);
    }
    pair.wire_dtr();
    let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
    pair.instead_times(1_000, "+++", "");
    (pair, stream)
}

#[test]
fn firmware_that_ignores_pluses_leaves_data_mode_when_dtr_goes_off() {
    let (mut pair, stream) = deaf_to_pluses(&[]);
    assert!(matches!(pair.escape(stream), Ok(Response::Done)));
    assert_eq!(pair.dtr, Some(true), "DTR is on again");
    run(&mut pair, "AT+CSQ");
    pair.resume(stream).unwrap();
    echoes(&mut pair, stream, b"goes on");
    pair.close(stream).unwrap();
    assert_eq!(pair.dtr, Some(true));
    sockets_work(&mut pair);
}

#[test]
fn a_module_that_hangs_up_when_dtr_goes_off_has_closed_the_stream() {
    let (mut pair, stream) = deaf_to_pluses(&["AT&D2"]);
    let escaped = pair.escape(stream);
    assert!(matches!(escaped, Err(Error::Closed(CloseReason::Peer))), "{escaped:?}");
    assert_eq!(pair.dtr, Some(true));
    sockets_work(&mut pair);
}

#[test]
fn a_stream_of_a_module_that_also_ignores_dtr_fails_and_dtr_is_on_again() {
    let (mut pair, stream) = deaf_to_pluses(&["AT&D0"]);
    let escaped = pair.escape(stream);
    assert!(matches!(escaped, Err(Error::Closed(CloseReason::EscapeUnanswered))), "{escaped:?}");
    assert_eq!(pair.dtr, Some(true));
}

#[test]
fn data_that_come_while_dtr_is_off_belong_to_the_stream() {
    let (mut pair, stream) = deaf_to_pluses(&["AT&D0"]);
    let escape = pair.ask(Request::Escape { socket: stream, timeout: Duration::from_secs(60) });
    pair.run_until(|pair| pair.dtr == Some(false));
    pair.inject(b"\r\nOK\r\nand more");
    assert_eq!(pair.read(stream, 14).unwrap(), b"\r\nOK\r\nand more");
    assert!(pair.answer(escape).is_err());
    assert_eq!(pair.dtr, Some(true));
}

#[test]
fn an_escape_that_times_out_leaves_the_stream_unchanged() {
    for millis in [1, 1_000, 1_200, 1_600, 1_900] {
        let (mut pair, stream) = streaming();
        let timeout = Duration::from_millis(millis);
        let escaped = pair.call(Request::Escape { socket: stream, timeout });
        assert!(matches!(escaped, Err(Error::Timeout { .. })), "{escaped:?}");
        echoes(&mut pair, stream, &everything());
        pair.run_for(Duration::from_secs(10));
        assert_eq!(pair.modem.state().line, LineState::Online);
    }
}

#[test]
fn every_failure_to_connect_is_an_error_and_sockets_work_afterwards() {
    let refused = [
        ("refused.test", ""),
        ("nowhere.test", ""),
        (ECHO.0, "\r\nERROR\r\n"),
        (ECHO.0, "\r\n+CME ERROR: 3\r\n"),
        (ECHO.0, "\r\nOK\r\n\r\nSTATE: IP STATUS\r\n\r\nCONNECT FAIL\r\n"),
        (ECHO.0, "\r\nOK\r\n\r\nSTATE:IP STATUS\r\n\r\nNO CARRIER\r\n"),
    ];
    for (host, answer) in refused {
        let mut pair = Pair::online();
        pair.modem.network_mut().serve("refused.test", 7, Peer::refuse());
        if !answer.is_empty() {
            pair.instead("AT+CIPSTART", answer);
        }
        let error = pair.dial(host, 7).unwrap_err();
        assert!(matches!(error, Error::ConnectFailed(_)), "{host}, {answer:?}: {error}");
        sockets_work(&mut pair);
    }
}

#[test]
fn a_connection_that_never_answers_times_out_and_sockets_work_afterwards() {
    for secs in [10, 60, 100] {
        let mut pair = Pair::online();
        pair.modem.network_mut().serve("silent.test", 7, Peer::silent());
        let ticket = pair.dialling("silent.test", 7, Duration::from_secs(secs));
        let answer = pair.answer(ticket);
        assert!(matches!(answer, Err(Error::Timeout { .. } | Error::ConnectFailed(_))), "{answer:?}");
        sockets_work(&mut pair);
    }
}

#[test]
fn after_a_late_connect_there_is_no_stream_and_the_peer_gets_no_commands() {
    let mut pair = Pair::online();
    let connects = pair.modem.network_mut();
    connects.set_latency(Duration::from_secs(6));
    let ticket = pair.dialling(ECHO.0, ECHO.1, Duration::from_secs(5));
    let answer = pair.answer(ticket);
    assert!(matches!(answer, Err(Error::Timeout { .. })), "{answer:?}");
    let link = pair.modem.network_mut().last_link().unwrap();
    pair.modem.network_mut().set_latency(Duration::ZERO);
    sockets_work(&mut pair);
    assert_eq!(pair.modem.network().received(link), b"");
}

#[test]
fn every_spelling_of_connect_begins_data_mode() {
    for spelling in ["CONNECT OK", "ALREADY CONNECT", "CONNECT"] {
        let mut pair = Pair::online();
        let line = format!("\r\n{spelling}\r\n");
        pair.to_host = Box::new(move |_, bytes| {
            match bytes.windows(11).position(|window| window == b"\r\nCONNECT\r\n") {
                Some(at) => [&bytes[..at], line.as_bytes(), &bytes[at + 11..]].concat(),
                None => bytes,
            }
        });
        let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
        echoes(&mut pair, stream, &everything());
        pair.escape(stream).unwrap();
        pair.resume(stream).unwrap();
        echoes(&mut pair, stream, &everything());
    }
}

const STEPS: [&str; 13] = [
    "AT+CIPSHUT",
    "AT+CIPMUX=0",
    "AT+CIPMODE=1",
    "AT+CIPCCFG",
    "AT+CIPSSL=0",
    "AT+CIPHEAD=0",
    "AT+CIPRXGET=0",
    "AT+CIPSPRT",
    "AT+CIPRXF",
    "AT+CSTT",
    "AT+CIICR",
    "AT+CIFSR",
    "AT+CIPSTART",
];

#[test]
fn every_answer_on_the_way_into_a_stream_may_be_lost() {
    for step in STEPS {
        for times in [1, 100] {
            let mut pair = Pair::online();
            pair.instead_times(times, step, "");
            let ticket = pair.dialling(ECHO.0, ECHO.1, Duration::from_secs(70));
            match pair.answer(ticket) {
                Ok(Response::Connected(stream)) => {
                    echoes(&mut pair, stream, b"data");
                    pair.close(stream).unwrap();
                }
                Err(Error::Timeout { .. } | Error::NotReady(_)) => {}
                other => panic!("{step}: {other:?}"),
            }
            pair.heal();
            sockets_work(&mut pair);
        }
    }
}

#[test]
fn a_module_without_transparent_mode_is_an_error_at_once() {
    for (step, answer) in
        [("AT+CIPMUX=0", "ERROR"), ("AT+CIPMODE=1", "ERROR"), ("AT+CIPMODE=1", "+CME ERROR: 3")]
    {
        let mut pair = Pair::online();
        pair.instead(step, format!("\r\n{answer}\r\n"));
        let error = pair.dial(ECHO.0, ECHO.1).unwrap_err();
        assert!(matches!(&error, Error::Refused { command, .. } if **command == *step), "{error}");
        sockets_work(&mut pair);
    }
    for step in ["AT+CIPCCFG", "AT+CIPSSL=0", "AT+CIPHEAD=0", "AT+CIPSPRT", "AT+CIPRXF"] {
        let mut pair = Pair::online();
        pair.instead(step, "\r\nERROR\r\n");
        let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
        echoes(&mut pair, stream, b"not every firmware has these");
    }
}

#[test]
fn every_answer_on_the_way_out_of_a_stream_may_be_lost() {
    for step in ["+++", "AT+CIPCLOSE", "AT+CIPSHUT", "AT+CIPMODE=0", "AT+CIPMUX=1", "AT+CSTT", "AT+CIFSR"] {
        let (mut pair, stream) = streaming();
        pair.instead(step, "");
        let closed = pair.close(stream);
        assert!(matches!(closed, Ok(Response::Closed)), "{step}: {closed:?}");
        sockets_work(&mut pair);
    }
    for answer in ["ERROR", "+CME ERROR: 3", "OK", "CLOSED"] {
        let (mut pair, stream) = streaming();
        pair.instead("AT+CIPCLOSE", format!("\r\n{answer}\r\n"));
        assert!(matches!(pair.close(stream), Ok(Response::Closed)), "{answer}");
        sockets_work(&mut pair);
    }
}

#[test]
fn an_open_socket_is_never_closed_for_a_stream() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    assert!(matches!(pair.dial(ECHO.0, ECHO.1), Err(Error::InUse(InUse::Sockets))));
    echoes(&mut pair, socket, b"untouched");
    let connecting = pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(9));
    pair.call(Request::Forget { socket }).unwrap();
    let dialled = pair.dialling(ECHO.0, ECHO.1, Duration::from_secs(60));
    if matches!(pair.answer(connecting), Ok(Response::Connected(_))) {
        assert!(matches!(pair.answer(dialled), Err(Error::InUse(InUse::Sockets))));
    }
}

#[test]
fn unread_data_of_an_ended_socket_can_be_read_during_a_stream() {
    let mut pair = Pair::online();
    pair.modem.network_mut().serve("bye.test", 1, Peer::discard().greeting(*b"bye").close_when_sent());
    let socket = pair.connect("bye.test", 1).unwrap();
    pair.run_for(Duration::from_secs(5));
    let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
    echoes(&mut pair, stream, b"a stream");
    let (read, error) = pair.read_to_end(socket);
    assert!(read == b"bye" && matches!(error, Error::Closed(CloseReason::Peer)));
    echoes(&mut pair, stream, b"a stream");
}

#[test]
fn requests_that_need_the_line_are_refused_during_a_stream() {
    let (mut pair, stream) = streaming();
    let timeout = Duration::from_secs(60);
    let host = || air724ug::at::Quotable::host("echo.test").unwrap();
    let now = pair.now;
    let requests = || {
        [
            Request::Connect { protocol: air724ug::at::Protocol::Tcp, host: host(), port: 7, timeout },
            Request::Transparent { host: host(), port: 7, timeout },
            Request::Run(Command::of_user("AT+CSQ", timeout).unwrap()),
            Request::query(&Signal),
            Request::query(&Clock),
            Request::query(&Resolve::new(host().as_str()).unwrap().within(timeout)),
            Request::query(&Ping::new(host().as_str()).unwrap().within(timeout)),
            Request::Radio { on: false },
            Request::ResetBearer,
            Request::Restart,
        ]
    };
    for request in requests() {
        let answer = pair.call(request);
        assert!(matches!(answer, Err(Error::InUse(InUse::Transparent))), "{answer:?}");
    }
    pair.escape(stream).unwrap();
    for request in requests().into_iter().take(2) {
        assert!(matches!(pair.call(request), Err(Error::InUse(InUse::Transparent))));
    }
    pair.resume(stream).unwrap();
    assert!(pair.now - now < Duration::from_secs(4));
    let ready = pair.call(Request::WaitReady { timeout });
    assert!(matches!(ready, Err(Error::NotReady(NotReady::Transparent))), "{ready:?}");
    echoes(&mut pair, stream, b"undisturbed");
}

#[test]
fn a_socket_is_refused_until_a_dropped_stream_has_ended() {
    let (mut pair, stream) = streaming();
    pair.call(Request::Forget { socket: stream }).unwrap();
    assert!(
        matches!(pair.connect(ECHO.0, 7), Err(Error::InUse(InUse::Transparent))),
        "the stream has not ended yet"
    );
    pair.run_for(Duration::from_secs(3));
    sockets_work(&mut pair);
    let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
    pair.call(Request::Forget { socket: stream }).unwrap();
    pair.run_for(Duration::from_secs(3));
    let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
    echoes(&mut pair, stream, b"another stream");
}

#[test]
fn sockets_work_after_a_stream_is_left_at_any_moment() {
    for millis in (0..6_000).step_by(100) {
        for close in [true, false] {
            let (mut pair, stream) = streaming();
            let escaping = pair.ask(Request::Escape { socket: stream, timeout: Duration::from_secs(20) });
            let resuming = pair.ask(Request::Resume { socket: stream, timeout: Duration::from_secs(20) });
            pair.run_for(Duration::from_millis(millis));
            if close {
                assert!(matches!(pair.close(stream), Ok(Response::Closed)));
            } else {
                pair.call(Request::Forget { socket: stream }).unwrap();
            }
            pair.run_until(|pair| pair.waiting() == 0);
            for ticket in [escaping, resuming] {
                let answer = pair.answer(ticket);
                assert!(
                    matches!(answer, Ok(Response::Done) | Err(Error::Closed(CloseReason::Local))),
                    "{answer:?}"
                );
            }
            pair.run_for(Duration::from_secs(5));
            sockets_work(&mut pair);
        }
    }
}

#[test]
fn a_port_lost_at_any_moment_ends_the_stream_and_the_peer_gets_no_commands() {
    for millis in (0..8_000).step_by(250) {
        let mut pair = Pair::online();
        let dialling = pair.dialling(ECHO.0, ECHO.1, Duration::from_secs(60));
        let mut stream = None;
        pair.run_for(Duration::from_millis(millis));
        if let Some(answer) = pair.answered(dialling) {
            let Ok(Response::Connected(id)) = answer else { panic!("{answer:?}") };
            stream = Some(id);
            pair.ask(Request::Escape { socket: id, timeout: Duration::from_secs(20) });
            pair.run_for(Duration::from_millis(millis % 2_000));
        }
        let link = pair.modem.network().last_link();
        pair.pull_out();
        assert_eq!(pair.waiting(), 0);
        match stream {
            Some(stream) => {
                let (_, error) = pair.read_to_end(stream);
                assert!(matches!(error, Error::PortLost(_)), "{error}");
            }
            None => assert!(matches!(pair.answered(dialling), Some(Err(Error::PortLost(_))))),
        }
        pair.plug_in();
        sockets_work(&mut pair);
        if let Some(link) = link {
            let received = pair.modem.network().received(link).to_vec();
            assert!(received.is_empty(), "{}", received.escape_ascii());
        }
    }
}

#[test]
fn a_port_lost_twice_sends_the_peer_no_commands() {
    for millis in (0..3_000).step_by(100) {
        let mut pair = Pair::online();
        pair.dial(ECHO.0, ECHO.1).unwrap();
        let link = pair.modem.network().last_link().unwrap();
        pair.pull_out();
        pair.plug_in();
        pair.run_for(Duration::from_millis(millis));
        pair.pull_out();
        pair.plug_in();
        sockets_work(&mut pair);
        let received = pair.modem.network().received(link);
        assert!(received.is_empty(), "{millis} ms: {}", received.escape_ascii());
    }
}

#[test]
fn a_restart_at_any_moment_ends_the_stream() {
    for millis in (0..8_000).step_by(250) {
        let mut pair = Pair::online();
        let dialling = pair.dialling(ECHO.0, ECHO.1, Duration::from_secs(60));
        pair.run_for(Duration::from_millis(millis));
        let stream = match pair.answered(dialling) {
            Some(Ok(Response::Connected(id))) => {
                pair.ask(Request::Escape { socket: id, timeout: Duration::from_secs(20) });
                pair.run_for(Duration::from_millis(millis % 2_500));
                Some(id)
            }
            _ => None,
        };
        pair.control(Control::fault(fault::Reboot));
        match stream {
            Some(stream) => {
                let (read, error) = pair.read_to_end(stream);
                assert!(matches!(error, Error::ModemRestarted), "after {millis} ms: {error}");
                assert!(read.is_empty(), "{}", read.escape_ascii());
            }
            None => {
                let answer = pair.answer(dialling);
                assert!(matches!(answer, Err(Error::ModemRestarted)), "after {millis} ms: {answer:?}");
            }
        }
        sockets_work(&mut pair);
    }
}

#[test]
fn commands_of_the_application_may_end_the_stream() {
    let (mut pair, stream) = streaming();
    pair.escape(stream).unwrap();
    assert!(matches!(pair.call(Request::Restart), Ok(Response::Done)));
    assert!(matches!(pair.read_to_end(stream).1, Error::ModemRestarted));
    sockets_work(&mut pair);

    let (mut pair, stream) = streaming();
    pair.escape(stream).unwrap();
    assert!(matches!(pair.call(Request::Radio { on: false }), Ok(Response::Done)));
    assert!(matches!(pair.read_to_end(stream).1, Error::Closed(CloseReason::BearerLost)));
    pair.run_for(Duration::from_secs(5));
    assert_eq!(pair.engine.not_ready(), Some(NotReady::RadioOff));
    assert!(matches!(pair.call(Request::Radio { on: true }), Ok(Response::Done)));
    sockets_work(&mut pair);

    let (mut pair, stream) = streaming();
    pair.escape(stream).unwrap();
    pair.command("AT+CIPSHUT", Duration::from_secs(90)).unwrap();
    assert!(matches!(pair.resume(stream), Err(Error::Closed(CloseReason::Reset))));
    sockets_work(&mut pair);
}

#[test]
fn an_unread_stream_is_overrun_and_reports_the_lost_bytes() {
    let mut pair = Pair::with(Config::default().receive_window(4_096), Settings::default()).ready();
    let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
    let data: Vec<u8> = (0..=255).cycle().take(6_000).collect();
    push(&mut pair, &data);
    let (read, error) = pair.read_to_end(stream);
    assert_eq!(read, data[..4_096]);
    assert!(matches!(error, Error::Overrun { lost } if lost == 6_000 - 4_096), "{error}");
    pair.call(Request::Forget { socket: stream }).unwrap();
    pair.run_for(Duration::from_secs(3));
    sockets_work(&mut pair);
}

#[test]
fn on_a_stuck_port_writes_wait_and_a_close_times_out() {
    let (mut pair, stream) = streaming();
    pair.port_is_stuck = true;
    let data = vec![b'x'; 100_000];
    let before = pair.written.len();
    let send = pair.ask(Request::Send { socket: stream, data, timeout: Duration::from_secs(5) });
    let Ok(Response::Sent { accepted, .. }) = pair.answer(send) else { panic!("no byte was accepted") };
    assert_eq!(pair.written.len() - before, accepted);
    assert!(accepted <= 4_096, "{accepted} bytes accepted on a stuck port");
    let closed = pair.call(Request::Close { socket: stream, timeout: Duration::from_secs(40) });
    assert!(matches!(closed, Err(Error::Timeout { .. })), "{closed:?}");
    pair.run_for(Duration::from_secs(60));
    pair.port_is_stuck = false;
    sockets_work(&mut pair);
}

#[test]
fn unsent_data_of_a_stream_do_not_reach_the_next_one() {
    let (mut pair, stream) = streaming();
    pair.send(stream, b"for the first peer").unwrap();
    let link = pair.modem.network_mut().last_link().unwrap();
    pair.modem.network_mut().reset_by_peer(link);
    let (_, error) = pair.read_to_end(stream);
    assert!(matches!(error, Error::Closed(CloseReason::Reset)), "{error}");
    pair.call(Request::Forget { socket: stream }).unwrap();
    let stream = pair.dial(ECHO.0, ECHO.1).unwrap();
    pair.run_for(Duration::from_secs(2));
    echoes(&mut pair, stream, b"for the second");
    let link = pair.modem.network_mut().last_link().unwrap();
    assert_eq!(pair.modem.network().received(link), b"for the second");
}
