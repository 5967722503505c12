//! A port that is lost while threads wait in every call that can wait. Each call returns at once with the reason.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // A failing io call shall fail the test, also in a helper.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::alone;
use crate::support::driver::{SOON, Terminal, all_asleep, eventually, memory, named, threads};
use air724ug::sim::{Settings, fault};
use air724ug::{Config, Error, Event, Modem, Received};

/// The longest time for "at once" on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(600);

type Waiter = JoinHandle<Result<(), Error>>;

/// A thread in a waiting call, named `w-` and the name of the call.
fn waiter(what: &str, wait: impl FnOnce() -> Result<(), Error> + Send + 'static) -> Waiter {
    named(&format!("w-{what}"), wait)
}

fn io_error(error: std::io::Error) -> Error {
    *error.into_inner().unwrap().downcast::<Error>().unwrap()
}

/// Threads in every call that can wait on a ready modem. A command without an answer keeps the calls that need an
/// answer waiting.
fn all_waiters(terminal: &Terminal, modem: &Modem) -> Vec<Waiter> {
    let socket = modem.tcp().connect(("discard.test", 9)).unwrap();
    let other = modem.tcp().connect(("discard.test", 9)).unwrap();
    terminal.fault(fault::LostAnswer { command: 0 });
    let mut waiters = Vec::new();
    let m = modem.clone();
    waiters.push(waiter("command", move || m.command("AT+COPS?", LONG).map(drop)));
    all_asleep("w-", 1);
    let (m, events) = (modem.clone(), modem.events());
    waiters.push(waiter("connect", move || m.tcp().timeout(LONG).connect(("echo.test", 7)).map(drop)));
    let s = socket.try_clone().unwrap();
    waiters.push(waiter("send", move || s.send(&[7; 5000])));
    let s = socket.try_clone().unwrap();
    waiters.push(waiter("send-2", move || s.send(&[7; 5000])));
    let s = socket.try_clone().unwrap();
    waiters
        .push(waiter("recv", move || s.recv(LONG).map(|received| assert_ne!(received, Received::Timeout))));
    let s = socket.try_clone().unwrap();
    waiters.push(waiter("recv-none", move || s.recv(None).map(drop)));
    let s = socket.try_clone().unwrap();
    waiters.push(waiter("peek", move || s.peek(&mut [0; 10]).map(drop)));
    waiters.push(waiter("read", move || {
        std::io::Read::read(&mut &socket, &mut [0; 10]).map(drop).map_err(io_error)
    }));
    waiters.push(waiter("close", move || other.close()));
    waiters.push(waiter("events", move || match events.iter().last() {
        Some(Event::PortLost) => Err(Error::PortLost("".into())),
        last => panic!("the last event was {last:?}"),
    }));
    all_asleep("w-", 10);
    waiters
}

/// Checks that all calls have returned at once with the right error.
fn assert_all_end(waiters: Vec<Waiter>) {
    let began = Instant::now();
    for waiter in waiters {
        let name = waiter.thread().name().unwrap().to_owned();
        let result = waiter.join().unwrap();
        // A socket that was being closed may also report success.
        let is_closed = name == "w-close" && result.is_ok();
        assert!(is_closed || matches!(result, Err(Error::PortLost(_))), "{name}: {result:?}");
    }
    assert!(began.elapsed() < AT_ONCE, "they took {:?}", began.elapsed());
}

fn assert_no_thread_is_left() {
    eventually("the driver's threads are gone", || threads("air724ug") == 0);
}

#[test]
fn a_port_that_hangs_up_ends_every_waiting_call() {
    let _alone = alone();
    let mut terminal = Terminal::with(Settings::default(), memory());
    let modem = terminal.modem(Config::default());
    let waiters = all_waiters(&terminal, &modem);
    terminal.hang_up();
    assert_all_end(waiters);
    assert!(matches!(modem.wait_ready(LONG), Err(Error::PortLost(_))));
    assert!(matches!(modem.command("AT", LONG), Err(Error::PortLost(_))));
    assert!(!modem.is_ready());
    assert_eq!(modem.events().iter().count(), 0);
    assert_no_thread_is_left();
}

#[test]
fn closing_the_modem_ends_every_waiting_call_and_frees_the_port() {
    let _alone = alone();
    let terminal = Terminal::with(Settings::default(), memory());
    let modem = terminal.modem(Config::default());
    let waiters = all_waiters(&terminal, &modem);
    modem.close();
    // The port is locked for this process, so it could not be opened if it were still open.
    let again = Modem::open(&terminal.path, Config::default()).unwrap();
    assert_all_end(waiters);
    again.wait_ready(SOON).unwrap();
    assert_eq!(again.tcp().connect(("hello.test", 1)).unwrap().recv(SOON).unwrap().data().unwrap(), b"hello");
    modem.close();
    again.close();
    assert_no_thread_is_left();
}

#[test]
fn a_wait_for_readiness_ends_with_the_port() {
    let _alone = alone();
    for closes in [true, false] {
        let mut terminal = Terminal::with(Settings::default().registration(2), memory());
        let modem = Modem::open(&terminal.path, Config::default()).unwrap();
        let m = modem.clone();
        let ready = waiter("ready", move || m.wait_ready(LONG));
        let m = modem.clone();
        let connect = waiter("connect", move || m.tcp().timeout(LONG).connect(("echo.test", 7)).map(drop));
        all_asleep("w-", 2);
        if closes {
            modem.close()
        } else {
            terminal.hang_up()
        }
        assert_all_end(vec![ready, connect]);
        assert_no_thread_is_left();
    }
}

#[test]
fn the_last_handle_closes_the_port_without_waiting() {
    let _alone = alone();
    let terminal = Terminal::with(Settings::default(), memory());
    let modem = terminal.modem(Config::default());
    let socket = modem.tcp().connect(("discard.test", 9)).unwrap();
    drop(modem);
    socket.send(b"a socket keeps the modem").unwrap();
    assert_eq!(threads("air724ug"), 1);
    terminal.fault(fault::LostAnswer { command: 0 });
    let began = Instant::now();
    drop(socket);
    assert!(began.elapsed() < AT_ONCE);
    assert_no_thread_is_left();
    terminal.modem(Config::default());
}

#[test]
fn opening_a_missing_port_is_an_error_with_the_reason() {
    let _alone = alone();
    let mut terminal = Terminal::with(Settings::default(), memory());
    terminal.hang_up();
    let Err(Error::Io(error)) = Modem::open(&terminal.path, Config::default()) else {
        panic!("the port was opened")
    };
    assert!(error.to_string().starts_with(&terminal.path), "{error}");
}

#[test]
fn a_port_in_use_is_refused_without_effect_on_its_user() {
    let _alone = alone();
    let terminal = Terminal::with(Settings::default(), memory());
    let modem = terminal.modem(Config::default());
    let Err(error) = Modem::open(&terminal.path, Config::default()) else {
        panic!("the port was opened twice")
    };
    assert!(error.to_string().contains("another program has it open"), "{error}");
    assert_eq!(error.kind(), std::io::ErrorKind::ResourceBusy);
    assert_eq!(modem.command("AT+CSQ", SOON).unwrap(), ["+CSQ: 24,99"]);
}
