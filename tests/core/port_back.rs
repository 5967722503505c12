//! A port that goes away and is expected back: what ends, what waits, and how soon the module is ready again.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::error::NotReady;
use air724ug::proto::{Event, Input, Request, Response};
use air724ug::query::Signal;
use air724ug::sim::{Control, Settings};
use air724ug::{Config, Error, time::Timestamp};

const READY: Request = Request::WaitReady { timeout: Duration::from_secs(60) };
/// How soon a modem is ready again, from the first answer on the port that came back.
const AGAIN: Duration = Duration::from_secs(2);

fn is_lost(answer: Option<Result<Response, Error>>) -> bool {
    matches!(answer, Some(Err(Error::PortLost(_))))
}

#[test]
fn what_was_in_flight_ends_at_once_and_what_waits_for_readiness_does_not() {
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
    let told: Vec<_> = pair.events.iter().rev().take(2).cloned().collect();
    assert_eq!(told, [Event::NotReady(NotReady::NoPort), Event::PortLost]);
    // Asked while it is away: what a module is needed for fails, what waits for one waits.
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
    // The connection that the module knew nothing of has waited, too.
    assert!(matches!(pair.answer(in_flight[1]), Ok(Response::Connected(_))));
    pair.send(socket, b"again").unwrap();
    assert_eq!(pair.read(socket, 5).unwrap(), b"again");
}

#[test]
fn waiting_for_a_port_ends_in_time_and_with_the_modem() {
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
    assert!(matches!(answer, Err(Error::PortLost(_))), "nothing comes back: {answer:?}");
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

/// A module that takes its time as a real one does.
fn slow() -> Pair {
    Pair::with(Config::default(), Settings::default().latency(Duration::from_millis(10))).ready()
}

/// From the first byte that comes on the new port until sockets can be opened.
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
fn a_module_that_lived_on_is_ready_within_two_seconds_of_its_first_answer() {
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
fn eight_sockets_come_back_at_once_wherever_the_port_was_lost() {
    for steps in 0..40 {
        let mut pair = slow();
        let sockets: Vec<_> = (0..8).map(|_| pair.channel_open()).collect();
        let sends: Vec<_> = sockets.iter().map(|socket| pair.sending(*socket, &[b'x'; 700])).collect();
        // At every step of eight sends, and behind them.
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
fn a_module_that_restarts_on_usb_takes_its_port_along_and_waiting_calls_are_served() {
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
fn a_port_that_comes_and_goes_is_told_each_time() {
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
    assert_eq!(engine.deadline(), None, "gone for good is not away");
}

#[test]
fn a_simulated_module_that_vanishes_at_any_moment_is_ready_again_and_no_byte_is_lost_in_silence() {
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
            let (heard, end) = pair.read_to_end(socket);
            assert!(matches!(end, Error::PortLost(_)), "{end}");
            assert!(data.starts_with(&heard) && accepted <= data.len());
            assert!(matches!(pair.call(READY), Ok(Response::Ready)), "{}", pair.story());
            pair.ask(Request::Forget { socket });
            let socket = pair.channel_open();
            pair.send(socket, b"again").unwrap();
            assert_eq!(pair.read(socket, 5).unwrap(), b"again");
        }
    }
}

/// A way in which the port goes, and comes back.
type PortLoss = fn(&mut Pair);

/// How the port goes, and comes back.
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
            let told = pair.events.len();
            lose(&mut pair);
            pair.run_until(|pair| pair.events[told..].contains(&Event::PortBack));
            let read = pair.read_so_far();
            pair.run_until(|pair| pair.read_so_far() > read);
            // A module that has restarted takes its own time to register and to attach.
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
