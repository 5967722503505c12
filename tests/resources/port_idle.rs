//! The cost of idle modems: one thread each, and no wake-up.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // A failing io call shall fail the test, also in a helper.

use std::time::Duration;

use crate::support::driver::{self, SOON, Terminal, all_asleep, memory, naps, processor_time, threads};
use air724ug::sim::{Settings, Simulator, serve};
use air724ug::{Config, Modem, ReceiveMode, Socket};

/// The time in which no thread may wake.
const QUIET: Duration = Duration::from_secs(1);

/// The number of times that threads went to sleep in a quiet second. Each thread that wakes goes to sleep again. The
/// test waits in a call, which may not wake either.
#[track_caller]
fn naps_while_quiet(modem: &Modem) -> u64 {
    let events = modem.events();
    // A thread that never goes to sleep is not counted, so the processor time is checked as well.
    let threads = ["air724ug", "sim"];
    let before = (naps(threads[0]), threads.map(processor_time));
    assert!(events.recv_timeout(QUIET).is_err(), "something happened");
    for (name, before) in threads.into_iter().zip(before.1) {
        let busy = processor_time(name) - before;
        assert!(busy < QUIET / 100, "{name} ran for {busy:?}");
    }
    naps(threads[0]) - before.0
}

fn busy(modem: &Modem) -> Vec<Socket> {
    let sockets: Vec<_> = (0..8).map(|_| modem.tcp().connect(("echo.test", 7)).unwrap()).collect();
    for socket in &sockets {
        socket.send(b"hello").unwrap();
        assert_eq!(socket.recv(SOON).unwrap().data().unwrap(), b"hello");
    }
    modem.signal_quality().unwrap();
    sockets
}

#[test]
fn an_idle_modem_costs_a_thread_and_no_wake_up() {
    let _alone = crate::alone();
    const MODEMS: usize = 64;
    let terminals: Vec<_> = (0..MODEMS).map(|_| Terminal::with(Settings::default(), memory())).collect();
    let modems: Vec<_> = terminals.iter().map(|terminal| terminal.modem(Config::default())).collect();
    let sockets: Vec<_> = modems.iter().map(busy).collect();
    all_asleep("air724ug", MODEMS);
    assert_eq!(naps_while_quiet(&modems[0]), 0, "of {MODEMS} modems with 8 open sockets each");
    drop((sockets, modems));
    driver::eventually("every thread has ended", || threads("air724ug") == 0);

    // In manual mode, the driver asks a silent channel rarely, and nothing else wakes it.
    let config = Config::default().receive_mode(ReceiveMode::Manual).receive_poll(SOON * 10);
    let modem = terminals[0].modem(config);
    let sockets = busy(&modem);
    all_asleep("air724ug", 1);
    assert_eq!(naps_while_quiet(&modem), 0, "when data are fetched");
    drop((sockets, modem));
    driver::eventually("every thread has ended", || threads("air724ug") == 0);

    // A socket with a full window is unread for longer than the interval of fetches.
    let config = Config::default().receive_mode(ReceiveMode::Manual).receive_window(4096);
    let modem = terminals[0].modem(config.receive_poll(Duration::from_millis(100)));
    let unread = modem.tcp().connect(("source.test", 1)).unwrap();
    driver::eventually("the window is full", || unread.peek(&mut [0; 4096]).unwrap() > 4096 - 1460);
    let naps = naps_while_quiet(&modem);
    assert!(naps <= 1, "{naps} wake-ups with an unread socket");
    drop((unread, modem));
    driver::eventually("every thread has ended", || threads("air724ug") == 0);

    let (reader, writer, _handle) = serve::in_process(Simulator::new(Settings::default(), memory())).unwrap();
    let modem = Modem::start(reader, writer, Config::default()).unwrap();
    modem.wait_ready(SOON).unwrap();
    let sockets = busy(&modem);
    all_asleep("air724ug", 2);
    assert_eq!(naps_while_quiet(&modem), 0, "over a pair of halves");
    drop((sockets, modem));
    driver::eventually("every thread has ended", || threads("air724ug") == 0);
}

/// Regression: a caller that waited for the network woke for each answer to another caller. The caller that waits for
/// an answer reads it.
#[test]
fn a_command_wakes_only_its_caller() {
    const COMMANDS: u64 = 200;
    let _alone = crate::alone();
    let terminal = Terminal::with(Settings::default(), memory());
    let modem = terminal.modem(Config::default());
    modem.command("AT", SOON).unwrap();
    let wakes_only_its_caller = |others: &[&str]| {
        others.iter().for_each(|name| all_asleep(name, 1));
        let before: Vec<u64> = others.iter().map(|name| naps(name)).collect();
        for _ in 0..COMMANDS {
            modem.command("AT", SOON).unwrap();
        }
        for (name, before) in others.iter().zip(before) {
            let naps = naps(name) - before;
            assert!(naps <= COMMANDS / 10, "{naps} wake-ups of {name} for {COMMANDS} commands");
        }
    };
    wakes_only_its_caller(&["air724ug"]);
    let m = modem.clone();
    let connecting = driver::named("w-connect", move || m.tcp().connect(("silent.test", 1)).map(drop));
    wakes_only_its_caller(&["air724ug", "w-connect"]);
    modem.close();
    assert!(connecting.join().unwrap().is_err());
    drop(modem);
    driver::eventually("every thread has ended", || threads("air724ug") == 0);
}
