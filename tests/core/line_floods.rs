//! Lines without end: the number of commands that they make the driver write.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::at::Urc;
use air724ug::proto::{Event, Response};
use air724ug::sim::{Peer, Settings};
use air724ug::{Config, Error, ReceiveMode};

/// Text of people. A line after it may still belong to it.
const MESSAGE: &str = "\r\n+CMT: \"+86138\",,\"24/10/22,19:50:34+32\"\r\nhi\r\n";
/// The most commands in a second without connections, as docs/security.md promises.
const MOST_COMMANDS_A_SECOND: usize = 59;
/// The pauses between two lines of a flood, in milliseconds.
const EVERY: [u64; 3] = [5, 20, 400];

/// The commands that a flood causes in each of these seconds.
fn flood(pair: &mut Pair, bytes: &str, every: u64, seconds: usize) -> Vec<usize> {
    let mut written = Vec::new();
    for _ in 0..seconds {
        let before = pair.wrote("\r\n");
        for _ in 0..1_000 / every {
            pair.inject(bytes.as_bytes());
            pair.run_for(Duration::from_millis(every));
        }
        written.push(pair.wrote("\r\n") - before);
    }
    written
}

fn in_mode(mode: ReceiveMode) -> Pair {
    Pair::with(Config::default().receive_mode(mode), Settings::default()).ready()
}

fn works(pair: &mut Pair) {
    let socket = pair.connect(ECHO.0, ECHO.1).unwrap();
    pair.send(socket, b"hello").unwrap();
    assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
    pair.close(socket).unwrap();
}

/// Regression: each message led to a question at once.
#[test]
fn texts_with_the_words_of_commands_lead_to_a_question_in_a_second() {
    for command in ["AT", "ATE0", "AT+CIPMUX?", "AT+CSQ", "AT+CIPSEND=0,5", "+++"] {
        for every in EVERY {
            let mut pair = Pair::online();
            let asked = pair.wrote("AT+CIPSTATUS");
            let written = flood(&mut pair, &format!("{MESSAGE}\r\n{command}\r\n"), every, 10);
            let asked = pair.wrote("AT+CIPSTATUS") - asked;
            assert!((9..=11).contains(&asked), "{command} every {every} ms: {asked} questions");
            // Each may be followed by one that shows that its answer is not an older one.
            assert!(written.iter().sum::<usize>() <= 2 * 11, "{command} every {every} ms: {written:?}");
            assert!(!pair.saw(|event| matches!(event, Event::Restarted)), "{command} every {every} ms");
            works(&mut pair);
        }
    }
}

/// Regression: each line led to a close, a question about its refusal, and one that showed the order of the answers.
#[test]
fn reports_of_connections_without_a_request_lead_to_a_close_in_a_second() {
    for line in ["\r\n0, CONNECT OK\r\n", "\r\n0, CLOSED\r\n\r\n0, CONNECT OK\r\n"] {
        for (mode, every) in [ReceiveMode::Push, ReceiveMode::Manual].iter().zip(EVERY) {
            let mut pair = in_mode(*mode);
            let written = flood(&mut pair, line, every, 10);
            let closes = pair.wrote("AT+CIPCLOSE=0");
            assert!((8..=11).contains(&closes), "{mode:?} {every} ms: {closes} closes");
            assert!(written.iter().sum::<usize>() <= 4 * closes, "{mode:?} {every} ms: {written:?}");
            works(&mut pair);
        }
    }
    let mut pair = Pair::online();
    let all: String = (0..8).map(|channel| format!("\r\n{channel}, CONNECT OK\r\n")).collect();
    let written = flood(&mut pair, &all, 20, 10);
    assert!(written.iter().all(|count| *count <= MOST_COMMANDS_A_SECOND), "{written:?}");
    assert!(written[1..].iter().all(|count| *count <= 4 * 8), "{written:?}");
    works(&mut pair);
}

/// The pace holds back a close, and does not forget it. Meanwhile the data of the connection reach no socket.
#[test]
fn a_connection_without_a_request_is_closed_in_the_end_and_its_data_are_reported() {
    let mut pair = Pair::online();
    pair.modem.network_mut().set_latency(Duration::from_secs(2));
    let ticket = pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(1));
    // The closes after the time-out and after the first report are lost, and answered.
    pair.instead_times(2, "AT+CIPCLOSE=0", "\r\n0, CLOSE OK\r\n");
    assert!(matches!(pair.answer(ticket), Err(Error::Timeout { .. })));
    pair.run_for(Duration::from_millis(500));
    pair.inject(b"\r\n0, CONNECT OK\r\n");
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.wrote("AT+CIPCLOSE=0"), 2, "the first one is closed at once");
    pair.run_for(Duration::from_secs(30));
    let reports = |event: &&Event| matches!(event, Event::Urc(Urc::ConnectOk(Some(_))));
    assert_eq!(pair.events.iter().filter(reports).count(), 2, "{}", pair.story());
    let is_open = pair.modem.state().channels.iter().any(|channel| channel.link.is_some());
    assert!(!is_open, "a connection without a socket stays open");
    assert_eq!(pair.wrote("AT+CIPCLOSE=0"), 3);

    let mut pair = Pair::online();
    pair.inject(b"\r\n0, CONNECT OK\r\n");
    pair.run_for(Duration::from_millis(100));
    pair.inject(b"\r\n0, CONNECT OK\r\n");
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.wrote("AT+CIPCLOSE=0"), 1);
    pair.inject(b"\r\n+RECEIVE,0,5:\r\nhello");
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.engine.statistics().strays, 5);
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.wrote("AT+CIPCLOSE=0"), 2, "the close that was held back");
}

/// Regression: while a connection was made, each line that another connection may have caused led to a question.
#[test]
fn doubtful_lines_about_one_connection_lead_to_a_question_in_a_second() {
    for line in ["CONNECT OK", "0, CLOSED", "0, CLOSE OK", "0, TCP ERROR: 3", "+RECEIVE,0,5:\r\nhello"] {
        for every in EVERY {
            let mut pair = Pair::online();
            pair.modem.network_mut().serve("silent.test", 80, Peer::silent());
            let ticket = pair.connecting("silent.test", 80, Duration::from_secs(60));
            pair.run_for(Duration::from_secs(1));
            let asked = pair.wrote("AT+CIPSTATUS");
            let written = flood(&mut pair, &format!("\r\n{line}\r\n"), every, 10);
            let asked = pair.wrote("AT+CIPSTATUS") - asked;
            // Three at once, and one in each of ten seconds.
            assert!(asked <= 13, "{line} every {every} ms: {asked} questions");
            assert!(written.iter().sum::<usize>() <= 2 * 13, "{line} every {every} ms: {written:?}");
            assert!(pair.answered(ticket).is_none(), "{line} every {every} ms");
        }
    }
}

/// A status in which the last channel is in this state, and all others are connected.
fn status(last: &str) -> String {
    let rows = (0..8).map(|n| {
        let state = if n == 7 { last } else { "CONNECTED" };
        format!("\r\nC: {n},0,\"TCP\",\"1.2.3.4\",\"80\",\"{state}\"\r\n")
    });
    format!("\r\nOK\r\n\r\nSTATE: IP PROCESSING\r\n{}", rows.collect::<String>())
}

/// Regression: a line that a cancelled connection had left behind delayed the next one by a second.
#[test]
fn a_connection_made_right_after_a_doubtful_line_is_there_at_once() {
    for line in ["7, CLOSED", "7, CLOSE OK", "7, CONNECT OK"] {
        let mut pair = Pair::online();
        for _ in 0..7 {
            pair.channel_open();
        }
        pair.instead_times(2, "AT+CIPSTART=7", "\r\nOK\r\n");
        pair.instead("AT+CIPCLOSE=7", "\r\n7, CLOSE OK\r\n");
        let cancelled = pair.connecting("a.test", 80, Duration::from_secs(1));
        assert!(matches!(pair.answer(cancelled), Err(Error::Timeout { .. })), "{line}");
        pair.instead("AT+CIPSTATUS", status("CONNECTING"));
        pair.instead_times(3, "AT+CIPSTATUS", status("CONNECTED"));
        let connecting = pair.connecting("a.test", 80, Duration::from_secs(60));
        pair.run_for(Duration::from_millis(40));
        pair.inject(format!("\r\n{line}\r\n").as_bytes());
        pair.run_for(Duration::from_millis(60));
        pair.inject(b"\r\n7, CONNECT OK\r\n");
        let begun = pair.now;
        assert!(matches!(pair.answer(connecting), Ok(Response::Connected(_))), "{line}: {}", pair.story());
        assert!(pair.now - begun < Duration::from_millis(300), "{line}: {:?}", pair.now - begun);
    }
}

/// Regression: each prompt led to a question at once.
#[test]
fn prompts_without_end_lead_to_a_question_in_a_second() {
    for (prompt, every) in
        [">", "\r\n>\r\n", "\r\n> \r\n"].iter().flat_map(|prompt| EVERY.map(|at| (prompt, at)))
    {
        let mut pair = Pair::online();
        let written = flood(&mut pair, prompt, every, 20);
        let all: usize = written.iter().sum();
        assert!(all <= 2 * 21, "{prompt:?} every {every} ms: {written:?}");
        pair.inject(b"\r\n");
        pair.run_for(Duration::from_secs(2));
        works(&mut pair);
    }
    // The question about a single prompt is asked at once.
    let mut pair = Pair::online();
    let before = pair.wrote("\r\n");
    pair.inject(b"\r\n> ");
    pair.run_for(Duration::from_millis(500));
    assert!(pair.wrote("\r\n") > before);
}

/// Regression: a sign during the pause ended the pause, and one after it began a new count.
#[test]
fn signs_of_a_start_without_end_lead_to_few_searches() {
    for sign in ["RDY", "^boot.rom'v'!", "RDY\r\n\r\nOK", "AT", "ATE0", "AT+CSQ", "+++"] {
        for every in EVERY {
            let mut pair = Pair::online();
            let written = flood(&mut pair, &format!("\r\n{sign}\r\n"), every, 60);
            let most = written.iter().max().unwrap();
            assert!(*most <= MOST_COMMANDS_A_SECOND, "{sign} every {every} ms: {written:?}");
            // A bring-up of 21 commands in 6 s, after the first ones.
            let late: usize = written[20..].iter().sum();
            assert!(late <= 7 * 21, "{sign} every {every} ms: {written:?}");
            // The next single start is followed at once.
            pair.run_for(Duration::from_secs(20));
            assert!(pair.engine.is_ready(), "{sign} every {every} ms: {}", pair.story());
            works(&mut pair);
            pair.inject(b"\r\nRDY\r\n");
            pair.run_for(Duration::from_secs(1));
            assert!(pair.engine.is_ready(), "{sign} every {every} ms: {}", pair.story());
        }
    }
}

/// Lines that the module prints without end, with and without connections.
#[test]
fn no_line_without_end_makes_the_line_busy() {
    let lines = [
        "OK",
        "ERROR",
        "+CME ERROR: 3",
        "SHUT OK",
        "CONNECT",
        "NO CARRIER",
        "SEND OK",
        "0, SEND OK",
        "0, SEND FAIL",
        "DATA ACCEPT:0,5",
        "DATA ACCEPT:5",
        "0, CONNECT FAIL",
        "0, ALREADY CONNECT",
        "0, CLOSED",
        "0, CLOSE OK",
        "0, TCP ERROR: 3",
        "CONNECT OK",
        "CONNECT FAIL",
        "CLOSED",
        "+PDP: DEACT",
        "+SAPBR 1: DEACT",
        "STATE: PDP DEACT",
        "STATE: IP INITIAL",
        "*CGEV: NW DEACT",
        "+CIPRXGET: 1,0",
        "+CIPRXGET: 1",
        "+CIPRXGET: 2,0,0,0",
        "+RECEIVE,0,0:",
        "+RECEIVE,9,5:",
        "+RECEIVE,0,5:\r\nabcde",
        "+RECEIVE,0,99999:",
        "C: 0,,\"TCP\",\"1.2.3.4\",\"7\",\"CONNECTED\"",
        "+CPIN: READY",
        "+CPIN: NOT INSERTED",
        "SMS READY",
        "Call Ready",
        "+CREG: 0",
        "+CIPMUX: 0",
        "+CIPACK: 1,1,0",
        "NORMAL POWER DOWN",
        "+FTPGET: 1,1",
        "DOWNLOAD",
        "xyz",
    ];
    for mode in [ReceiveMode::Push, ReceiveMode::Manual] {
        for sockets in [0, 8] {
            for line in lines {
                for every in EVERY {
                    let mut pair = in_mode(mode);
                    for _ in 0..sockets {
                        pair.channel_open();
                    }
                    let written = flood(&mut pair, &format!("\r\n{line}\r\n"), every, 20);
                    let case = format!("{mode:?}, {sockets} sockets, {line} every {every} ms: {written:?}");
                    assert!(written.iter().all(|count| *count <= MOST_COMMANDS_A_SECOND), "{case}");
                    assert!(written.iter().sum::<usize>() <= 200, "{case}");
                }
            }
        }
    }
}
