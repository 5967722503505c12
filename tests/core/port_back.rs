//! A port that is lost and expected back: the requests that end, the requests that wait, and the time until the module
//! is ready again.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::error::NotReady;
use air724ug::proto::{Event, Input, Request, Response};
use air724ug::query::Signal;
use air724ug::sim::{Control, Settings};
use air724ug::{Config, Error, time::Timestamp};

const READY: Request = Request::WaitReady { timeout: Duration::from_secs(60) };
/// The time until a modem is ready again, from the first answer on the new port.
const AGAIN: Duration = Duration::from_secs(2);

fn is_lost(answer: Option<Result<Response, Error>>) -> bool {
    matches!(answer, Some(Err(Error::PortLost(_))))
}

#[test]
fn requests_in_flight_end_at_once_and_waits_for_readiness_do_not() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CIPSEND", "");
    let in_flight = [
        pair.sending(socket, b"hello"),
        pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(60)),
        pair.ask(Request::query(&Signal)),
    ];
    pair.unplug();
    assert!(in_flight[..1].iter().all(|ticket| is_lost(pair.answered(*ticket))));
    assert!(is_lost(pair.answered(in_flight[2])));
    assert_eq!(pair.engine.not_ready(), Some(NotReady::NoPort));
    let reported: Vec<_> = pair.events.iter().rev().take(2).cloned().collect();
    assert_eq!(reported, [Event::NotReady(NotReady::NoPort), Event::PortLost]);
    // New requests without a port: a request for the module fails, and a wait for readiness waits.
    let question = pair.ask(Request::query(&Signal));
    assert!(is_lost(pair.answered(question)));
    let waits = pair.ask(READY);
    let connects = pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(60));
    pair.run_for(Duration::from_secs(20));
    assert!(pair.answered(waits).is_none() && pair.answered(connects).is_none());
    pair.heal();
    pair.plug_in();
    assert!(pair.saw(|event| *event == Event::PortBack));
    assert!(matches!(pair.answer(waits), Ok(Response::Ready)));
    let Ok(Response::Connected(socket)) = pair.answer(connects) else { panic!("{}", pair.story()) };
    // The connection that was never written has waited, too.
    assert!(matches!(pair.answer(in_flight[1]), Ok(Response::Connected(_))));
    pair.send(socket, b"again").unwrap();
    assert_eq!(pair.read(socket, 5).unwrap(), b"again");
}

#[test]
fn a_wait_for_a_port_ends_with_its_timeout_and_with_the_modem() {
    let mut pair = Pair::online();
    pair.unplug();
    let [short, long] =
        [5, 60].map(|seconds| pair.ask(Request::WaitReady { timeout: Duration::from_secs(seconds) }));
    let connects = pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(6));
    let later = pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(60));
    let began = pair.now;
    for (ticket, seconds) in [(short, 5), (connects, 6)] {
        let answer = pair.answer(ticket);
        assert!(matches!(answer, Err(Error::NotReady(NotReady::NoPort))), "{answer:?}");
        assert_eq!(pair.now - began, Duration::from_secs(seconds));
    }
    assert!(pair.answered(long).is_none());
    pair.pull_out();
    assert!(is_lost(pair.answered(long)) && is_lost(pair.answered(later)));
    assert_eq!(pair.engine.deadline(), None);
    let answer = pair.call(READY);
    assert!(matches!(answer, Err(Error::PortLost(_))), "the port does not come back: {answer:?}");
    assert_eq!(pair.events.iter().filter(|event| **event == Event::PortLost).count(), 1);
}

#[test]
fn nothing_is_written_while_there_is_no_port() {
    let mut pair = Pair::online();
    pair.channel_open();
    pair.unplug();
    let written = pair.written.len();
    pair.ask(READY);
    pair.run_for(Duration::from_secs(600));
    assert_eq!(pair.written.len(), written);
}

/// A module with the latency of a real one.
fn slow() -> Pair {
    Pair::with(Config::default(), Settings::default().latency(Duration::from_millis(10))).ready()
}

/// The time from the first byte on the new port until sockets can be opened.
fn ready_again(pair: &mut Pair) -> Duration {
    let read = pair.read_so_far();
    pair.plug_in();
    let waits = pair.ask(READY);
    pair.run_until(|pair| pair.read_so_far() > read);
    let first = pair.now;
    assert!(matches!(pair.answer(waits), Ok(Response::Ready)), "{}", pair.story());
    pair.now - first
}

#[test]
fn a_module_without_a_restart_is_ready_within_two_seconds_of_its_first_answer() {
    let mut pair = slow();
    for sockets in [0, 1, 8] {
        let open: Vec<_> = (0..sockets).map(|_| pair.channel_open()).collect();
        pair.unplug();
        pair.run_for(Duration::from_secs(5));
        let took = ready_again(&mut pair);
        assert!(took <= AGAIN, "{took:?} with {sockets} sockets");
        for socket in open {
            pair.close(socket).unwrap();
        }
    }
}

#[test]
fn eight_sockets_connect_again_at_once_after_a_loss_at_any_moment() {
    for steps in 0..40 {
        let mut pair = slow();
        let sockets: Vec<_> = (0..8).map(|_| pair.channel_open()).collect();
        let sends: Vec<_> = sockets.iter().map(|socket| pair.sending(*socket, &[b'x'; 700])).collect();
        // At every step of eight sends, and after the last one.
        pair.run_for(Duration::from_millis(7) * steps);
        pair.unplug();
        for ticket in sends {
            let answer = pair.answered(ticket).expect("answered at once");
            assert!(matches!(answer, Ok(Response::Sent { .. }) | Err(Error::PortLost(_))), "{answer:?}");
        }
        for socket in &sockets {
            assert!(matches!(pair.read_to_end(*socket).1, Error::PortLost(_)));
            pair.ask(Request::Forget { socket: *socket });
        }
        let again: Vec<_> =
            sockets.iter().map(|_| pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(60))).collect();
        pair.run_for(Duration::from_secs(5));
        let took = ready_again(&mut pair);
        assert!(took <= AGAIN, "{took:?} after {steps} steps");
        for ticket in again {
            let answer = pair.answer(ticket);
            assert!(matches!(answer, Ok(Response::Connected(_))), "{answer:?} after {steps} steps");
        }
    }
}

#[test]
fn waiting_calls_are_served_after_a_restart_that_removes_the_usb_port() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    let restart = pair.ask(Request::Restart);
    assert!(matches!(pair.answer(restart), Ok(Response::Done)));
    assert!(matches!(pair.read_to_end(socket).1, Error::ModemRestarted));
    let (waits, connects) = (pair.ask(READY), pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(60)));
    pair.unplug();
    pair.control(Control::Reset);
    pair.run_for(Duration::from_secs(4));
    assert!(pair.answered(waits).is_none() && pair.answered(connects).is_none(), "{}", pair.story());
    pair.plug_in();
    assert!(matches!(pair.answer(waits), Ok(Response::Ready)));
    assert!(matches!(pair.answer(connects), Ok(Response::Connected(_))));
}

#[test]
fn every_loss_and_return_of_the_port_is_reported() {
    let mut pair = Pair::online();
    for _ in 0..5 {
        pair.unplug();
        pair.plug_in();
    }
    assert!(matches!(pair.call(READY), Ok(Response::Ready)));
    let count = |wanted: &Event| pair.events.iter().filter(|event| *event == wanted).count();
    assert_eq!((count(&Event::PortLost), count(&Event::PortBack)), (5, 5));
    assert_eq!(pair.engine.statistics().port_losses, 5);
    let mut engine = air724ug::proto::Engine::new(Default::default(), Timestamp::ZERO).unwrap();
    engine.handle(Timestamp::ZERO, Input::PortLost("gone"));
    engine.handle(Timestamp::ZERO, Input::PortAway("gone"));
    assert_eq!(engine.deadline(), None, "a port that is lost for ever is not expected back");
}

#[test]
fn a_module_that_vanishes_at_any_moment_is_ready_again_and_no_byte_is_lost_silently() {
    let lasting = Duration::from_secs(3);
    for moment in 0..20 {
        for restarts in [false, true] {
            let mut pair = slow();
            let socket = pair.channel_open();
            let data = vec![b'x'; 3_000];
            let sending = pair.sending(socket, &data);
            pair.run_for(Duration::from_millis(7) * moment);
            if restarts {
                pair.control(Control::UsbRestart(lasting));
            } else {
                pair.control(Control::Unplug);
                pair.run_for(lasting);
                pair.control(Control::Replug(None));
            }
            let accepted = match pair.answered(sending) {
                Some(Ok(Response::Sent { accepted, .. })) => accepted,
                other => {
                    assert!(matches!(other, Some(Err(Error::PortLost(_)))), "{other:?}");
                    0
                }
            };
            let (received, end) = pair.read_to_end(socket);
            assert!(matches!(end, Error::PortLost(_)), "{end}");
            assert!(data.starts_with(&received) && accepted <= data.len());
            assert!(matches!(pair.call(READY), Ok(Response::Ready)), "{}", pair.story());
            pair.ask(Request::Forget { socket });
            let socket = pair.channel_open();
            pair.send(socket, b"again").unwrap();
            assert_eq!(pair.read(socket, 5).unwrap(), b"again");
        }
    }
}

/// A function that removes the port and brings it back.
type PortLoss = fn(&mut Pair);

/// The kinds of loss, by name.
fn losses() -> [(&'static str, PortLoss); 3] {
    [
        ("unplugged for 5 s", |pair| {
            pair.control(Control::Unplug);
            pair.run_for(Duration::from_secs(5));
            pair.control(Control::Replug(None));
        }),
        ("back under another name", |pair| {
            pair.control(Control::Unplug);
            pair.run_for(Duration::from_millis(300));
            pair.control(Control::Replug(Some("ttyUSB7".into())));
        }),
        ("restarted on USB", |pair| pair.control(Control::UsbRestart(Duration::from_secs(4)))),
    ]
}

#[test]
fn eight_sockets_survive_five_rounds_of_every_kind_of_loss_and_are_ready_two_seconds_after_the_first_answer()
{
    let mut pair = slow();
    for round in 0..5 {
        for (what, lose) in losses() {
            let sockets: Vec<_> = (0..8).map(|_| pair.channel_open()).collect();
            for socket in &sockets {
                pair.send(*socket, b"hello").unwrap();
                assert_eq!(pair.read(*socket, 5).unwrap(), b"hello");
            }
            let reported = pair.events.len();
            lose(&mut pair);
            pair.run_until(|pair| pair.events[reported..].contains(&Event::PortBack));
            let read = pair.read_so_far();
            pair.run_until(|pair| pair.read_so_far() > read);
            // After a restart the module needs its own time to register and to attach.
            pair.run_until(|pair| pair.modem.state().attached);
            let first = pair.now;
            assert!(matches!(pair.call(READY), Ok(Response::Ready)), "{what}: {}", pair.story());
            assert!(pair.now - first <= AGAIN, "{what}, round {round}: {:?}", pair.now - first);
            for socket in sockets {
                let (data, end) = pair.read_to_end(socket);
                assert!(data.is_empty() && matches!(end, Error::PortLost(_)), "{what}: {end}");
                pair.ask(Request::Forget { socket });
            }
        }
    }
    for _ in 0..8 {
        let socket = pair.channel_open();
        pair.send(socket, b"again").unwrap();
        assert_eq!(pair.read(socket, 5).unwrap(), b"again");
    }
}

/// The port is back, and the module begins to answer a while later, without a word before.
#[test]
fn a_module_that_begins_to_answer_at_any_moment_is_ready_within_two_seconds() {
    for tenths in 0..100 {
        let mut pair = Pair::online();
        pair.pull_out();
        let begins = pair.now + Duration::from_millis(tenths * 100);
        pair.to_modem = Box::new(move |now, bytes| if now < begins { Vec::new() } else { bytes });
        pair.plug_in();
        let ready = pair.ask(READY);
        assert!(matches!(pair.answer(ready), Ok(Response::Ready)));
        let took = pair.now - begins;
        assert!(took <= AGAIN, "{tenths} tenths: {took:?}");
    }
}
