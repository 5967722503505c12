//! Restarts of the module, losses of the bearer and losses of the port, at every moment of a session.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::error::{CloseReason, NotReady};
use air724ug::proto::{BringUpStep, Event, Request, Response, Ticket};
use air724ug::query::Signal;
use air724ug::sim::{Boot, Control, Peer, Profile, Settings};
use air724ug::{Config, Error, ReceiveMode};

fn both_modes() -> [ReceiveMode; 2] {
    [ReceiveMode::Push, ReceiveMode::Manual]
}

fn config(mode: ReceiveMode) -> Config {
    Config::default().receive_mode(mode)
}

fn becomes_ready(pair: &mut Pair) {
    let ready = pair.call(Request::WaitReady { timeout: Duration::from_secs(180) });
    assert!(matches!(ready, Ok(Response::Ready)), "{ready:?}, {}", pair.story());
    let socket = pair.channel_open();
    pair.send(socket, b"hello").unwrap();
    assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
    pair.close(socket).unwrap();
    assert_eq!(pair.waiting(), 0);
}

/// An event that strikes the module or the port.
#[derive(Clone, Copy, Debug)]
enum Blow {
    Reset,
    PdpLost,
    NetworkLost,
    PortLost,
    SimPulled,
}

impl Blow {
    const ALL: [Self; 5] = [Self::Reset, Self::PdpLost, Self::NetworkLost, Self::PortLost, Self::SimPulled];

    fn strike(self, pair: &mut Pair) {
        match self {
            Self::Reset => pair.control(Control::Reset),
            Self::PdpLost => pair.control(Control::PdpLost),
            Self::NetworkLost => pair.control(Control::NetworkDown),
            Self::PortLost => pair.pull_out(),
            Self::SimPulled => pair.control(Control::SimRemove),
        }
    }

    /// Ends the event: the card, the network or the port is back.
    fn mend(self, pair: &mut Pair) {
        match self {
            Self::Reset | Self::PdpLost => {}
            Self::NetworkLost => pair.control(Control::NetworkUp),
            Self::PortLost => pair.plug_in(),
            // A reinserted card needs a reset (capture a12).
            Self::SimPulled => {
                pair.control(Control::SimInsert);
                pair.control(Control::Reset);
            }
        }
    }

    /// Whether sockets and requests may end with this error.
    fn explains(self, error: &Error) -> bool {
        match self {
            Self::Reset => matches!(error, Error::ModemRestarted),
            Self::PortLost => matches!(error, Error::PortLost(_)),
            Self::PdpLost | Self::NetworkLost | Self::SimPulled => matches!(
                error,
                Error::Closed(CloseReason::BearerLost | CloseReason::SendRefused(_))
                    | Error::Closed(CloseReason::SendUnconfirmed)
                    | Error::Closed(CloseReason::Peer | CloseReason::PeerWithDataLost)
                    | Error::ConnectFailed(_)
                    | Error::Timeout { .. }
                    | Error::NotReady(_)
            ),
        }
    }
}

/// The moment at which the event strikes.
#[derive(Clone, Copy, Debug)]
enum Moment {
    Connecting,
    BeforeThePrompt,
    BeforeTheResult,
    Sending,
    Unread,
    Fetching,
    Closing,
    Asking,
    Idle,
}

impl Moment {
    const ALL: [Self; 9] = [
        Self::Connecting,
        Self::BeforeThePrompt,
        Self::BeforeTheResult,
        Self::Sending,
        Self::Unread,
        Self::Fetching,
        Self::Closing,
        Self::Asking,
        Self::Idle,
    ];

    /// Brings the pair to this moment. Returns the requests that wait.
    fn reach(self, pair: &mut Pair, socket: air724ug::proto::SocketId) -> Vec<Ticket> {
        match self {
            Self::Connecting => {
                pair.modem.network_mut().serve("silent.test", 80, Peer::silent());
                vec![pair.connecting("silent.test", 80, Duration::from_secs(30))]
            }
            Self::BeforeThePrompt => {
                pair.instead("AT+CIPSEND=0", "");
                vec![pair.sending(socket, b"AT+CFUN=0\r\nhello")]
            }
            Self::BeforeTheResult => {
                pair.instead("A", "").instead("A", "");
                vec![pair.sending(socket, b"AT+CFUN=0\r\nhello"), pair.sending(socket, b"more")]
            }
            Self::Sending => (0..4).map(|_| pair.sending(socket, &[b'x'; 5_000])).collect(),
            Self::Unread => {
                pair.send(socket, b"unread").unwrap();
                Vec::new()
            }
            Self::Fetching => {
                pair.instead("AT+CIPRXGET=2", "\r\n+CIPRXGET: 2,0,100,50\r\npart of it");
                pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
                Vec::new()
            }
            Self::Closing => {
                pair.instead("AT+CIPCLOSE=0", "");
                vec![pair.ask(Request::Close { socket, timeout: Duration::from_secs(40) })]
            }
            Self::Asking => {
                pair.instead("AT+CSQ", "");
                (0..3).map(|_| pair.ask(Request::query(&Signal))).collect()
            }
            Self::Idle => Vec::new(),
        }
    }
}

#[test]
fn after_every_event_at_every_moment_requests_end_in_time_and_the_modem_recovers() {
    for mode in both_modes() {
        for blow in Blow::ALL {
            for moment in Moment::ALL {
                for slow in [Duration::ZERO, Duration::from_millis(20)] {
                    let settings = Settings::default().latency(slow);
                    let mut pair = Pair::with(config(mode), settings).ready();
                    let (socket, other) = (pair.channel_open(), pair.channel_open());
                    let tickets = moment.reach(&mut pair, socket);
                    blow.strike(&mut pair);
                    for ticket in tickets {
                        match pair.answer(ticket) {
                            Ok(Response::Sent { .. } | Response::Closed | Response::Reply(_)) => {}
                            Err(Error::Timeout { .. }) => {}
                            Err(error) if blow.explains(&error) => {}
                            other => panic!("{blow:?} while {moment:?}: {other:?}"),
                        }
                    }
                    for socket in [socket, other] {
                        match pair.read_to_end(socket).1 {
                            Error::Closed(CloseReason::Local) if matches!(moment, Moment::Closing) => {}
                            Error::Closed(CloseReason::Truncated { .. }) => {}
                            error => assert!(blow.explains(&error), "{blow:?} while {moment:?}: {error}"),
                        }
                    }
                    blow.mend(&mut pair);
                    becomes_ready(&mut pair);
                }
            }
        }
    }
}

/// Runs until bring-up has begun a step.
fn until_step(pair: &mut Pair, step: BringUpStep) -> bool {
    let begun = |pair: &mut Pair| pair.saw(|event| matches!(event, Event::Step(seen) if *seen == step));
    let ready = |pair: &mut Pair| pair.saw(|event| matches!(event, Event::Ready(_)));
    pair.run_until(|pair| begun(pair) || ready(pair));
    begun(pair)
}

#[test]
fn the_modem_recovers_from_every_event_at_every_step_of_bring_up() {
    for mode in both_modes() {
        for blow in Blow::ALL {
            for step in BringUpStep::ALL {
                // The latency gives each step a duration.
                let settings = Settings::default().boot(Boot::Cold).latency(Duration::from_millis(10));
                let mut pair = Pair::with(config(mode), settings);
                if step != BringUpStep::Wake && !until_step(&mut pair, step) {
                    continue;
                }
                blow.strike(&mut pair);
                pair.run_for(Duration::from_secs(3));
                blow.mend(&mut pair);
                becomes_ready(&mut pair);
            }
        }
    }
}

#[test]
fn rdy_twice_is_one_restart() {
    // Capture a19: the two `RDY` come 740 ms apart, and bytes sent in between are lost.
    let settings = Settings::default().profile(Profile::air780e());
    let mut pair = Pair::with(Config::default(), settings).ready();
    pair.channel_open();
    pair.control(Control::Reset);
    pair.run_for(Duration::from_secs(20));
    let restarts = pair.events.iter().filter(|event| matches!(event, Event::Restarted)).count();
    assert_eq!(restarts, 1);
    becomes_ready(&mut pair);
}

#[test]
fn a_command_lost_between_two_rdy_is_written_again() {
    let mut pair = Pair::online();
    pair.control(Control::Reset);
    let mut rdy = 0;
    let deaf = std::rc::Rc::new(std::cell::Cell::new(false));
    let (shared, is_deaf) = (std::rc::Rc::clone(&deaf), deaf);
    pair.to_host = Box::new(move |_, bytes| {
        if bytes.windows(5).any(|window| window == b"RDY\r\n") {
            rdy += 1;
            shared.set(rdy == 1);
        }
        bytes
    });
    pair.to_modem = Box::new(move |_, bytes| if is_deaf.get() { Vec::new() } else { bytes });
    pair.run_for(Duration::from_millis(1_500 + 740));
    pair.inject(b"\r\nRDY\r\n");
    pair.to_modem = Box::new(|_, bytes| bytes);
    becomes_ready(&mut pair);
}

#[test]
fn the_modem_is_ready_two_seconds_after_the_module_is_registered() {
    for mode in both_modes() {
        let mut pair = Pair::with(config(mode), Settings::default()).ready();
        pair.control(Control::Reset);
        let begun = pair.now;
        pair.run_for(Duration::from_secs(2));
        becomes_ready(&mut pair);
        let taken = pair.now - begun;
        let registered = Profile::air724().registered_after;
        assert!(taken < registered + Duration::from_secs(2), "{taken:?}");
    }
}

#[test]
fn a_lost_bearer_is_activated_again_for_every_spelling_of_the_loss() {
    for line in ["+PDP: DEACT", "+PDP:DEACT", "+PDP DEACT"] {
        for mode in both_modes() {
            let mut pair = Pair::with(config(mode), Settings::default()).ready();
            let socket = pair.channel_open();
            let connecting = {
                pair.modem.network_mut().serve("silent.test", 80, Peer::silent());
                pair.connecting("silent.test", 80, Duration::from_secs(60))
            };
            let begun = pair.now;
            pair.inject(format!("\r\n{line}\r\n").as_bytes());
            assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::BearerLost)), "{line}");
            let answer = pair.answer(connecting);
            assert!(matches!(answer, Err(Error::Closed(CloseReason::BearerLost))), "{answer:?}");
            assert!(pair.saw(|event| matches!(event, Event::NotReady(NotReady::BearerLost))));
            becomes_ready(&mut pair);
            assert!(pair.wrote("AT+CIPSHUT") >= 1, "only AT+CIPSHUT leaves this state");
            assert!(pair.now - begun < Duration::from_secs(4), "{:?}", pair.now - begun);
        }
    }
}

#[test]
fn a_report_about_a_bearer_is_verified_before_it_is_believed() {
    for line in ["*CGEV: DEACT,1", "+CGEV: NW PDN DEACT 2", "+CGEV: ME DETACH"] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.inject(format!("\r\n{line}\r\n").as_bytes());
        // The report was about another bearer.
        pair.send(socket, b"hello").unwrap();
        assert_eq!(pair.read(socket, 5).unwrap(), b"hello", "{line}");
        assert_eq!(pair.wrote("AT+CIPSTATUS"), 2, "asked at the start and after the report");
    }
}

#[test]
fn a_loss_of_the_bearer_within_an_answer_is_not_part_of_the_answer() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CSQ", "\r\n+CSQ: 24,99\r\n\r\n+PDP: DEACT\r\n\r\nOK\r\n");
    assert_eq!(pair.command("AT+CSQ", Duration::from_secs(1)).unwrap(), ["+CSQ: 24,99"]);
    assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::BearerLost)));
    becomes_ready(&mut pair);
}

#[test]
fn a_loss_of_the_bearer_replaces_the_result_of_a_send() {
    for place in ["AT+CIPSEND=0", "hello"] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        if place == "hello" {
            pair.instead("AT+CIPSEND=0", "\r\n> ");
        }
        pair.instead(place, "\r\n+PDP: DEACT\r\n");
        let answer = pair.send(socket, b"hello");
        assert!(matches!(answer, Err(Error::Closed(CloseReason::BearerLost))), "{answer:?}");
        pair.close(socket).unwrap();
        becomes_ready(&mut pair);
    }
}

#[test]
fn a_module_in_single_connection_mode_is_set_up_from_the_start() {
    let mut pair = Pair::new();
    let mut garbled = false;
    pair.to_modem = Box::new(move |_, bytes| match bytes == b"AT+CIPMUX=1\r\n" && !garbled {
        true => {
            garbled = true;
            b"AT\r\n".to_vec()
        }
        false => bytes,
    });
    let mut pair = pair.ready();
    // Each refused connection leads to a question for the bearer. These questions must not postpone the question for
    // the mode.
    let asked: Vec<_> = (0..8).map(|_| pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(60))).collect();
    let refused = asked.into_iter().filter(|ticket| pair.answer(*ticket).is_err()).count();
    assert!((1..=4).contains(&refused), "{refused} were refused before the driver asked for the mode");
    let socket = pair.connect(ECHO.0, ECHO.1).unwrap();
    pair.send(socket, b"one of several").unwrap();
    assert_eq!(pair.read(socket, 14).unwrap(), b"one of several");
}

#[test]
fn without_a_port_every_request_ends_at_once() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CIPSEND", "");
    let mut tickets = vec![pair.sending(socket, b"hello")];
    tickets.push(pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(60)));
    tickets.push(pair.ask(Request::query(&Signal)));
    pair.pull_out();
    for ticket in tickets {
        let answer = pair.answered(ticket).expect("answered at once");
        assert!(matches!(answer, Err(Error::PortLost(_))), "{answer:?}");
    }
    // New requests end at once, too.
    let answer = pair.connect(ECHO.0, ECHO.1);
    assert!(matches!(answer, Err(Error::PortLost(_))), "{answer:?}");
    let answer = pair.call(Request::WaitReady { timeout: Duration::from_secs(60) });
    assert!(matches!(answer, Err(Error::PortLost(_))), "{answer:?}");
    assert_eq!(pair.engine.deadline(), None);
    let written = pair.written.len();
    pair.run_for(Duration::from_secs(600));
    assert_eq!(pair.written.len(), written, "bytes were written without a port");
    pair.plug_in();
    becomes_ready(&mut pair);
}

#[test]
fn a_silent_module_fails_requests_in_time_and_is_found_again() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.to_modem = Box::new(|_, _| Vec::new());
    assert!(matches!(pair.call(Request::query(&Signal)), Err(Error::Timeout { .. })));
    let ticket = pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(20));
    assert!(matches!(
        pair.answer(ticket),
        Err(Error::Timeout { .. } | Error::NotReady(_) | Error::Closed(_))
    ));
    pair.run_for(Duration::from_secs(60));
    let reported = pair.events.iter().filter(|event| matches!(event, Event::Unresponsive)).count() as u64;
    assert!(reported > 0);
    assert_eq!(pair.engine.statistics().unresponsive, reported);
    assert!(pair.saw(|event| matches!(event, Event::NotReady(NotReady::NoAnswer))));
    assert!(matches!(pair.read_to_end(socket).1, Error::Closed(_)));
    pair.to_modem = Box::new(|_, bytes| bytes);
    becomes_ready(&mut pair);
}

#[test]
fn a_bearer_lost_in_the_last_step_of_bring_up_is_activated_again() {
    for step in ["AT+CIFSR", "AT+CIPSEND=?"] {
        let settings = Settings::default().profile(Profile::air780e()).latency(Duration::from_millis(10));
        let mut pair = Pair::with(Config::default(), settings);
        let world = std::rc::Rc::new(std::cell::Cell::new(false));
        let seen = std::rc::Rc::clone(&world);
        pair.to_modem = Box::new(move |_, bytes| {
            seen.set(seen.get() || bytes.starts_with(step.as_bytes()));
            bytes
        });
        pair.run_until(|_| world.get());
        pair.control(Control::PdpLost);
        becomes_ready(&mut pair);
    }
}

#[test]
fn an_unreported_loss_of_the_bearer_is_detected_by_the_next_connection() {
    for mode in both_modes() {
        let mut pair = Pair::with(config(mode), Settings::default()).ready();
        pair.to_host = Box::new(|_, _| Vec::new());
        pair.control(Control::PdpLost);
        pair.to_host = Box::new(|_, bytes| bytes);
        let answer = pair.connect(ECHO.0, ECHO.1);
        assert!(matches!(answer, Err(Error::ConnectFailed(_))), "{answer:?}");
        becomes_ready(&mut pair);
    }
}

#[test]
fn a_restart_whose_rdy_is_lost_is_detected_by_a_later_line() {
    for mode in both_modes() {
        for profile in Profile::all() {
            let mut settings = Settings::default();
            settings.profile = profile;
            let mut pair = Pair::with(config(mode), settings).ready();
            let socket = pair.channel_open();
            pair.to_host = Box::new(|_, bytes| {
                let text = String::from_utf8_lossy(&bytes).replace("\r\nRDY\r\n", "");
                text.into_bytes()
            });
            pair.control(Control::Reset);
            pair.run_for(Duration::from_secs(60));
            let ended = pair.saw(|event| matches!(event, Event::Closed(id, _) if *id == socket));
            assert!(ended, "{mode:?}, {}", pair.story());
        }
    }
}
