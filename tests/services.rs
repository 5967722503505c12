//! Names, time, radio and restart against the simulated modem, in virtual time.

#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

mod pair;

use std::time::Duration;

use air724ug::at::Quotable;
use air724ug::proto::{Event, Request, Response};
use air724ug::{CloseReason, Error, NotReady};
use pair::{ECHO, Pair};

fn resolve(pair: &mut Pair, host: &str, timeout: Duration) -> Result<Response, Error> {
    let host = Quotable::host(host).unwrap();
    pair.call(Request::Resolve { host, timeout })
}

#[test]
fn a_name_is_resolved() {
    let mut pair = Pair::online();
    let Ok(Response::Addresses(addresses)) = resolve(&mut pair, ECHO.0, Duration::from_secs(60)) else {
        panic!()
    };
    assert_eq!(addresses, [std::net::Ipv4Addr::new(10, 1, 0, 1)]);
}

#[test]
fn a_name_that_nobody_knows_is_a_typed_error() {
    let mut pair = Pair::online();
    let answer = resolve(&mut pair, "nobody.test", Duration::from_secs(60));
    assert!(matches!(answer, Err(Error::ResolveFailed(_))), "{answer:?}");
}

#[test]
fn sockets_work_while_a_name_is_being_resolved() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    let host = Quotable::host("nobody.test").unwrap();
    let ticket = pair.ask(Request::Resolve { host, timeout: Duration::from_secs(60) });
    let before = pair.now;
    pair.send(socket, b"meanwhile").unwrap();
    assert_eq!(pair.read(socket, 9).unwrap(), b"meanwhile");
    assert!(pair.now - before < Duration::from_secs(1));
    assert!(pair.answer(ticket).is_err());
}

#[test]
fn a_result_that_never_comes_is_a_time_out() {
    let mut pair = Pair::online();
    pair.to_host = Box::new(|_, bytes| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.contains("+CDNSGIP") {
            text.replace("+CDNSGIP: 1", "+XDNSGIP: 1").into_bytes()
        } else {
            bytes
        }
    });
    let before = pair.now;
    let answer = resolve(&mut pair, ECHO.0, Duration::from_secs(7));
    assert!(matches!(answer, Err(Error::Timeout { .. })), "{answer:?}");
    assert_eq!(pair.now - before, Duration::from_secs(7));
}

#[test]
fn the_clock_is_read() {
    let mut pair = Pair::online();
    let Ok(Response::Clock(time)) = pair.call(Request::Clock) else { panic!() };
    assert_eq!((time.year, time.quarters), (2024, Some(32)));
}

#[test]
fn flight_mode_ends_sockets_and_comes_back() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    assert!(matches!(pair.call(Request::Radio { on: false }), Ok(Response::Done)));
    assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::BearerLost)));
    assert_eq!(pair.engine.not_ready(), Some(NotReady::RadioOff));
    pair.run_for(Duration::from_secs(60));
    assert_eq!(pair.engine.not_ready(), Some(NotReady::RadioOff));
    assert!(matches!(pair.call(Request::Radio { on: true }), Ok(Response::Done)));
    pair.call(Request::WaitReady { timeout: Duration::from_secs(60) }).unwrap();
    pair.channel_open();
}

#[test]
fn a_restart_ends_sockets_and_comes_back() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    assert!(matches!(pair.call(Request::Restart), Ok(Response::Done)));
    assert!(matches!(pair.read_to_end(socket).1, Error::ModemRestarted));
    assert!(pair.saw(|event| *event == Event::Restarted));
    pair.call(Request::WaitReady { timeout: Duration::from_secs(120) }).unwrap();
    pair.channel_open();
}
