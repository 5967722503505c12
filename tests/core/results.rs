//! Results of calls: a call reports what the module was seen to do, and the reason of a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::at::{Command, Refusal};
use air724ug::error::CloseReason;
use air724ug::proto::{Event, Request, Response, SocketId};
use air724ug::query::{Clock, Signal};
use air724ug::sim::{Control, Direction, Peer, Settings, fault};
use air724ug::{Config, Error, ReceiveMode};

const LONG: Duration = Duration::from_secs(300);

fn both_modes() -> [ReceiveMode; 2] {
    [ReceiveMode::Push, ReceiveMode::Manual]
}

fn online(mode: ReceiveMode) -> Pair {
    Pair::with(Config::default().receive_mode(mode), Settings::default()).ready()
}

/// The bytes that the peer has received on the newest link.
fn peer_got(pair: &Pair) -> Vec<u8> {
    let link = pair.modem.network().last_link().unwrap();
    pair.modem.network().received(link).to_vec()
}

fn sent(pair: &Pair, socket: SocketId) -> u64 {
    pair.engine.socket_statistics(socket).unwrap().sent
}

fn given(pair: &Pair, socket: SocketId) -> u64 {
    pair.engine.socket_statistics(socket).unwrap().given
}

fn send_within(pair: &mut Pair, socket: SocketId, data: &[u8], timeout: Duration) -> Result<usize, Error> {
    match pair.call(Request::Send { socket, data: data.to_vec(), timeout })? {
        Response::Sent { accepted, .. } => Ok(accepted),
        other => panic!("{other:?}"),
    }
}

fn still_works(pair: &mut Pair) {
    let ready = pair.call(Request::WaitReady { timeout: LONG });
    assert!(matches!(ready, Ok(Response::Ready)), "{ready:?}, {}", pair.story());
    let socket = pair.channel_open();
    assert_eq!(pair.send(socket, b"still here").unwrap(), 10, "{}", pair.story());
    assert_eq!(pair.read(socket, 10).unwrap(), b"still here");
    assert!(matches!(pair.close(socket), Ok(Response::Closed)), "{}", pair.story());
}

// ------------------------------------------------------------------------------------------------------- sending

#[test]
fn a_send_that_times_out_in_flight_is_a_timeout() {
    // Either the command is lost, or the prompt comes and the result is lost.
    for answer in ["", "\r\n> "] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.instead("AT+CIPSEND=0,5", answer);
        if !answer.is_empty() {
            pair.instead("hello", "");
        }
        let result = send_within(&mut pair, socket, b"hello", Duration::from_secs(1));
        assert!(
            matches!(result, Err(Error::Timeout { after, .. }) if after == Duration::from_secs(1)),
            "{result:?}"
        );
        assert_eq!(sent(&pair, socket), 0, "no byte is known to be accepted");
        pair.run_for(LONG);
        // The end of the socket reports the outcome.
        assert_eq!((sent(&pair, socket), peer_got(&pair).len()), (0, 0));
        let end = pair.read_to_end(socket).1;
        assert!(matches!(end, Error::Closed(CloseReason::SendUnconfirmed)), "{end}");
        pair.close(socket).unwrap();
        still_works(&mut pair);
    }
}

#[test]
fn a_write_that_times_out_reports_the_accepted_bytes() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    let mut pieces = 0;
    pair.to_modem = Box::new(move |_, bytes| {
        pieces += usize::from(bytes.starts_with(b"AT+CIPSEND"));
        if pieces == 3 { Vec::new() } else { bytes }
    });
    let accepted = send_within(&mut pair, socket, &[7; 5_000], Duration::from_secs(2)).unwrap();
    assert_eq!(accepted, 2 * 1_460);
    assert_eq!((sent(&pair, socket), given(&pair, socket)), (2 * 1_460, 3 * 1_460), "one piece is in doubt");
    assert_eq!(peer_got(&pair), [7; 2 * 1_460]);
}

#[test]
fn a_piece_accepted_after_the_timeout_of_its_send_is_counted() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.control(Control::fault(fault::LateSend { by: Duration::from_secs(3) }));
    let answer = send_within(&mut pair, socket, b"hello", Duration::from_secs(1));
    assert!(matches!(answer, Err(Error::Timeout { accepted: 0, .. })), "{answer:?}");
    assert_eq!((sent(&pair, socket), given(&pair, socket)), (0, 5));
    assert_eq!(pair.send(socket, b"world").unwrap(), 5);
    assert_eq!((sent(&pair, socket), peer_got(&pair)), (10, b"helloworld".to_vec()));
}

#[test]
fn a_piece_refused_after_the_timeout_of_its_send_does_not_count_as_given() {
    let latencies = vec![("+CIPSEND".to_owned(), Duration::from_secs(3))];
    let mut pair = Pair::with(Config::default(), Settings::default().latencies(latencies)).ready();
    let socket = pair.channel_open();
    pair.instead("AT+CIPSEND=0,5", "");
    let ticket = pair.ask(Request::Send { socket, data: b"hello".to_vec(), timeout: Duration::from_secs(1) });
    assert!(matches!(pair.answer(ticket), Err(Error::Timeout { .. })));
    let drain = pair.ask(Request::Drain { socket, timeout: LONG });
    pair.inject(b"\r\n+CME ERROR: 3\r\n");
    assert!(matches!(pair.answer(drain), Ok(Response::Done)));
    assert_eq!((sent(&pair, socket), given(&pair, socket)), (0, 0));
}

#[test]
fn a_flush_fails_while_a_piece_is_in_doubt() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CIPSEND=0,5", "\r\n> ").instead("hello", "");
    let answer = send_within(&mut pair, socket, b"hello", Duration::from_secs(1));
    assert!(matches!(answer, Err(Error::Timeout { .. })), "{answer:?}");
    let flush = pair.call(Request::Flush { socket, timeout: LONG });
    assert!(flush.is_err(), "{flush:?}");
}

/// Loses the first occurrence of a line on its way to the host.
fn lose_line(pair: &mut Pair, line: &'static str) {
    let mut lost = false;
    pair.to_host = Box::new(move |_, bytes| {
        match bytes.windows(line.len()).position(|window| window == line.as_bytes()).filter(|_| !lost) {
            Some(at) => {
                lost = true;
                [&bytes[..at], &bytes[at + line.len()..]].concat()
            }
            None => bytes,
        }
    });
}

#[test]
fn the_driver_asks_about_a_lost_result_while_other_sockets_work() {
    for mode in both_modes() {
        let mut pair = online(mode);
        let other = pair.channel_open();
        let socket = pair.channel_open();
        lose_line(&mut pair, "\r\nDATA ACCEPT:1,5\r\n");
        let begun = pair.now;
        let lost = pair.sending(socket, b"hello");
        let after = pair.sending(other, b"in the meantime");
        assert!(matches!(pair.answer(after), Ok(Response::Sent { accepted: 15, .. })), "{}", pair.story());
        assert!(pair.now - begun < Duration::from_secs(6), "{:?}", pair.now - begun);
        assert!(pair.answered(lost).is_none(), "the result is not known yet");
        assert!(matches!(pair.answer(lost), Ok(Response::Sent { accepted: 5, .. })), "{}", pair.story());
        assert!(pair.now - begun < Duration::from_secs(8), "{:?}", pair.now - begun);
        // The reported result was correct, and the stream goes on.
        assert_eq!(pair.send(socket, b" world").unwrap(), 6);
        assert_eq!(pair.read(socket, 11).unwrap(), b"hello world");
        assert_eq!((sent(&pair, socket), given(&pair, socket)), (11, 11));
        assert_eq!(peer_got(&pair), b"hello world");
    }
}

#[test]
fn a_very_late_result_ends_no_socket() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.control(Control::fault(fault::LateSend { by: Duration::from_secs(20) }));
    assert_eq!(pair.send(socket, b"hello").unwrap(), 5, "{}", pair.story());
    pair.run_for(Duration::from_secs(30));
    assert_eq!(pair.send(socket, b"world").unwrap(), 5);
    assert_eq!(pair.read(socket, 10).unwrap(), b"helloworld");
    assert_eq!(sent(&pair, socket), 10);
}

#[test]
fn a_result_after_lost_payload_is_never_a_success() {
    for lost in 1..5 {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        let mut hit = false;
        pair.to_modem = Box::new(move |_, bytes| {
            if !hit && bytes == b"hello" {
                hit = true;
                return bytes[..bytes.len() - lost].to_vec();
            }
            bytes
        });
        let answer = pair.send(socket, b"hello");
        assert!(matches!(answer, Err(Error::Closed(CloseReason::SendUnconfirmed))), "{answer:?}");
        assert_eq!(sent(&pair, socket), 0);
        pair.close(socket).unwrap();
        still_works(&mut pair);
    }
}

/// The module counts filler like payload, and a slow line may delay the result. Before the module has answered a
/// question that was written after the filler, the result may include filler.
#[test]
fn a_result_before_the_answer_to_the_question_after_the_filler_is_never_a_success() {
    for slow in [0, 500, 1_500, 2_000, 4_000] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        let mut hit = false;
        pair.to_modem = Box::new(move |_, bytes| {
            let hits = bytes == b"hello" && !std::mem::replace(&mut hit, true);
            if hits { bytes[..3].to_vec() } else { bytes }
        });
        let ticket = pair.sending(socket, b"hello");
        pair.run_for(Duration::from_secs(1));
        pair.control(Control::fault(fault::DelayPiece {
            direction: Direction::ToHost,
            by: Duration::from_millis(slow),
        }));
        let answer = pair.answer(ticket);
        assert!(matches!(answer, Err(Error::Closed(CloseReason::SendUnconfirmed))), "{slow} ms: {answer:?}");
        assert_eq!(sent(&pair, socket), 0);
    }
}

/// The payload, its filler and the first questions are lost. The module takes the next question for payload, and counts
/// the number of bytes that were announced.
#[test]
fn a_count_after_a_question_without_an_answer_is_no_success() {
    for late in [false, true] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        let mut lost = 0;
        pair.to_modem = Box::new(move |_, bytes| {
            lost += usize::from(lost > 0 || bytes == b"hello");
            if (1..=3).contains(&lost) { Vec::new() } else { bytes }
        });
        lose_line(&mut pair, "\r\nDATA ACCEPT:0,5\r\n");
        let ticket = pair.sending(socket, b"hello");
        if late {
            pair.run_until(|pair| pair.wrote("AT+CIPACK=0") > 0);
            pair.instead("AT+CIPACK=0", "");
            pair.run_for(Duration::from_millis(500));
            pair.inject(b"\r\nDATA ACCEPT:0,5\r\n");
        }
        let answer = pair.answer(ticket);
        assert!(
            matches!(answer, Err(Error::Closed(CloseReason::SendUnconfirmed))),
            "{answer:?} {}",
            pair.story()
        );
        assert_eq!(sent(&pair, socket), 0);
    }
}

#[test]
fn a_send_that_the_module_has_not_counted_ends_the_socket() {
    for counted in ["+CIPACK: 0,0,0", "+CIPACK: 4,0,4", "+CIPACK: 500,0,500"] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        lose_line(&mut pair, "\r\nDATA ACCEPT:0,5\r\n");
        pair.instead("AT+CIPACK=0", format!("\r\n{counted}\r\n\r\nOK\r\n"));
        let answer = pair.send(socket, b"hello");
        assert!(matches!(answer, Err(Error::Closed(CloseReason::SendUnconfirmed))), "{counted}: {answer:?}");
        assert_eq!(sent(&pair, socket), 0);
    }
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    lose_line(&mut pair, "\r\nDATA ACCEPT:0,5\r\n");
    pair.instead_times(10, "AT+CIPACK=0", "");
    let answer = pair.send(socket, b"hello");
    assert!(matches!(answer, Err(Error::Closed(CloseReason::SendUnconfirmed))), "{answer:?}");
    pair.heal();
    pair.close(socket).unwrap();
    still_works(&mut pair);
}

#[test]
fn in_slow_send_mode_the_driver_waits_for_the_peers_confirmation() {
    let mut pair = Pair::new();
    pair.instead("AT+CIPQSEND=1", "\r\nERROR\r\n");
    let mut pair = pair.ready();
    let socket = pair.channel_open();
    pair.instead("AT+CIPSEND=0,5", "\r\n> ").instead("hello", "");
    let ticket = pair.sending(socket, b"hello");
    pair.run_for(Duration::from_secs(40));
    assert!(pair.answered(ticket).is_none());
    pair.inject(b"\r\n0, SEND OK\r\n");
    assert!(matches!(pair.answer(ticket), Ok(Response::Sent { accepted: 5, .. })));
}

// ------------------------------------------------------------------------------------------------------- closing

#[test]
fn a_close_without_an_answer_is_no_success() {
    for mode in both_modes() {
        let mut pair = online(mode);
        let socket = pair.channel_open();
        pair.to_modem = Box::new(|_, _| Vec::new());
        let asked = pair.now;
        let answer = pair.call(Request::Close { socket, timeout: Duration::from_secs(40) });
        assert!(
            matches!(answer, Err(Error::Timeout { after, .. }) if after == Duration::from_secs(40)),
            "{answer:?}"
        );
        assert_eq!(pair.now - asked, Duration::from_secs(40));
    }
}

#[test]
fn the_silence_of_the_module_does_not_confirm_a_close() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    let other = pair.channel_open();
    pair.to_modem = Box::new(|_, _| Vec::new());
    // All questions stay without an answer until the module counts as silent.
    let command = pair.ask(Request::query(&Signal));
    let close = pair.ask(Request::Close { socket, timeout: LONG });
    assert!(pair.answer(command).is_err());
    pair.run_until(|pair| !pair.engine.is_ready());
    assert!(pair.answered(close).is_none(), "the module has not closed the channel");
    let end = pair.read_to_end(other).1;
    assert!(matches!(end, Error::Closed(CloseReason::ModuleSilent)), "{end}");
    let late = pair.call(Request::Close { socket: other, timeout: Duration::from_secs(5) });
    assert!(matches!(late, Err(Error::Timeout { .. })), "{late:?}");
    pair.to_modem = Box::new(|_, bytes| bytes);
    assert!(matches!(pair.answer(close), Ok(Response::Closed)), "{}", pair.story());
    let open = pair.modem.state().channels.iter().filter(|channel| channel.link.is_some()).count();
    assert_eq!(open, 0, "the close was reported");
    pair.call(Request::Forget { socket: other }).unwrap();
    still_works(&mut pair);
}

#[test]
fn a_close_interrupted_by_the_loss_of_the_port_is_an_error_with_the_cause() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CIPCLOSE", "");
    let close = pair.ask(Request::Close { socket, timeout: LONG });
    pair.pull_out();
    let answer = pair.answered(close);
    assert!(matches!(&answer, Some(Err(Error::PortLost(why))) if &**why == "pulled out"), "{answer:?}");
    // The module still has the connection, and a later close waits for its end.
    pair.plug_in();
    assert!(matches!(pair.call(Request::Close { socket, timeout: LONG }), Ok(Response::Closed)));
    let open = pair.modem.state().channels.iter().filter(|channel| channel.link.is_some()).count();
    assert_eq!(open, 0, "the close was reported");
    still_works(&mut pair);
}

#[test]
fn a_close_during_a_reset_of_the_bearer_waits_for_the_module() {
    let latencies = vec![("+CIPSHUT".to_owned(), Duration::from_secs(3))];
    let mut pair = Pair::with(Config::default(), Settings::default().latencies(latencies)).ready();
    let socket = pair.channel_open();
    pair.call(Request::ResetBearer).unwrap();
    let close = pair.ask(Request::Close { socket, timeout: LONG });
    assert!(pair.answered(close).is_none(), "AT+CIPSHUT is not answered yet");
    assert!(matches!(pair.answer(close), Ok(Response::Closed)));
    still_works(&mut pair);
}

// -------------------------------------------------------------------------------------------------------- causes

#[test]
fn every_waiting_call_gets_the_cause_of_a_lost_port() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CIPSEND", "");
    let tickets = [
        pair.sending(socket, b"hello"),
        pair.ask(Request::Flush { socket, timeout: LONG }),
        pair.connecting(ECHO.0, ECHO.1, LONG),
        pair.ask(Request::query(&Signal)),
        pair.ask(Request::query(&Clock)),
    ];
    pair.pull_out();
    for ticket in tickets {
        let answer = pair.answered(ticket);
        assert!(matches!(&answer, Some(Err(Error::PortLost(why))) if &**why == "pulled out"), "{answer:?}");
    }
    // The cause remains when the port is back.
    pair.plug_in();
    let end = pair.read_to_end(socket).1;
    assert!(matches!(&end, Error::PortLost(why) if &**why == "pulled out"), "{end}");
}

#[test]
fn a_refusal_that_ended_a_connection_stays_the_reason() {
    let mut pair = online(ReceiveMode::Manual);
    let socket = pair.channel_open();
    pair.instead("AT+CIPSEND=0", "\r\n+CME ERROR: 3\r\n").instead("AT+CIPACK=0", "\r\n+CME ERROR: 3\r\n");
    pair.instead("AT+CIPRXGET=2,0", "\r\n+CME ERROR: 3\r\n");
    let is_refusal = |error: &Error| matches!(error, Error::Closed(CloseReason::SendRefused(_)));
    let error = pair.send(socket, b"hello").unwrap_err();
    assert!(is_refusal(&error), "{error}");
    let error = pair.send(socket, b"again").unwrap_err();
    assert!(is_refusal(&error), "{error}");
    let end = pair.read_to_end(socket).1;
    assert!(is_refusal(&end), "{end}");
}

/// The window holds a third of what the peer has sent. The rest is fetched before the connection ends.
#[test]
fn data_in_the_module_are_read_after_a_refused_send() {
    let config = Config::default().receive_mode(ReceiveMode::Manual).receive_window(4_096);
    let mut pair = Pair::with(config, Settings::default()).ready();
    let socket = pair.channel_open();
    let data: Vec<u8> = (0..12_000_u32).map(|at| (at / 47) as u8).collect();
    let link = pair.modem.network().last_link().unwrap();
    pair.modem.network_mut().push(link, &data);
    pair.run_for(Duration::from_secs(2));
    pair.instead_times(9, "AT+CIPSEND=0,5", "\r\n+CME ERROR: 3\r\n");
    let error = pair.send(socket, b"hello").unwrap_err();
    let is_refusal = |error: &Error| matches!(error, Error::Closed(CloseReason::SendRefused(_)));
    assert!(is_refusal(&error), "{error}");
    let (read, end) = pair.read_to_end(socket);
    assert!(is_refusal(&end), "{end}");
    assert!(read == data, "{} bytes", read.len());
}

// ----------------------------------------------------------------------------------------------------- time-outs

#[test]
fn a_timeout_names_the_time_that_the_caller_has_waited() {
    for limit in [20, 70] {
        let limit = Duration::from_secs(limit);
        let mut pair = Pair::online();
        pair.instead("AT+CIPSTART", "");
        let asked = pair.now;
        let ticket = pair.connecting(ECHO.0, ECHO.1, limit);
        let Err(Error::Timeout { after, .. }) = pair.answer(ticket) else { panic!("{}", pair.story()) };
        assert_eq!((after, pair.now - asked), (limit, limit));
    }
    // The limit of the module's connect command ends before the caller's time-out.
    let mut pair = Pair::online();
    pair.instead("AT+CIPSTART", "");
    let asked = pair.now;
    let ticket = pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(120));
    let Err(Error::Timeout { after, .. }) = pair.answer(ticket) else { panic!("{}", pair.story()) };
    assert_eq!(after, pair.now - asked);
    // The time in the queue counts, too.
    let mut pair = Pair::online();
    pair.instead_times(3, "AT+CCLK?", "");
    let asked = pair.now;
    let tickets: Vec<_> = (0..2).map(|_| pair.ask(Request::query(&Clock))).collect();
    for ticket in tickets {
        let Err(Error::Timeout { after, .. }) = pair.answer(ticket) else { panic!("{}", pair.story()) };
        assert_eq!(after, pair.now - asked);
    }
}

// ---------------------------------------------------------------------------------------------------- a lost bearer

/// The number of questions for the state of the bearer.
fn asked(pair: &Pair) -> usize {
    pair.wrote("AT+CIPSTATUS")
}

/// Ends the bearer without a report.
fn lose_bearer_silently(pair: &mut Pair) {
    pair.to_host = Box::new(|_, _| Vec::new());
    pair.control(Control::PdpLost);
    pair.to_host = Box::new(|_, bytes| bytes);
}

#[test]
fn a_failed_connection_reveals_a_lost_bearer() {
    let mut pair = Pair::online();
    lose_bearer_silently(&mut pair);
    pair.instead("AT+CIPSTART=0", "\r\nOK\r\n\r\n0, CONNECT FAIL\r\n");
    let answer = pair.connect(ECHO.0, ECHO.1);
    assert!(matches!(answer, Err(Error::ConnectFailed(Refusal::ConnectFail))), "{answer:?}");
    pair.run_for(Duration::from_millis(100));
    assert!(!pair.engine.is_ready(), "the bearer counts as active");
    still_works(&mut pair);

    // The same, if the connection gets no result.
    let mut pair = Pair::online();
    lose_bearer_silently(&mut pair);
    pair.instead("AT+CIPSTART=0", "\r\nOK\r\n");
    let ticket = pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(20));
    assert!(matches!(pair.answer(ticket), Err(Error::Timeout { .. })));
    pair.run_for(Duration::from_millis(100));
    assert!(!pair.engine.is_ready(), "the bearer counts as active");
    still_works(&mut pair);
}

#[test]
fn a_refusing_server_causes_few_questions_for_the_bearer() {
    let mut pair = Pair::online();
    pair.modem.network_mut().serve("refuse.test", 1, Peer::refuse());
    let before = asked(&pair);
    let begun = pair.now;
    let mut failed = 0;
    while pair.now < begun + Duration::from_secs(60) {
        assert!(matches!(pair.connect("refuse.test", 1), Err(Error::ConnectFailed(_))));
        failed += 1;
        pair.run_for(Duration::from_millis(200));
    }
    assert!(failed > 100, "{failed}");
    let questions = asked(&pair) - before;
    assert!((1..=7).contains(&questions), "{questions} questions in a minute");
    assert!(pair.engine.is_ready());
}

#[test]
fn a_reported_loss_of_the_bearer_is_verified_before_it_is_believed() {
    for line in ["STATE: PDP DEACT", "STATE:IP PDPDEACT", "+SAPBR 1: DEACT", "*CGEV: DEACT,5"] {
        // The report is about another bearer, or is old.
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        let before = asked(&pair);
        pair.inject(format!("\r\n{line}\r\n").as_bytes());
        pair.run_for(Duration::from_secs(1));
        assert_eq!(asked(&pair) - before, 1, "{line}");
        pair.send(socket, b"hello").unwrap();
        assert_eq!(pair.read(socket, 5).unwrap(), b"hello", "{line}");
        // The report is true, and comes during a command or between two.
        for reply in ["", "\r\n+CSQ: 24,99\r\n"] {
            let mut pair = Pair::online();
            let socket = pair.channel_open();
            lose_bearer_silently(&mut pair);
            match reply {
                "" => pair.inject(format!("\r\n{line}\r\n").as_bytes()),
                _ => {
                    pair.instead("AT+CSQ", format!("{reply}\r\n{line}\r\n\r\nOK\r\n"));
                    pair.call(Request::query(&Signal)).unwrap();
                }
            }
            pair.run_for(Duration::from_millis(100));
            let end = pair.read_to_end(socket).1;
            assert!(matches!(end, Error::Closed(CloseReason::BearerLost)), "{line}: {end}");
            pair.close(socket).unwrap();
            still_works(&mut pair);
        }
    }
}

// ------------------------------------------------------------------------------------------ doubtful lines and data

#[test]
fn connect_fail_without_a_number_belongs_to_the_only_connection_being_made() {
    let mut pair = Pair::online();
    pair.instead("AT+CIPSTART=0", "\r\nOK\r\n");
    let asked = pair.now;
    let ticket = pair.connecting(ECHO.0, ECHO.1, LONG);
    pair.run_for(Duration::from_secs(1));
    pair.inject(b"\r\nCONNECT FAIL\r\n");
    let answer = pair.answer(ticket);
    assert!(matches!(answer, Err(Error::ConnectFailed(Refusal::ConnectFail))), "{answer:?}");
    assert_eq!(pair.now - asked, Duration::from_secs(1));
    still_works(&mut pair);
}

#[test]
fn connect_fail_without_a_number_is_verified_if_several_connections_are_being_made() {
    let mut pair = Pair::online();
    pair.modem.network_mut().serve("silent.test", 80, Peer::silent());
    let living = pair.connecting("silent.test", 80, Duration::from_secs(60));
    pair.instead("AT+CIPSTART=1", "\r\nOK\r\n");
    let dead = pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(60));
    pair.inject(b"\r\nCONNECT FAIL\r\n");
    pair.run_for(Duration::from_secs(1));
    let answer = pair.answered(dead);
    assert!(matches!(answer, Some(Err(Error::ConnectFailed(_)))), "{answer:?}");
    assert!(pair.answered(living).is_none(), "the other connection is still being made");
}

#[test]
fn connect_ok_without_a_number_is_believed_if_the_status_confirms_it() {
    let mut pair = Pair::online();
    pair.to_host = Box::new(|_, bytes| {
        let text = String::from_utf8_lossy(&bytes).replace("0, CONNECT OK", "CONNECT OK");
        text.into_bytes()
    });
    let begun = pair.now;
    let socket = pair.channel_open();
    assert!(pair.now - begun < Duration::from_secs(2), "{:?}", pair.now - begun);
    pair.send(socket, b"hello").unwrap();
    assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
    // It is not believed if the status denies it.
    let mut pair = Pair::online();
    pair.instead("AT+CIPSTART=0", "\r\nOK\r\n\r\nCONNECT OK\r\n");
    let ticket = pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(10));
    assert!(matches!(pair.answer(ticket), Err(Error::Timeout { .. })));
}

#[test]
fn the_end_of_an_earlier_connection_is_no_failure_of_the_next_one() {
    for news in ["0, CLOSED", "0, CLOSE OK", "0, TCP ERROR:12"] {
        let mut pair = Pair::online();
        let first = pair.channel_open();
        pair.close(first).unwrap();
        pair.modem.network_mut().set_latency(Duration::from_millis(300));
        pair.after("AT+CIPSTART=0", format!("\r\n{news}\r\n"));
        let socket = pair.channel_open();
        pair.send(socket, b"hello").unwrap();
        assert_eq!(pair.read(socket, 5).unwrap(), b"hello", "{news}");
        // It is a failure if the module has given up the connection.
        let mut pair = Pair::online();
        pair.instead("AT+CIPSTART=0", format!("\r\nOK\r\n\r\n{news}\r\n"));
        let begun = pair.now;
        let answer = pair.connect(ECHO.0, ECHO.1);
        assert!(matches!(answer, Err(Error::ConnectFailed(_))), "{news}: {answer:?}");
        assert!(pair.now - begun < Duration::from_secs(1));
    }
}

/// Opens a socket on channel 0 whose predecessor was closed by the driver.
fn opened_again(pair: &mut Pair) -> SocketId {
    let first = pair.channel_open();
    pair.close(first).unwrap();
    let socket = pair.channel_open();
    assert_eq!(socket.channel().index(), 0);
    socket
}

#[test]
fn a_close_ok_that_comes_twice_or_late_does_not_end_the_next_connection() {
    for (pause, questions) in [(0, 1), (74, 1)] {
        let mut pair = Pair::online();
        let socket = opened_again(&mut pair);
        pair.run_for(Duration::from_secs(pause));
        let before = pair.wrote("AT+CIPSTATUS");
        pair.inject(b"\r\n0, CLOSE OK\r\n");
        pair.run_for(Duration::from_secs(2));
        assert_eq!(pair.wrote("AT+CIPSTATUS") - before, questions);
        pair.send(socket, b"hello").unwrap_or_else(|error| panic!("{pause} s: {error}, {}", pair.story()));
        assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
    }
    // A command of the application closed the predecessor.
    let mut pair = Pair::online();
    let first = pair.channel_open();
    pair.command("AT+CIPCLOSE=0", LONG).unwrap();
    assert!(matches!(pair.read_to_end(first).1, Error::Closed(CloseReason::Peer)));
    pair.close(first).unwrap();
    let socket = pair.channel_open();
    pair.inject(b"\r\n0, CLOSE OK\r\n");
    pair.send(socket, b"hello").unwrap_or_else(|error| panic!("{error}, {}", pair.story()));
}

/// The line is believed if the module has no connection any more, and if nothing was closed for a while.
#[test]
fn a_close_ok_soon_after_a_close_is_believed_if_the_status_confirms_it() {
    let mut pair = Pair::online();
    let socket = opened_again(&mut pair);
    pair.to_host = Box::new(|_, bytes| {
        let text = String::from_utf8_lossy(&bytes).replace("\r\n0, CLOSED", "\r\n0, CLOSE OK");
        text.into_bytes()
    });
    pair.control(Control::PeerClose(0));
    let (_, error) = pair.read_to_end(socket);
    assert!(matches!(error, Error::Closed(CloseReason::Peer)), "{error:?}");
    let mut pair = Pair::online();
    let socket = opened_again(&mut pair);
    pair.run_for(Duration::from_secs(80));
    let before = pair.wrote("AT+CIPSTATUS");
    pair.inject(b"\r\n0, CLOSE OK\r\n");
    assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::Peer)));
    assert_eq!(pair.wrote("AT+CIPSTATUS"), before);
}

const OLD: &[u8] = b"\r\n+RECEIVE,0,7:\r\nOLDDATA";

fn strays(pair: &Pair) -> u64 {
    pair.engine.statistics().strays
}

#[test]
fn data_before_the_connection_is_confirmed_reach_no_socket() {
    let mut pair = Pair::online();
    let first = pair.channel_open();
    pair.close(first).unwrap();
    pair.modem.network_mut().set_latency(Duration::from_millis(300));
    pair.after("AT+CIPSTART=0", OLD);
    let socket = pair.channel_open();
    // The status denied the connection, so the data belonged to the earlier one.
    assert_eq!((socket.channel().index(), pair.wrote("AT+CIPSTART")), (0, 2), "{}", pair.story());
    assert_eq!(pair.engine.readable(socket), (0, false));
    pair.send(socket, b"hello").unwrap();
    assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
    assert_eq!(strays(&pair), 7);
    assert!(pair.saw(|event| matches!(event, Event::Stray(channel, 7) if channel.index() == 0)));
    // Old data are also discarded after a confirmed close.
    pair.close(socket).unwrap();
    pair.inject(OLD);
    assert_eq!(strays(&pair), 14);
    still_works(&mut pair);
}

/// The module has answered the question, but the question after it is late, so the answer counts only then.
#[test]
fn data_after_a_question_are_not_judged_by_its_answer() {
    for data_after in [false, true] {
        let mut pair = Pair::online();
        pair.modem.network_mut().set_latency(Duration::from_secs(4));
        let ticket = pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(60));
        pair.run_for(Duration::from_millis(100));
        for question in ["AT+CIPMODE?", "AT+CIPQSEND?", "AT+CIPMUX?"] {
            pair.instead(question, "");
        }
        pair.inject(OLD);
        let question =
            String::from_utf8_lossy(&pair.written).trim_end().rsplit('\n').next().unwrap().to_owned();
        let name = question.trim_start_matches("AT").trim_end_matches('?');
        pair.heal();
        if data_after {
            pair.inject(OLD);
        }
        pair.inject(format!("\r\n{name}: 1\r\n\r\nOK\r\n").as_bytes());
        assert!(matches!(pair.answer(ticket), Ok(Response::Connected(_))), "{}", pair.story());
        let connects = if data_after { 2 } else { 1 };
        assert_eq!(pair.wrote("AT+CIPSTART"), connects, "{data_after}: {}", pair.story());
    }
}

#[test]
fn a_connection_that_may_lack_data_is_made_again() {
    let at_once = [b"\r\nOK\r\n", OLD, b"\r\n0, CONNECT OK\r\n"].concat();
    let mut pair = Pair::online();
    pair.instead("AT+CIPSTART=0", &at_once);
    let socket = pair.channel_open();
    assert_eq!(socket.channel().index(), 1, "the connection is made on another channel");
    assert_eq!(pair.engine.readable(socket), (0, false));
    pair.send(socket, b"hello").unwrap();
    assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
    assert_eq!(pair.wrote("AT+CIPCLOSE=0"), 1);
    // A second such connection is an error.
    let mut pair = Pair::online();
    pair.instead("AT+CIPSTART=0", &at_once);
    let again =
        String::from_utf8(at_once).unwrap().replace("+RECEIVE,0", "+RECEIVE,1").replace("0, C", "1, C");
    pair.instead("AT+CIPSTART=1", again);
    let answer = pair.connect(ECHO.0, ECHO.1);
    assert!(matches!(answer, Err(Error::Unexpected(_))), "{answer:?}");
    still_works(&mut pair);
}

#[test]
fn after_a_lost_connect_ok_data_lead_to_a_new_connection() {
    let mut pair = Pair::online();
    pair.modem.network_mut().serve("hello.test", 1, Peer::discard().greeting(*b"hello"));
    let mut lost = false;
    pair.to_host = Box::new(move |_, bytes| {
        let news = b"\r\n0, CONNECT OK\r\n";
        match bytes.windows(news.len()).position(|window| window == news).filter(|_| !lost) {
            Some(at) => {
                lost = true;
                [&bytes[..at], &bytes[at + news.len()..]].concat()
            }
            None => bytes,
        }
    });
    let begun = pair.now;
    let socket = pair.connect("hello.test", 1).unwrap();
    assert!(pair.now - begun < Duration::from_secs(3), "{:?}", pair.now - begun);
    assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
    assert_eq!(strays(&pair), 5);
}

/// A modem on whose channels a connection timed out, so that the driver verifies reports about connections.
fn doubtful(mode: ReceiveMode) -> Pair {
    let mut pair = online(mode);
    pair.modem.network_mut().set_latency(Duration::from_secs(10));
    let tickets: Vec<_> =
        (0..8).map(|_| pair.connecting(ECHO.0, ECHO.1, Duration::from_millis(500))).collect();
    for ticket in tickets {
        assert!(matches!(pair.answer(ticket), Err(Error::Timeout { .. })));
    }
    pair.run_for(Duration::from_secs(60));
    pair.modem.network_mut().set_latency(Duration::ZERO);
    pair
}

#[test]
fn data_announced_while_a_connection_is_verified_are_fetched_at_once() {
    let mut pair = doubtful(ReceiveMode::Manual);
    pair.modem.network_mut().serve("hello.test", 1, Peer::discard().greeting(*b"hello"));
    let socket = pair.connect("hello.test", 1).unwrap();
    let begun = pair.now;
    assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
    assert!(pair.now - begun < Duration::from_secs(1), "{:?}", pair.now - begun);
}

#[test]
fn a_doubtful_close_that_a_refused_send_confirms_is_the_reason() {
    for mode in both_modes() {
        for refusal in ["\r\n+CME ERROR: 3\r\n", "\r\nERROR\r\n"] {
            let mut pair = doubtful(mode);
            let socket = pair.channel_open();
            assert_eq!(socket.channel().index(), 0);
            pair.to_host = Box::new(move |_, bytes| match bytes.starts_with(b"\r\nDATA ACCEPT:0,5\r\n") {
                true => format!("\r\n0, CLOSED\r\n{refusal}").into_bytes(),
                false => bytes,
            });
            pair.instead("AT+CIPRXGET=2,0", "\r\n+CME ERROR: 3\r\n");
            let answer = pair.send(socket, b"hello");
            assert!(matches!(answer, Err(Error::Closed(CloseReason::Peer))), "{mode:?} {answer:?}");
            let end = pair.read_to_end(socket).1;
            assert!(matches!(end, Error::Closed(CloseReason::Peer)), "{mode:?} {end}");
        }
    }
}

#[test]
fn an_unrelated_refusal_does_not_confirm_a_doubtful_close() {
    for mode in both_modes() {
        let mut pair = doubtful(mode);
        let socket = pair.channel_open();
        pair.to_host = Box::new(move |_, bytes| match bytes.starts_with(b"\r\nDATA ACCEPT:0,5\r\n") {
            true => b"\r\n0, CLOSED\r\n\r\n+CME ERROR: 100\r\n".to_vec(),
            false => bytes,
        });
        let answer = pair.send(socket, b"hello");
        let is_refused = matches!(answer, Err(Error::Closed(CloseReason::SendRefused(Refusal::Cme(_)))));
        assert!(is_refused, "{mode:?} {answer:?}");
    }
}

#[test]
fn text_of_people_that_looks_like_closed_is_not_the_reason_of_a_refused_send() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CIPSEND=0,5", "\r\n> ");
    let text = "\r\n+CMT: \"+86138\",,\"24/07/23,08:35:01+32\"\r\nfirst\r\n\r\n0, CLOSED\r\n";
    pair.instead("hello", format!("{text}\r\nERROR\r\n"));
    let answer = pair.send(socket, b"hello");
    assert!(matches!(answer, Err(Error::Closed(CloseReason::SendRefused(_)))), "{answer:?}");
}

#[test]
fn a_doubt_of_the_driver_is_not_the_reason_of_a_refused_send() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    // The command may have ended the connection. The module is asked, and the send is written first.
    let command = Command::of_user("AT+CIPCLOSE=3", LONG).unwrap();
    pair.instead("AT+CIPCLOSE=3", "");
    let command = pair.ask(Request::Run(command));
    pair.instead("AT+CIPSEND=0,5", "\r\n> ").instead("hello", "\r\n+CME ERROR: 3\r\n");
    let send = pair.sending(socket, b"hello");
    pair.inject(b"\r\n3, CLOSE OK\r\n");
    assert!(pair.answer(command).is_ok());
    let answer = pair.answer(send);
    assert!(matches!(answer, Err(Error::Closed(CloseReason::SendRefused(_)))), "{answer:?}");
}

// ----------------------------------------------------------------------------------------------------- datagrams

/// Checks that the association carries a datagram in both directions.
#[track_caller]
fn carries(pair: &mut Pair, socket: SocketId) {
    assert_eq!(pair.send(socket, b"still here").unwrap(), 10, "{}", pair.story());
    assert_eq!(pair.read(socket, 10).unwrap(), b"still here");
}

#[test]
fn a_lost_datagram_ends_no_association() {
    // A datagram cut short on the line.
    let mut pair = Pair::online();
    let socket = pair.association();
    pair.inject(b"\r\n+RECEIVE,0,100:\r\nonly a few bytes");
    pair.run_for(Duration::from_secs(3));
    assert_eq!(pair.engine.socket_statistics(socket).unwrap().lost, 100);
    carries(&mut pair, socket);
    // A datagram refused after the prompt.
    for refusal in ["\r\n0, SEND FAIL\r\n", "\r\nERROR\r\n", "\r\nDATA ACCEPT:0,3\r\n"] {
        pair.instead("AT+CIPSEND=0,5", "\r\n> ").instead("hello", refusal);
        let answer = pair.send(socket, b"hello");
        assert!(matches!(answer, Err(Error::Refused { .. })), "{refusal}: {answer:?}");
        carries(&mut pair, socket);
    }
    let unsent = pair.events.iter().filter(|event| matches!(event, Event::Unsent(_, 5))).count();
    assert_eq!((unsent, pair.engine.socket_statistics(socket).unwrap().unsent), (3, 15));
    // A datagram without a result.
    pair.instead("AT+CIPSEND=0,5", "\r\n> ").instead("hello", "");
    let asked = pair.now;
    let answer = pair.send(socket, b"hello");
    let Err(Error::Timeout { after, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!(after, pair.now - asked);
    carries(&mut pair, socket);
    assert!(!pair.saw(|event| matches!(event, Event::Closed(..))));
}

#[test]
fn waits_for_the_queue_report_a_lost_datagram() {
    let mut pair = Pair::online();
    let socket = pair.association();
    pair.instead("AT+CIPSEND=0,5", "\r\n> ").instead("hello", "\r\n0, SEND FAIL\r\n");
    pair.run_for(Duration::from_secs(1));
    let drain = {
        pair.instead("AT+CSQ", "");
        let command = pair.ask(Request::query(&Signal));
        pair.call(Request::Queue { socket, data: b"hello".to_vec() }).unwrap();
        let drain = pair.ask(Request::Drain { socket, timeout: LONG });
        assert!(pair.answer(command).is_err());
        drain
    };
    let answer = pair.answer(drain);
    assert!(matches!(answer, Err(Error::Refused { .. })), "{answer:?}");
    carries(&mut pair, socket);
    // The time-out names the time that this caller has waited.
    pair.instead("AT+CIPSEND=0,5", "\r\n> ").instead("hello", "");
    pair.call(Request::Queue { socket, data: b"hello".to_vec() }).unwrap();
    pair.run_for(Duration::from_secs(1));
    let begun = pair.now;
    let answer = pair.call(Request::Drain { socket, timeout: LONG });
    let waited = pair.now - begun;
    assert!(matches!(answer, Err(Error::Timeout { after, .. }) if after == waited), "{waited:?} {answer:?}");
    carries(&mut pair, socket);
}

#[test]
fn doubtful_refusals_of_fetches_are_repeated_at_a_bounded_rate() {
    let mut pair = online(ReceiveMode::Manual);
    let socket = pair.association();
    // An answer is lost, so a refusal may belong to it.
    pair.instead("AT+CIPRXGET=2,0", "");
    pair.run_for(Duration::from_secs(20));
    pair.instead_times(1000, "AT+CIPRXGET=2,0", "\r\n+CME ERROR: 3\r\n");
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    let before = pair.wrote("AT+CIPRXGET=2,0");
    let end = pair.read_to_end(socket).1;
    assert!(matches!(end, Error::Closed(CloseReason::ReceiveRefused(_))), "{end}");
    assert!(pair.wrote("AT+CIPRXGET=2,0") - before <= 3);
}

#[test]
fn datagrams_followed_by_an_error_are_lost_and_the_association_stays_open() {
    let mut pair = online(ReceiveMode::Manual);
    let socket = pair.association();
    pair.instead_times(5, "AT+CIPRXGET=2,0", "\r\n+CIPRXGET: 2,0,5,0\r\nhello\r\nERROR\r\n");
    for _ in 0..5 {
        pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
        pair.run_for(Duration::from_secs(20));
    }
    assert!(!pair.saw(|event| matches!(event, Event::Closed(..))), "{}", pair.story());
    pair.heal();
    carries(&mut pair, socket);
}

#[test]
fn an_empty_datagram_is_refused_as_output_and_counted_as_input() {
    let mut pair = Pair::online();
    let socket = pair.association();
    let written = pair.written.len();
    let answer = pair.send(socket, b"");
    assert!(matches!(answer, Err(Error::InvalidInput { .. })), "{answer:?}");
    let answer = pair.call(Request::Queue { socket, data: Vec::new() });
    assert!(matches!(answer, Err(Error::InvalidInput { .. })), "{answer:?}");
    assert_eq!(pair.written.len(), written);
    pair.inject(b"\r\n+RECEIVE,0,0:\r\n");
    let seen = pair.engine.socket_statistics(socket).unwrap();
    assert_eq!((seen.receives, seen.received), (1, 0));
    assert_eq!(pair.engine.readable(socket), (0, false), "zero bytes would be the end");
    carries(&mut pair, socket);
    // An empty send on a stream is a success.
    let stream = pair.channel_open();
    assert_eq!(pair.send(stream, b"").unwrap(), 0);
}
