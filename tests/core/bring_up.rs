//! Bring-up: from any state of a module to sockets, and the reported reason if that fails.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::at::{Refusal, RegistrationStatus};
use air724ug::error::NotReady;
use air724ug::proto::{Engine, Event, Input, Output, Request, Response};
use air724ug::query::{Clock, Signal, SignalQuality};
use air724ug::sim::{ApnPolicy, Boot, Control, Profile, Settings, SimCard};
use air724ug::time::Timestamp;
use air724ug::{Config, Error, ReceiveMode};

fn both_modes() -> [ReceiveMode; 2] {
    [ReceiveMode::Push, ReceiveMode::Manual]
}

/// Sends and receives on every channel.
fn main_job(pair: &mut Pair) {
    let sockets: Vec<_> = std::iter::from_fn(|| pair.connect(ECHO.0, ECHO.1).ok()).collect();
    assert!(sockets.len() >= 6, "{} sockets, {}", sockets.len(), pair.story());
    for (socket, byte) in sockets.iter().zip(0u8..) {
        let data = [byte; 4_000];
        assert_eq!(pair.send(*socket, &data).unwrap(), data.len(), "{}", pair.story());
        assert_eq!(pair.read(*socket, data.len()).unwrap(), data);
    }
    for socket in sockets {
        assert!(matches!(pair.close(socket), Ok(Response::Closed)));
    }
}

/// A module whose bearer an earlier program has activated, in multiple connection mode.
fn set_up(pair: &mut Pair) {
    for line in [
        "ATE0",
        "AT+CIPMUX=1",
        "AT+CIPQSEND=1",
        "AT+CIPHEAD=1",
        "AT+CIPRXF=1",
        "AT+CSTT",
        "AT+CIICR",
        "AT+CIFSR",
    ] {
        pair.left_behind(format!("{line}\r\n"));
    }
    assert_eq!(pair.modem.state().ip, "IP STATUS");
}

fn connected(pair: &mut Pair, channel: u8) {
    pair.left_behind(format!("AT+CIPSTART={channel},\"TCP\",\"{}\",{}\r\n", ECHO.0, ECHO.1));
}

#[test]
fn every_profile_does_the_main_job_in_both_receive_modes() {
    for profile in Profile::all() {
        for mode in both_modes() {
            for boot in [Boot::Warm, Boot::Cold] {
                let settings = Settings::default().profile(profile.clone()).boot(boot);
                let config = Config::default().receive_mode(mode);
                let mut pair = Pair::with(config, settings.latency(Duration::from_millis(5))).ready();
                main_job(&mut pair);
            }
        }
    }
}

#[test]
fn every_profile_does_the_main_job_byte_by_byte_at_a_line_rate() {
    for profile in Profile::all() {
        for mode in both_modes() {
            let settings = Settings::default().profile(profile.clone()).baud(Some(115_200));
            let config = Config::default().receive_mode(mode);
            let mut pair = Pair::with(config, settings).in_chunks_of(1).ready();
            main_job(&mut pair);
        }
    }
}

#[test]
fn a_module_found_in_the_middle_of_a_send_is_brought_back() {
    for (length, written) in [(100, 0), (100, 99), (1460, 0), (1460, 700), (1, 0)] {
        for mode in both_modes() {
            let mut pair = Pair::with(Config::default().receive_mode(mode), Settings::default());
            set_up(&mut pair);
            connected(&mut pair, 0);
            pair.left_behind(format!("AT+CIPSEND=0,{length}\r\n"));
            pair.left_behind(vec![b'x'; written]);
            main_job(&mut pair.ready());
        }
    }
}

#[test]
fn a_module_found_in_a_send_until_control_z_is_brought_back() {
    let mut pair = Pair::new();
    set_up(&mut pair);
    connected(&mut pair, 0);
    pair.left_behind("AT+CIPSEND=0\r\nhalf a message");
    main_job(&mut pair.ready());
}

#[test]
fn a_module_set_to_numeric_or_no_results_is_brought_back() {
    for left in ["ATV0", "ATQ1", "ATV0Q1", "ATE0V0Q1"] {
        let mut pair = Pair::new();
        pair.left_behind(format!("{left}\r\n"));
        main_job(&mut pair.ready());
    }
}

#[test]
fn a_module_set_to_numeric_results_during_a_session_is_found_again() {
    for hand in ["ATV0\r\n", "ATQ1\r\n"] {
        let mut pair = Pair::online();
        pair.left_behind(hand);
        assert!(pair.command("AT+CSQ", Duration::from_secs(2)).is_err(), "{hand:?}");
        pair.run_for(Duration::from_secs(30));
        main_job(&mut pair.ready());
    }
}

#[test]
fn a_module_found_in_transparent_mode_is_brought_back() {
    let mut pair = Pair::new();
    for line in ["ATE0", "AT+CIPMODE=1", "AT+CSTT", "AT+CIICR", "AT+CIFSR"] {
        pair.left_behind(format!("{line}\r\n"));
    }
    pair.left_behind(format!("AT+CIPSTART=\"TCP\",\"{}\",{}\r\n", ECHO.0, ECHO.1));
    pair.left_behind("data");
    main_job(&mut pair.ready());
}

/// Regression: the second line after `+++` ended the silence that the module needs, so `AT` made the escape payload.
#[test]
fn a_module_found_in_transparent_mode_whose_peer_sends_lines_is_brought_back() {
    for span in [50, 150, 250, 450].map(Duration::from_millis) {
        let mut pair = Pair::new();
        for line in ["ATE0", "AT+CIPMODE=1", "AT+CSTT", "AT+CIICR", "AT+CIFSR"] {
            pair.left_behind(format!("{line}\r\n"));
        }
        pair.left_behind(format!("AT+CIPSTART=\"TCP\",\"{}\",{}\r\n", ECHO.0, ECHO.1));
        for _ in 0..Duration::from_secs(20).as_millis() / span.as_millis() {
            pair.run_for(span);
            if !pair.engine.is_ready() {
                pair.inject(b"a line of the peer\r\n");
            }
        }
        assert!(pair.engine.is_ready(), "a line every {span:?}: {}", pair.story());
    }
}

#[test]
fn old_sockets_are_closed() {
    for open in 1..=8 {
        let mut pair = Pair::new();
        set_up(&mut pair);
        (0..open).for_each(|channel| connected(&mut pair, channel));
        let mut pair = pair.ready();
        pair.run_for(Duration::from_secs(1));
        assert_eq!((pair.wrote("AT+CIPSHUT"), pair.wrote("AT+CIPCLOSE=")), (0, open.into()));
        main_job(&mut pair);
    }
}

#[test]
fn a_module_with_an_active_bearer_keeps_it() {
    let settings = Settings::default().latency(Duration::from_millis(5));
    let mut pair = Pair::with(Config::default(), settings);
    for line in ["ATE0", "AT+CIPMUX=1", "AT+CIPQSEND=1", "AT+CSTT", "AT+CIICR", "AT+CIFSR"] {
        pair.left_behind(format!("{line}\r\n"));
        pair.now += Duration::from_millis(50);
        pair.left_behind("");
    }
    let begun = pair.now;
    let mut pair = pair.ready();
    for command in ["AT+CIPSHUT", "AT+CSTT", "AT+CIICR", "AT+CIPMUX=1"] {
        assert_eq!(pair.wrote(command), 0, "{command}");
    }
    assert!(pair.now - begun < Duration::from_millis(150), "{:?}", pair.now - begun);
    main_job(&mut pair);
}

#[test]
fn a_module_with_an_active_bearer_and_other_settings_is_set_up_from_the_start() {
    // Slow sends, manual receive, a single connection: each of these settings needs a setup from the start.
    for setting in ["AT+CIPQSEND=0", "AT+CIPRXGET=1", "AT+CIPMUX=0"] {
        let mut pair = Pair::new();
        for line in ["ATE0", "AT+CIPMUX=1", "AT+CIPQSEND=1", setting, "AT+CSTT", "AT+CIICR", "AT+CIFSR"] {
            pair.left_behind(format!("{line}\r\n"));
        }
        let mut pair = pair.ready();
        assert_eq!(pair.wrote("AT+CIPSHUT"), 1, "{setting}");
        main_job(&mut pair);
    }
}

#[test]
fn a_module_found_half_way_is_set_up_from_the_start() {
    let half = ["AT+CSTT\r\n", "AT+CSTT\r\nAT+CIICR\r\n", "AT+CIPMUX=1\r\nAT+CSTT\r\n"];
    for lines in half {
        let mut pair = Pair::new();
        for line in lines.split_inclusive('\n') {
            pair.left_behind(line);
        }
        main_job(&mut pair.ready());
    }
    // A single connection is open.
    let mut pair = Pair::new();
    pair.left_behind(format!("AT+CIPSTART=\"TCP\",\"{}\",{}\r\n", ECHO.0, ECHO.1));
    assert_eq!(pair.modem.state().ip, "CONNECT OK");
    main_job(&mut pair.ready());
}

#[test]
fn a_bearer_that_was_lost_earlier_is_shut_down_first() {
    for profile in Profile::all() {
        let mut pair = Pair::with(Config::default(), Settings::default().profile(profile));
        set_up(&mut pair);
        pair.modem.handle(pair.now, air724ug::sim::Input::Control(Control::PdpLost));
        pair.left_behind("");
        let mut pair = pair.ready();
        assert_eq!(pair.wrote("AT+CIPSHUT"), 1);
        main_job(&mut pair);
    }
}

/// Waits until the time-out, and returns the reason.
fn not_ready(pair: &mut Pair) -> NotReady {
    match pair.call(Request::WaitReady { timeout: Duration::from_secs(60) }) {
        Err(Error::NotReady(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

fn locked(pin: &str) -> Settings {
    Settings::default().sim(SimCard::Locked { pin: pin.to_owned() })
}

#[test]
fn a_pin_is_entered_once() {
    let mut pair = Pair::with(Config::default().pin("1234"), locked("1234")).ready();
    assert_eq!(pair.wrote("AT+CPIN=\"1234\""), 1);
    main_job(&mut pair);
}

#[test]
fn a_correct_pin_is_entered_again_after_a_restart() {
    let mut pair = Pair::with(Config::default().pin("1234"), locked("1234")).ready();
    pair.control(Control::Reset);
    pair.run_for(Duration::from_secs(2));
    let mut pair = pair.ready();
    assert_eq!(pair.wrote("AT+CPIN=\"1234\""), 2);
    main_job(&mut pair);
}

#[test]
fn a_wrong_pin_is_never_entered_twice() {
    let mut pair = Pair::with(Config::default().pin("9999"), locked("1234"));
    assert_eq!(not_ready(&mut pair), NotReady::PinRefused);
    for _ in 0..3 {
        pair.control(Control::Reset);
        assert_eq!(not_ready(&mut pair), NotReady::PinRefused);
    }
    assert_eq!(pair.wrote("AT+CPIN=\"9999\""), 1);
    assert_eq!(pair.modem.state().sim, Some("SIM PIN"), "the card is not blocked");
}

#[test]
fn a_pin_without_an_answer_is_never_entered_twice() {
    let mut pair = Pair::with(Config::default().pin("9999"), locked("1234"));
    pair.instead("AT+CPIN=", "");
    let ticket = pair.ask(Request::WaitReady { timeout: Duration::from_secs(600) });
    assert!(matches!(pair.answer(ticket), Err(Error::NotReady(_))));
    assert_eq!(pair.wrote("AT+CPIN=\"9999\""), 1);
}

#[test]
fn a_pin_without_an_answer_is_not_entered_again_after_any_restart() {
    let mut pair = Pair::with(Config::default().pin("9999"), locked("1234"));
    // The module restarts before its answer.
    pair.instead("AT+CPIN=", "");
    pair.ask(Request::WaitReady { timeout: Duration::from_secs(60) });
    pair.run_until(|pair| pair.wrote("AT+CPIN=") == 1);
    pair.control(Control::Reset);
    assert_eq!(not_ready(&mut pair), NotReady::PinRefused);
    // The port is lost and comes back.
    pair.pull_out();
    pair.run_for(Duration::from_secs(1));
    pair.plug_in();
    assert_eq!(not_ready(&mut pair), NotReady::PinRefused);
    // The module is silent until the driver searches for it again.
    pair.instead_times(40, "AT", "");
    pair.run_for(Duration::from_secs(120));
    assert_eq!(not_ready(&mut pair), NotReady::PinRefused);
    pair.command("AT", Duration::from_secs(9)).unwrap();
    assert_eq!(pair.wrote("AT+CPIN=\"9999\""), 1, "{}", pair.story());
}

#[test]
fn a_pin_whose_answer_was_lost_counts_as_correct_when_the_card_is_ready() {
    let config = Config::default().pin("1234");
    let mut pair = Pair::with(config.clone(), locked("1234"));
    let mut lost = false;
    let given = std::rc::Rc::new(std::cell::Cell::new(false));
    let seen = std::rc::Rc::clone(&given);
    pair.to_modem = Box::new(move |_, bytes| {
        seen.set(!lost && bytes.starts_with(b"AT+CPIN="));
        lost |= seen.get();
        bytes
    });
    pair.to_host = Box::new(move |_, bytes| if given.get() { Vec::new() } else { bytes });
    pair.call(Request::WaitReady { timeout: Duration::from_secs(300) }).unwrap();
    assert_eq!(pair.wrote("AT+CPIN=\""), 1);
    // The same PIN is entered again: after a restart, and by another modem.
    let mut pair = Pair::with(config, locked("1234")).ready();
    pair.control(Control::Reset);
    pair.run_for(Duration::from_secs(2));
    let pair = pair.ready();
    assert_eq!(pair.wrote("AT+CPIN=\"1234\""), 2);
}

#[test]
fn a_wrong_pin_is_not_entered_again_when_the_modem_is_opened_again() {
    let config = Config::default().pin("0099");
    let mut pair = Pair::with(config.clone(), locked("1234"));
    assert_eq!(not_ready(&mut pair), NotReady::PinRefused);
    assert_eq!(pair.wrote("AT+CPIN=\""), 1);
    let mut again = Pair::with(config.clone().apn("cmiot"), locked("1234"));
    assert_eq!(not_ready(&mut again), NotReady::PinRefused);
    assert_eq!(again.wrote("AT+CPIN=\""), 0);
    // Another PIN is entered, and a card that needs none works.
    for pin in ["1234", "00099"] {
        let mut other = Pair::with(config.clone().pin(pin), locked(pin));
        other.call(Request::WaitReady { timeout: Duration::from_secs(60) }).unwrap();
    }
    main_job(&mut Pair::with(config, Settings::default()).ready());
}

#[test]
fn the_error_sim_pin_required_leads_to_the_pin() {
    let mut pair = Pair::with(Config::default().pin("1234"), locked("1234"));
    pair.instead("AT+CPIN?", "\r\n+CME ERROR: 11\r\n");
    main_job(&mut pair.ready());
}

#[test]
fn a_card_that_can_not_be_unlocked_is_reported_with_the_reason() {
    let mut pair = Pair::with(Config::default(), locked("1234"));
    assert_eq!(not_ready(&mut pair), NotReady::PinRequired);
    assert_eq!(pair.wrote("AT+CPIN=\""), 0);
    for (answer, reason) in [
        ("\r\n+CPIN: SIM PUK\r\n\r\nOK\r\n", NotReady::PukRequired),
        ("\r\n+CME ERROR: 10\r\n", NotReady::NoSim),
        ("\r\n+CME ERROR: SIM not inserted\r\n", NotReady::NoSim),
        ("\r\n+CME ERROR: 11\r\n", NotReady::PinRequired),
        ("\r\n+CME ERROR: 12\r\n", NotReady::PukRequired),
        ("\r\n+CME ERROR: 13\r\n", NotReady::SimFailure),
        ("\r\n+CPIN: SIM REMOVED 0\r\n\r\nOK\r\n", NotReady::NoSim),
        ("\r\n+CPIN: NOT READY\r\n\r\nOK\r\n", NotReady::SimFailure),
        ("\r\nERROR\r\n", NotReady::Starting),
    ] {
        let mut pair = Pair::new();
        pair.instead_times(70, "AT+CPIN?", answer);
        assert_eq!(not_ready(&mut pair), reason, "{answer:?}");
        // The card becomes ready.
        main_job(&mut pair.ready());
    }
}

#[test]
fn a_card_inserted_later_works_after_a_restart() {
    let mut pair = Pair::new();
    pair.control(Control::SimRemove);
    assert_eq!(not_ready(&mut pair), NotReady::NoSim);
    pair.control(Control::SimInsert);
    pair.control(Control::Reset);
    pair.run_for(Duration::from_secs(2));
    main_job(&mut pair.ready());
}

#[test]
fn a_module_without_registration_reports_the_registration_status() {
    for (registration, status) in [
        (0, RegistrationStatus::NotRegistered),
        (2, RegistrationStatus::Searching),
        (3, RegistrationStatus::Denied),
        (4, RegistrationStatus::Unknown),
        (6, RegistrationStatus::SmsOnly),
        (11, RegistrationStatus::EmergencyOnly),
    ] {
        let settings = Settings::default().registration(registration).signal(18);
        assert_eq!(why_not(settings), NotReady::NotRegistered(status));
    }
    assert_eq!(why_not(Settings::default().attach(false)), NotReady::NotAttached);
}

fn why_not(settings: Settings) -> NotReady {
    not_ready(&mut Pair::with(Config::default(), settings))
}

#[test]
fn a_weak_signal_is_a_reason_only_if_no_network_has_answered() {
    let weak = |rssi| NotReady::WeakSignal(SignalQuality::new(rssi, None).unwrap());
    for registration in [0, 2, 4] {
        let settings = Settings::default().registration(registration);
        assert_eq!(why_not(settings.clone().signal(17)), weak(17));
        assert_eq!(why_not(settings.clone().signal(1)), weak(1));
        assert_eq!(why_not(settings.clone().signal(0)), NotReady::NoSignal);
        assert_eq!(why_not(settings.signal(99)), NotReady::NoSignal);
    }
    // A network that refuses a module has received its request, so a weak signal is not the reason.
    for signal in [7, 99] {
        let settings = Settings::default().registration(3).signal(signal);
        assert_eq!(why_not(settings), NotReady::NotRegistered(RegistrationStatus::Denied));
    }
    // The network has also received the request of a registered module.
    assert_eq!(why_not(Settings::default().attach(false).signal(7)), NotReady::NotAttached);
    main_job(&mut Pair::with(Config::default(), Settings::default().signal(7)).ready());
    let error = Error::NotReady(weak(7)).to_string();
    assert!(error.contains("the signal is weak: 7/31 (-99 dBm), 18 are recommended"), "{error}");
}

#[test]
fn registration_in_2g_but_not_in_4g_is_reported() {
    for lte in [0, 2, 3, 4] {
        let arrears = Settings::default().lte_registration(Some(lte));
        assert_eq!(why_not(arrears.clone().attach(false)), NotReady::OnlyTwoG);
        // The module is attached, and its bearer is refused.
        assert_eq!(why_not(arrears.clone().apn(ApnPolicy::None)), NotReady::OnlyTwoG);
        // With a bearer in 2G the modem is ready.
        main_job(&mut Pair::with(Config::default(), arrears).ready());
    }
    // 2G accepts the module for calls only.
    let mut pair = Pair::with(Config::default(), Settings::default().lte_registration(Some(3)).attach(false));
    pair.instead_times(200, "AT+CGREG?", "\r\n+CGREG: 0,3\r\n\r\nOK\r\n");
    assert_eq!(not_ready(&mut pair), NotReady::OnlyTwoG);
    // Firmware without an answer about 4G gives no reason to report it.
    let mut pair = Pair::with(Config::default(), Settings::default().attach(false));
    pair.instead_times(200, "AT+CEREG?", "\r\nERROR\r\n");
    assert_eq!(not_ready(&mut pair), NotReady::NotAttached);
}

/// A module whose radio an earlier program has switched off.
fn radio_off(config: Config, function: u8) -> Pair {
    let mut pair = Pair::with(config, Settings::default());
    pair.left_behind(format!("AT+CFUN={function}\r\n"));
    pair.run_for(Duration::from_millis(1));
    pair
}

#[test]
fn a_radio_that_is_found_off_is_switched_on() {
    for function in [0, 4] {
        let pair = radio_off(Config::default(), function);
        let mut pair = pair.ready();
        assert_eq!(pair.wrote("AT+CFUN=1"), 1, "{}", pair.story());
        main_job(&mut pair);
    }
    // The module refuses at first, and then does not answer.
    let mut pair = radio_off(Config::default(), 0);
    pair.instead("AT+CFUN=1", "\r\nERROR\r\n").instead("AT+CFUN=1", "");
    main_job(&mut pair.ready());
}

#[test]
fn a_radio_that_the_configuration_leaves_off_is_reported_and_waited_for() {
    let mut pair = radio_off(Config::default().switch_radio_on(false), 4);
    assert_eq!(not_ready(&mut pair), NotReady::RadioOff);
    assert_eq!(pair.wrote("AT+CFUN="), 0);
    // A command of the application switches it on.
    pair.command("AT+CFUN=1", Duration::from_secs(45)).unwrap();
    main_job(&mut pair.ready());
}

#[test]
fn a_radio_that_is_switched_off_later_stays_off() {
    let mut pair = Pair::online();
    pair.command("AT+CFUN=4", Duration::from_secs(45)).unwrap();
    assert_eq!(not_ready(&mut pair), NotReady::RadioOff);
    assert_eq!(pair.wrote("AT+CFUN=1"), 0);
    // A radio that the application has switched off also stays off after a loss of the port.
    let mut pair = Pair::online();
    assert!(matches!(pair.call(Request::Radio { on: false }), Ok(Response::Done)));
    pair.pull_out();
    pair.run_for(Duration::from_secs(1));
    pair.plug_in();
    assert_eq!(not_ready(&mut pair), NotReady::RadioOff);
    assert_eq!(pair.wrote("AT+CFUN=1"), 0);
    assert!(matches!(pair.call(Request::Radio { on: true }), Ok(Response::Done)));
    main_job(&mut pair.ready());
}

#[test]
fn a_radio_of_unknown_state_counts_as_on() {
    for answer in ["\r\nERROR\r\n", "", "\r\n+CFUN: 7\r\n\r\nOK\r\n"] {
        let mut pair = Pair::new();
        pair.instead_times(3, "AT+CFUN?", answer);
        main_job(&mut pair.ready());
    }
    // The error of the card may report the radio instead.
    let mut pair = Pair::new();
    pair.instead_times(200, "AT+CFUN?", "\r\nERROR\r\n");
    pair.instead_times(200, "AT+CPIN?", "\r\n+CME ERROR: 797\r\n");
    assert_eq!(not_ready(&mut pair), NotReady::RadioOff);
}

#[test]
fn a_network_that_comes_late_is_waited_for() {
    let mut pair = Pair::new();
    pair.control(Control::NetworkDown);
    pair.run_for(Duration::from_secs(600));
    assert!(!pair.engine.is_ready());
    let polls = pair.wrote("AT+CGATT?");
    assert!((60..200).contains(&polls), "{polls} polls in ten minutes");
    pair.control(Control::NetworkUp);
    main_job(&mut pair.ready());
    let mut pair = Pair::new();
    for _ in 0..5 {
        pair.instead("AT+CGATT?", "\r\n+CGATT: 0\r\n\r\nOK\r\n");
    }
    main_job(&mut pair.ready());
}

#[test]
fn a_refused_access_point_is_left_out_of_the_next_attempt() {
    let mut pair = Pair::with(Config::default().apn("cmiot"), Settings::default());
    pair.instead("AT+CSTT=", "\r\nERROR\r\n");
    main_job(&mut pair.ready());
    let settings = Settings::default().apn(ApnPolicy::Only(vec!["right".to_owned()]));
    let pair = Pair::with(Config::default().apn("wrong"), settings);
    main_job(&mut pair.ready());
}

#[test]
fn a_refused_bearer_is_requested_again_at_growing_intervals() {
    for answer in ["\r\nERROR\r\n", "\r\n+CME ERROR: 148\r\n", "\r\n+PDP: DEACT\r\n\r\n+CME ERROR: 65535\r\n"]
    {
        let mut pair = Pair::new();
        pair.instead_times(6, "AT+CIICR", answer);
        let begun = pair.now;
        let mut pair = pair.ready();
        assert!(pair.now - begun > Duration::from_secs(30), "{:?}", pair.now - begun);
        main_job(&mut pair);
    }
    let mut pair = Pair::new();
    pair.instead_times(1000, "AT+CIICR", "\r\nERROR\r\n");
    assert_eq!(not_ready(&mut pair), NotReady::BearerRefused(Refusal::Error));
    pair.run_for(Duration::from_secs(3_600));
    let tries = pair.wrote("AT+CIICR");
    assert!((40..80).contains(&tries), "{tries} attempts in an hour");
}

#[test]
fn optional_commands_may_be_refused_or_unanswered() {
    for command in [
        "AT+CIPHEAD=1",
        "AT+CIPSPRT=1",
        "AT+CIPRXF=1",
        "AT+CIPSEND=?",
        "AT+CMEE=1",
        "ATI",
        "AT+CGSN",
        "AT+CEREG?",
    ] {
        for answer in ["\r\nERROR\r\n", "\r\n+CME ERROR: 4\r\n", ""] {
            for mode in both_modes() {
                let mut pair = Pair::with(Config::default().receive_mode(mode), Settings::default());
                pair.instead_times(3, command, answer);
                main_job(&mut pair.ready());
            }
        }
    }
}

#[test]
fn every_command_of_bring_up_may_lose_its_answer_once() {
    let commands = [
        "AT\r",
        "ATE0",
        "AT+CMEE",
        "ATI",
        "AT+CGSN",
        "AT+CFUN?",
        "AT+CPIN?",
        "AT+CSQ",
        "AT+CEREG?",
        "AT+CGATT?",
        "AT+CIPSTATUS",
        "AT+CIPMODE=0",
        "AT+CIPMUX=1",
        "AT+CIPQSEND=1",
        "AT+CIPRXGET=",
        "AT+CIPHEAD",
        "AT+CSTT",
        "AT+CIICR",
        "AT+CIFSR",
        "AT+CIPSEND=?",
    ];
    for command in commands {
        let is_question = !command.contains('=') || command.ends_with('?');
        for answer in ["", "\r\nERROR\r\n", "\r\n+CME ERROR: 100\r\n", "\r\nOK\r\n"] {
            // A false `OK` to a setting can't be detected.
            if answer.contains("OK") && !is_question {
                continue;
            }
            let mut pair = Pair::new();
            pair.instead(command, answer);
            main_job(&mut pair.ready());
        }
        // The module runs the command, and the answer is lost.
        let mut pair = Pair::new();
        let mut lost = false;
        let (hit, eaten) =
            (std::rc::Rc::new(std::cell::Cell::new(false)), std::rc::Rc::new(std::cell::Cell::new(0)));
        let (seen, counted) = (std::rc::Rc::clone(&hit), std::rc::Rc::clone(&eaten));
        pair.to_modem = Box::new(move |_, bytes| {
            seen.set(!lost && bytes.starts_with(command.as_bytes()));
            lost |= seen.get();
            bytes
        });
        pair.to_host = Box::new(move |_, bytes| match hit.get() {
            true => {
                counted.set(counted.get() + 1);
                Vec::new()
            }
            false => bytes,
        });
        main_job(&mut pair.ready());
        assert!(eaten.get() > 0, "{command}");
    }
}

#[test]
fn a_module_that_answers_only_the_tenth_attention_is_found() {
    let mut pair = Pair::new();
    pair.instead_times(9, "AT\r\n", "");
    main_job(&mut pair.ready());
}

/// Numbers that no module sends, and that overflow some integer type.
const TOO_LARGE: [&str; 8] = [
    "255",
    "65535",
    "2147483648",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
];

/// The bytes with the number at this place, counted from 0, replaced; `None` if there are fewer numbers.
fn with_number(bytes: &[u8], place: usize, number: &str) -> Option<Vec<u8>> {
    let is_first = |at: &usize| bytes[*at].is_ascii_digit() && (*at == 0 || !bytes[*at - 1].is_ascii_digit());
    let start = (0..bytes.len()).filter(is_first).nth(place)?;
    let end = (start..bytes.len()).find(|at| !bytes[*at].is_ascii_digit()).unwrap_or(bytes.len());
    Some([&bytes[..start], number.as_bytes(), &bytes[end..]].concat())
}

#[test]
fn a_channel_count_out_of_range_is_ignored() {
    for last in TOO_LARGE {
        let mut pair = Pair::new();
        pair.instead("AT+CIPSEND=?", format!("\r\n+CIPSEND: (0-{last}),1460\r\n\r\nOK\r\n"));
        let mut pair = pair.ready();
        let sockets = std::iter::from_fn(|| pair.connect(ECHO.0, ECHO.1).ok()).count();
        assert_eq!(sockets, 8, "(0-{last})");
    }
}

#[test]
fn no_number_of_any_answer_overflows_anything() {
    for number in TOO_LARGE {
        for place in 0.. {
            let mut pair = Pair::new();
            let (met, mut passed) = (Rc::new(Cell::new(false)), 0);
            let seen = Rc::clone(&met);
            pair.to_host = Box::new(move |_, bytes| match with_number(&bytes, place - passed, number) {
                Some(changed) if !seen.replace(true) => changed,
                _ => {
                    passed += (0..).take_while(|at| with_number(&bytes, *at, "").is_some()).count();
                    passed = passed.min(place);
                    bytes
                }
            });
            pair.call(Request::WaitReady { timeout: Duration::from_secs(30) }).ok();
            if let Ok(socket) = pair.connect(ECHO.0, ECHO.1) {
                let sent = pair.send(socket, b"hello");
                let signal = pair.call(Request::query(&Signal));
                let time = pair.call(Request::query(&Clock));
                let waiting = pair.call(Request::Unacknowledged { socket, timeout: Duration::from_secs(9) });
                assert!(pair.now < Timestamp::from_secs(600), "{sent:?} {signal:?} {time:?} {waiting:?}");
                pair.close(socket).ok();
            }
            if !met.get() {
                assert!(place > 30, "{place} numbers were replaced, which is too few");
                break;
            }
        }
    }
}

#[test]
fn a_connection_requested_before_the_channel_count_is_known_gets_no_missing_channel() {
    let mut pair = Pair::with(Config::default(), Settings::default().profile(Profile::air780e()));
    let asked: Vec<_> = (0..8).map(|_| pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(60))).collect();
    let answers: Vec<_> = asked.into_iter().map(|ticket| pair.answer(ticket)).collect();
    let connected = answers.iter().filter(|answer| matches!(answer, Ok(Response::Connected(_)))).count();
    let refused = answers.iter().filter(|answer| matches!(answer, Err(Error::NoFreeChannel))).count();
    assert_eq!((connected, refused), (6, 2), "{answers:?}");
    assert_eq!(pair.wrote("AT+CIPSTART=6"), 0, "{}", pair.story());
}

/// Data that this host sends and a peer echoes. A module whose echo stays on sends them back among its own lines.
const TRAPS: [&[u8]; 5] = [
    b"hello",
    b"\r\n0, CLOSED\r\n+PDP: DEACT\r\nRDY\r\n",
    b"\r\n+RECEIVE,1,4:\r\nEVIL\r\nOK\r\n",
    b"OK\r\nERROR\r\n> \r\n",
    b"\rAT+CIPSHUT\r",
];

#[test]
fn an_echo_that_cannot_be_switched_off_is_tolerated() {
    // The ancestor echoes no LF.
    for profile in Profile::all() {
        for answer in ["OK", "ERROR", "+CME ERROR: 3"] {
            for chunk in [1, 7, 1000] {
                let settings = Settings::default().profile(profile.clone());
                let mut pair = Pair::with(Config::default(), settings).in_chunks_of(chunk);
                let case = format!("{}, {answer}, {chunk}", profile.name);
                pair.instead("ATE0", format!("ATE0\r\r\n{answer}\r\n"));
                let mut pair = pair.ready();
                assert!(pair.now < Timestamp::from_secs(10), "{case}: ready at {:?}", pair.now);
                let (socket, other) = (pair.channel_open(), pair.channel_open());
                for trap in TRAPS {
                    assert_eq!(pair.send(socket, trap).unwrap(), trap.len(), "{case}, {trap:?}");
                    assert_eq!(pair.read(socket, trap.len()).unwrap(), trap, "{case}");
                }
                assert_eq!(
                    pair.engine.readable(other),
                    (0, false),
                    "{case}: the other socket received echoed data"
                );
                pair.command("AT+CSQ", Duration::from_secs(1)).unwrap();
                assert!(!pair.saw(|event| matches!(event, Event::Restarted)), "{case}");
            }
        }
    }
}

/// The most commands in a second without connections: the 20 steps of a bring-up, the 7 that ask for the network twice,
/// and a question after each; 5 to find the module. With connections `pace` of the simulation adds the closes.
const MOST_COMMANDS_A_SECOND: usize = 2 * (20 + 7) + 5;

#[test]
fn no_module_makes_the_line_busy() {
    let answers: [fn(&str) -> String; 8] = [
        |_| "\r\nOK\r\n".to_owned(),
        |_| "\r\nERROR\r\n".to_owned(),
        |_| "\r\n+CME ERROR: 3\r\n".to_owned(),
        |command| command.to_owned(),
        |command| format!("{command}\r\nOK\r\n"),
        |command| format!("{command}\r\nERROR\r\n"),
        |command| format!("\r\n{}: 0\r\n\r\nOK\r\n", command.trim_end().trim_start_matches("AT")),
        |_| "\r\nRDY\r\n\r\nOK\r\n\r\n> \r\n".to_owned(),
    ];
    for (kind, answer) in answers.iter().enumerate() {
        let mut engine = Engine::new(Config::default(), Timestamp::ZERO).unwrap();
        let mut now = Timestamp::ZERO;
        let mut written = Vec::new();
        engine.handle(now, Input::Tick);
        while now < Timestamp::from_secs(600) {
            let mut lines = Vec::new();
            while let Some(output) = engine.poll() {
                if let Output::Write(bytes) = output {
                    lines.push(String::from_utf8_lossy(&bytes).into_owned());
                }
            }
            if lines.is_empty() {
                let Some((at, _)) = engine.deadline() else { break };
                now = now.max(at);
                engine.handle(now, Input::Tick);
                continue;
            }
            for line in lines {
                written.push(now);
                engine.handle(now, Input::Received(answer(&line).as_bytes()));
            }
            assert!(written.len() < 1_000_000, "kind {kind}");
            let second = written.iter().rev().take_while(|at| **at + Duration::from_secs(1) > now).count();
            assert!(second <= MOST_COMMANDS_A_SECOND, "kind {kind}: {second} writes in a second at {now:?}");
        }
    }
}

#[test]
fn a_module_that_restarts_repeatedly_does_not_make_the_line_busy() {
    for (at, sign) in
        [("AT+CIPSPRT", "RDY"), ("AT+CIFSR", "RDY"), ("AT+CIPSPRT", "^boot.rom'v'!"), ("ATI", "RDY")]
    {
        let mut pair = Pair::new();
        pair.instead_times(1_000, at, format!("\r\n{sign}\r\n"));
        for second in 0..20 {
            let before = pair.wrote("\r\n");
            pair.run_for(Duration::from_secs(1));
            let written = pair.wrote("\r\n") - before;
            assert!(written <= MOST_COMMANDS_A_SECOND, "{at} {sign}: {written} in second {second}");
        }
        pair.heal();
        pair.run_for(Duration::from_secs(10));
        assert!(pair.engine.is_ready(), "{at} {sign}: {}", pair.story());
    }
}

/// A serial server far away, or a slow module: each answer comes when the next question was asked before.
#[test]
fn a_module_that_takes_a_second_for_each_answer_is_brought_up() {
    for latency in [250, 300, 310, 400, 600, 800, 900, 1_000, 1_100] {
        let settings = Settings::default().latency(Duration::from_millis(latency));
        let mut pair = Pair::with(Config::default(), settings);
        let ready = pair.call(Request::WaitReady { timeout: Duration::from_secs(90) });
        assert!(matches!(ready, Ok(Response::Ready)), "{latency} ms: {ready:?}");
        let socket = pair.channel_open();
        assert_eq!(pair.send(socket, b"hello").unwrap(), 5, "{latency} ms");
    }
}

/// The search asks several times before the first answer comes, and each of its commands is answered. A question is
/// asked again only after as long as the module has needed for its answers.
#[test]
fn a_slow_module_is_found_again_after_a_restart_at_any_moment() {
    for latency in [1_200, 1_400, 2_000, 3_000] {
        for moment in [0, 700, 1_500, 2_900] {
            let latency = Duration::from_millis(latency);
            let mut pair = Pair::with(Config::default(), Settings::default().latency(latency));
            let ready = pair.call(Request::WaitReady { timeout: 40 * latency });
            assert!(matches!(ready, Ok(Response::Ready)), "{latency:?}: {ready:?}");
            pair.ask(Request::query(&Signal));
            pair.run_for(Duration::from_millis(moment));
            pair.control(Control::Reset);
            pair.run_for(Duration::from_secs(10));
            let again = pair.call(Request::WaitReady { timeout: 75 * latency });
            assert!(
                matches!(again, Ok(Response::Ready)),
                "{latency:?} {moment} ms: {again:?}, {}",
                pair.story()
            );
            let socket = pair.channel_open();
            assert_eq!(pair.send(socket, b"hello").unwrap(), 5, "{latency:?}");
        }
    }
}
