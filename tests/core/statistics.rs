//! The counters, in virtual time and exact to the byte. `Pair` checks in every test that the sums are consistent.

#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::at::{Protocol, Quotable};
use air724ug::proto::{Request, Response, SocketId};
use air724ug::query::Signal;
use air724ug::sim::{Control, Peer, Settings};
use air724ug::statistics::{SocketStatistics, Statistics};
use air724ug::{Config, Error, ReceiveMode};

const LONG: Duration = Duration::from_secs(120);
const LATENCY: Duration = Duration::from_millis(3);

fn online(config: Config) -> Pair {
    Pair::with(config, Settings::default().latency(LATENCY)).ready()
}

fn seen(pair: &Pair) -> Statistics {
    pair.engine.statistics().clone()
}

fn of(pair: &Pair, socket: SocketId) -> SocketStatistics {
    pair.engine.socket_statistics(socket).unwrap().clone()
}

#[test]
fn commands_are_reported_only_on_request_and_without_secrets() {
    let mut pair = online(Config::default().apn("internet").apn_credentials("joe", "mellon-77"));
    assert_eq!(pair.engine.take_report(), None, "not wanted");
    pair.engine.report_commands(true);
    for (command, answer, begin) in [
        (
            "AT+CSTT?",
            "\r\n+CSTT: \"internet\",\"joe\",\"s3cret-1\"\r\n\r\nOK\r\n",
            "AT+CSTT?: +CSTT: \"internet\",",
        ),
        ("AT+SAPBR=4,1", "\r\n+SAPBR:\r\nCONTYPE: GPRS\r\nPWD: s3cret-1\r\n\r\nOK\r\n", "AT+SAPBR=4,1: "),
        ("AT+CIPSCONT?", "\r\n+CIPSCONT: 0\r\nGPRS\r\nmine\r\ns3cret-1\r\n\r\nOK\r\n", "AT+CIPSCONT?: "),
        ("AT+CSTT=\"a\",\"joe\",\"s3cret-1\"", "\r\nERROR\r\n", "AT+CSTT=\"a\","),
        ("AT+CSQ", "\r\n+CSQ: 24,99\r\n\r\nOK\r\n", "AT+CSQ: +CSQ: 24,99, OK"),
    ] {
        pair.instead(command, answer);
        let _ = pair.command(command, LONG);
        let report = pair.engine.take_report().unwrap();
        assert!(report.starts_with(begin) && report.contains(" in "), "{report}");
        assert!(!report.contains("s3cret-1") && !report.contains("mellon-77"), "{report}");
    }
    pair.engine.report_commands(false);
    pair.command("AT+CSQ", LONG).unwrap();
    assert_eq!(pair.engine.take_report(), None, "no more");
}

#[test]
fn an_echo_is_counted_to_the_byte() {
    let mut pair = online(Config::default());
    let read = Rc::new(Cell::new(seen(&pair).read));
    let counts = read.clone();
    pair.to_host = Box::new(move |_, bytes| {
        counts.set(counts.get() + bytes.len() as u64);
        bytes
    });
    let before = seen(&pair);
    let socket = pair.channel_open();
    let data = [7; 4_000];
    pair.send(socket, &data).unwrap();
    pair.read(socket, data.len()).unwrap();
    pair.close(socket).unwrap();
    let after = seen(&pair);
    assert_eq!(after.read, read.get());
    assert_eq!((after.sent, after.received, after.lost, after.unsent), (4_000, 4_000, 0, 0));
    assert_eq!((after.opened, after.closed, after.failed, after.max_open), (1, 1, 0, 1));
    // One `AT+CIPSTART`, three `AT+CIPSEND` and one `AT+CIPCLOSE`.
    assert_eq!(after.commands.written - before.commands.written, 5);
    assert_eq!(after.commands.answered - before.commands.answered, 5);
    assert_eq!(after.commands.under_way(), 0);
    assert_eq!(
        (after.resynchronisations, after.dropped, after.faults),
        (1, 0, 0),
        "the resynchronisation of bring-up"
    );
    let mine = of(&pair, socket);
    assert_eq!((mine.sent, mine.sends, mine.received, mine.receives), (4_000, 3, 4_000, mine.receives));
    assert_eq!((mine.given, mine.max_queued, after.max_queued), (4_000, 4_000, 4_000));
    assert!((1_460..=4_000).contains(&mine.max_unread) && mine.max_unread == after.max_unread, "{mine:?}");
    assert_eq!((mine.commands.written, mine.commands.answered), (5, 5));
    assert_eq!(mine.connect, after.connects.max().unwrap());
    assert_eq!(after.connects.count(), 1);
}

#[test]
fn a_late_answer_is_a_time_out_a_resynchronisation_and_a_dropped_line() {
    let mut pair = online(Config::default());
    let before = seen(&pair);
    pair.instead("AT+CSQ", "");
    assert!(matches!(pair.call(Request::query(&Signal)), Err(Error::Timeout { .. })));
    pair.run_for(Duration::from_secs(1));
    let after = seen(&pair);
    assert_eq!(after.commands.timed_out - before.commands.timed_out, 1);
    assert_eq!(after.commands.latency, before.commands.latency, "nothing answered");
    assert_eq!(after.resynchronisations - before.resynchronisations, 1);
    assert_eq!((after.dropped, after.urcs), (before.dropped, before.urcs));
    // The late answer comes, so the next command needs no resynchronisation.
    pair.inject(b"\r\n+CSQ: 7,0\r\n\r\nOK\r\n");
    let late = seen(&pair);
    assert_eq!(
        (late.dropped - after.dropped, late.commands.answered),
        (1, after.commands.answered),
        "its final"
    );
    pair.call(Request::query(&Signal)).unwrap();
    assert_eq!(seen(&pair).resynchronisations, late.resynchronisations);
    assert_eq!(seen(&pair).commands.answered, late.commands.answered + 1);
}

#[test]
fn a_command_after_one_without_an_answer_is_followed_by_a_resynchronisation() {
    let mut pair = online(Config::default());
    pair.instead("AT+CSQ", "");
    assert!(matches!(pair.call(Request::query(&Signal)), Err(Error::Timeout { .. })));
    pair.run_for(Duration::from_secs(1));
    let before = seen(&pair);
    // Both answers come, and nothing shows to which command each belongs.
    pair.after("AT+CSQ", "\r\n+CSQ: 7,0\r\n\r\nOK\r\n");
    let answer = pair.call(Request::query(&Signal));
    assert!(answer.is_err(), "{answer:?}");
    let after = seen(&pair);
    assert_eq!(after.commands.doubtful - before.commands.doubtful, 1);
    assert_eq!(after.resynchronisations - before.resynchronisations, 1);
}

#[test]
fn latencies_are_those_of_the_module() {
    let mut pair = online(Config::default());
    let before = seen(&pair);
    let start = pair.now;
    pair.call(Request::query(&Signal)).unwrap();
    let took = pair.now - start;
    assert!(took >= LATENCY, "{took:?}");
    let after = seen(&pair).commands.latency;
    let old: Vec<_> = before.commands.latency.buckets().collect();
    let changed: Vec<_> = after.buckets().zip(old).filter(|(new, old)| new != old).collect();
    let expected = |bound: Duration| took <= bound && took > bound / 2;
    assert!(
        matches!(changed[..], [((bound, new), (_, old))] if expected(bound) && new == old + 1),
        "{changed:?}"
    );
    assert_eq!(after.count(), before.commands.latency.count() + 1);
}

#[test]
fn the_latency_of_a_withheld_answer_ends_with_its_final_result() {
    let mut pair = online(Config::default());
    pair.instead("AT+CSQ", "");
    assert!(matches!(pair.call(Request::query(&Signal)), Err(Error::Timeout { .. })));
    pair.run_for(Duration::from_secs(1));
    let (before, start) = (seen(&pair).commands.latency, pair.now);
    // The question after the command is lost, and repeated a second later.
    let mut is_lost = false;
    pair.to_modem = Box::new(move |_, bytes| {
        let passes = bytes.starts_with(b"AT+CSQ") || std::mem::replace(&mut is_lost, true);
        if passes { bytes } else { Vec::new() }
    });
    pair.call(Request::query(&Signal)).unwrap();
    let waited = pair.now - start;
    let after = seen(&pair).commands.latency;
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
    assert_eq!(after.count(), before.count() + 1);
    assert_eq!(after.max(), before.max(), "{waited:?}");
}

#[test]
fn a_restart_abandons_the_command_in_flight() {
    let mut pair = online(Config::default());
    let socket = pair.channel_open();
    let before = seen(&pair);
    pair.instead("AT+CIPSEND", "");
    pair.sending(socket, b"hello");
    pair.control(Control::Reset);
    pair.run_until(|pair| pair.engine.statistics().restarts > before.restarts);
    let after = seen(&pair);
    assert_eq!(after.restarts - before.restarts, 1);
    assert_eq!(after.commands.abandoned - before.commands.abandoned, 1);
    assert_eq!((after.closed, after.sent), (1, 0));
    let mine = of(&pair, socket);
    assert_eq!((mine.commands.written, mine.commands.answered, mine.commands.abandoned), (2, 1, 1));
    assert!(matches!(pair.call(Request::WaitReady { timeout: LONG }), Ok(Response::Ready)));
    assert_eq!((seen(&pair).restarts, seen(&pair).port_losses, seen(&pair).bearer_losses), (1, 0, 0));
}

#[test]
fn the_count_of_an_overrun_equals_that_of_the_error() {
    let mut pair = online(Config::default().receive_window(4_096));
    let unread = pair.channel_open();
    let other = pair.channel_open();
    pair.send(unread, &[1; 8_000]).unwrap();
    pair.run_for(Duration::from_secs(5));
    let (read, end) = pair.read_to_end(unread);
    let Error::Overrun { lost } = end else { panic!("{end}") };
    let mine = of(&pair, unread);
    assert_eq!((mine.received, mine.lost, mine.max_unread), (read.len() as u64, lost, read.len() as u64));
    assert_eq!(mine.received + mine.lost, mine.sent, "the peer echoed all data");
    assert_eq!((seen(&pair).lost, seen(&pair).received), (mine.lost, mine.received));
    assert_eq!((of(&pair, other).lost, seen(&pair).closed), (0, 1));
}

#[test]
fn lost_datagrams_are_counted_without_an_error() {
    let mut pair = online(Config::default().receive_window(4_096));
    let host = Quotable::host(ECHO.0).unwrap();
    let request = Request::Connect { protocol: Protocol::Udp, host, port: ECHO.1, timeout: LONG };
    let Ok(Response::Connected(socket)) = pair.call(request) else { panic!("{}", pair.story()) };
    for _ in 0..5 {
        pair.send(socket, &[1; 1_400]).unwrap();
    }
    pair.run_for(Duration::from_secs(5));
    let mine = of(&pair, socket);
    assert_eq!((mine.sends, mine.sent, mine.max_queued), (5, 7_000, 1_400));
    assert_eq!((mine.receives, mine.received, mine.losses, mine.lost), (2, 2_800, 3, 4_200));
    assert_eq!((mine.max_unread, seen(&pair).lost, seen(&pair).closed), (2_800, 4_200, 0));
}

#[test]
fn fetched_data_are_counted_like_pushed_data() {
    let mut pair = online(Config::default().receive_mode(ReceiveMode::Manual));
    let socket = pair.channel_open();
    pair.send(socket, &[1; 4_000]).unwrap();
    pair.read(socket, 4_000).unwrap();
    let mine = of(&pair, socket);
    assert_eq!((mine.received, mine.lost, seen(&pair).received), (4_000, 0, 4_000));
    assert!(mine.max_unread >= 1_460 && mine.receives >= 3, "{mine:?}");
}

#[test]
fn a_loss_of_the_bearer_is_counted_and_a_requested_reset_is_not() {
    let mut pair = online(Config::default());
    pair.control(Control::PdpLost);
    assert!(matches!(pair.call(Request::WaitReady { timeout: LONG }), Ok(Response::Ready)));
    assert_eq!(seen(&pair).bearer_losses, 1);
    pair.call(Request::ResetBearer).unwrap();
    assert!(matches!(pair.call(Request::WaitReady { timeout: LONG }), Ok(Response::Ready)));
    assert_eq!(seen(&pair).bearer_losses, 1);
}

#[test]
fn failed_connections_are_counted_for_every_reason() {
    let mut pair = online(Config::default());
    let refused = pair.connect("nowhere.test", 7);
    assert!(matches!(refused, Err(Error::ConnectFailed(_))), "{refused:?}");
    assert_eq!((seen(&pair).failed, seen(&pair).opened), (1, 0));
    let sockets: Vec<_> = (0..8).map(|_| pair.channel_open()).collect();
    assert!(matches!(pair.connect(ECHO.0, ECHO.1), Err(Error::NoFreeChannel)));
    assert_eq!((seen(&pair).failed, seen(&pair).opened, seen(&pair).max_open), (2, 8, 8));
    for socket in sockets {
        pair.close(socket).unwrap();
    }
    pair.channel_open();
    let after = seen(&pair);
    assert_eq!((after.opened, after.closed, after.max_open, after.connects.count()), (9, 8, 8, 9));
}

#[test]
fn refusals_of_a_full_module_and_unsent_bytes_are_counted() {
    let mut pair = online(Config::default());
    pair.modem.network_mut().name("deaf.test", [10, 1, 0, 9]).serve(
        "deaf.test",
        7,
        Peer::discard().never_reads(),
    );
    let socket = pair.connect("deaf.test", 7).unwrap();
    pair.call(Request::Queue { socket, data: vec![1; 200_000] }).unwrap();
    pair.run_for(Duration::from_secs(5));
    let (waiting, mine) = (pair.engine.queued(socket) as u64, of(&pair, socket));
    assert!(waiting > 0 && mine.refusals > 0, "{mine:?}");
    assert_eq!((mine.sent, mine.max_queued, mine.unsent), (200_000 - waiting, 200_000, 0));
    pair.control(Control::PdpLost);
    assert_eq!(of(&pair, socket).unsent, waiting);
    assert_eq!((seen(&pair).unsent, seen(&pair).sent), (waiting, 200_000 - waiting));
}

#[test]
fn bytes_that_a_timed_out_send_withdraws_do_not_count_as_given() {
    let mut pair = online(Config::default());
    pair.modem.network_mut().name("deaf.test", [10, 1, 0, 9]).serve(
        "deaf.test",
        7,
        Peer::discard().never_reads(),
    );
    let socket = pair.connect("deaf.test", 7).unwrap();
    let timeout = Duration::from_secs(5);
    let answer = pair.call(Request::Send { socket, data: vec![1; 200_000], timeout });
    let Ok(Response::Sent { accepted, .. }) = answer else { panic!("{answer:?}") };
    assert!(accepted < 200_000);
    // The module may still refuse the piece in flight.
    pair.run_for(Duration::from_secs(1));
    assert_eq!(of(&pair, socket).given, accepted as u64);
}

#[test]
fn acknowledged_bytes_stay_acknowledged() {
    let mut pair = online(Config::default());
    let socket = pair.channel_open();
    pair.send(socket, b"hello").unwrap();
    let ask = || Request::Unacknowledged { socket, timeout: LONG };
    assert!(matches!(pair.call(ask()), Ok(Response::Unacknowledged(0))));
    assert_eq!(of(&pair, socket).acknowledged, 5);
    pair.instead("AT+CIPACK", "\r\n+CIPACK: 5,2,3\r\n\r\nOK\r\n");
    assert!(matches!(pair.call(ask()), Ok(Response::Unacknowledged(3))));
    assert_eq!(of(&pair, socket).acknowledged, 5);
}

#[test]
fn the_statistics_of_a_socket_exist_until_it_is_forgotten() {
    let mut pair = online(Config::default());
    let first = pair.channel_open();
    pair.send(first, b"first").unwrap();
    pair.close(first).unwrap();
    let second = pair.channel_open();
    assert_eq!(first.channel(), second.channel());
    assert_eq!((of(&pair, first).sent, of(&pair, second).sent), (5, 0));
    pair.call(Request::Forget { socket: first }).unwrap();
    assert_eq!(pair.engine.socket_statistics(first), None);
    pair.call(Request::Forget { socket: second }).unwrap();
    assert_eq!(pair.engine.socket_statistics(second), None);
}

#[test]
fn a_lost_port_is_counted_and_earlier_counts_remain() {
    let mut pair = online(Config::default());
    let socket = pair.channel_open();
    pair.send(socket, b"hello").unwrap();
    let before = seen(&pair);
    pair.pull_out();
    pair.pull_out();
    let after = seen(&pair);
    assert_eq!((after.port_losses, after.closed, after.sent), (1, 1, 5));
    assert_eq!((after.read, after.written), (before.read, before.written));
    assert_eq!(of(&pair, socket).sent, 5);
    pair.plug_in();
    assert!(matches!(pair.call(Request::WaitReady { timeout: LONG }), Ok(Response::Ready)));
    assert_eq!(seen(&pair).port_losses, 1);
    assert!(seen(&pair).written > before.written);
}

#[test]
fn violations_of_the_grammar_are_counted() {
    let mut pair = online(Config::default());
    let before = seen(&pair);
    pair.inject(b"\r\n+RECEIVE,9,5:\r\nhello\r\n\r\n+CTZV: 12/34\r\n");
    let after = seen(&pair);
    assert!(after.faults > before.faults, "{after:?}");
    assert!(after.urcs > before.urcs, "{after:?}");
}

#[test]
fn a_command_is_under_way_until_its_answer_comes() {
    let mut pair = online(Config::default());
    let under_way = |pair: &Pair| seen(pair).commands.under_way();
    assert_eq!(under_way(&pair), 0);
    pair.instead("AT+CSQ", "");
    let command = air724ug::at::Command::of_user("AT+CSQ", LONG).unwrap();
    let ticket = pair.ask(Request::Run(command));
    pair.run_for(LATENCY);
    assert_eq!(under_way(&pair), 1);
    assert!(pair.answer(ticket).is_err());
    pair.heal();
    pair.command("AT+CSQ", LONG).unwrap();
    assert_eq!(under_way(&pair), 0);
}
