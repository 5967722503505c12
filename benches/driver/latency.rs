//! The time of a round trip, compared with a program without a driver on the same terminal.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use air724ug::Config;
use air724ug::crossbeam_channel::{Sender, bounded};
use air724ug::sim::Settings;
use rustix::event::PollFlags;

use crate::puppet::Puppet;
use crate::raw::Raw;
use crate::report::{Goal, note, percentile, ratio, report};
use crate::support::driver::{SOON, Terminal, memory};

/// Both alternate, so that other load on the machine affects them equally.
const ROUNDS: usize = 30;
const TRIPS: usize = 300;
const URCS: usize = 250;

pub(crate) fn measure() {
    commands();
    echo();
    news();
}

fn trips(mut trip: impl FnMut()) -> Vec<Duration> {
    let timed = |trip: &mut dyn FnMut()| {
        let begun = Instant::now();
        trip();
        begun.elapsed()
    };
    (0..TRIPS).map(|_| timed(&mut trip)).collect()
}

fn commands() {
    let terminal = Terminal::with(Settings::default(), memory());
    let (mut raws, mut hops, mut drivers) = (Vec::new(), Vec::new(), Vec::new());
    // A separate terminal, because its reader keeps the port.
    let with_reader = Terminal::with(Settings::default(), memory());
    let mut hopping = Raw::open(&with_reader.path).with_reader();
    hopping.ask(b"ATE0\r\n", b"OK\r\n");
    for _ in 0..ROUNDS {
        let mut raw = Raw::open(&terminal.path);
        raw.ask(b"ATE0\r\n", b"OK\r\n");
        raws.extend(trips(|| raw.ask(b"AT\r\n", b"OK\r\n")));
        drop(raw);
        hops.extend(trips(|| hopping.ask(b"AT\r\n", b"OK\r\n")));
        let modem = terminal.modem(Config::default());
        drivers.extend(trips(|| drop(modem.command("AT", SOON).unwrap())));
        modem.close();
    }
    compare("`AT` round trip", &mut drivers, &mut raws, [Goal::AtMost(1.3), Goal::None]);
    compare_hop("`AT` round trip", &mut drivers, &mut hops, &mut raws);
}

fn echo() {
    let data = [b'x'; 64];
    let terminal = Terminal::with(Settings::default(), memory());
    let (mut raws, mut drivers) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut raw = Raw::connect(&terminal.path, "echo.test", 7);
        raws.extend(trips(|| {
            raw.ask(b"AT+CIPSEND=0,64\r\n", b"> ");
            raw.write(&data);
            raw.expect(&data);
        }));
        drop(raw);
        let modem = terminal.modem(Config::default());
        let mut socket = modem.tcp().connect(("echo.test", 7)).unwrap();
        let mut back = [0; 64];
        drivers.extend(trips(|| {
            socket.write_all(&data).unwrap();
            socket.read_exact(&mut back).unwrap();
        }));
        drop(socket);
        modem.close();
    }
    compare("64-byte echo", &mut drivers, &mut raws, [Goal::None, Goal::None]);
    report("64-byte echo, us, p50", percentile(&mut drivers, 50).as_secs_f64() * 1e6, Goal::AtMost(80.0));
}

/// The time from a frame's last byte to the return of the waiting call.
fn news() {
    let (mut raws, mut hops, mut drivers) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (has_reader, spans) in [(false, &mut raws), (true, &mut hops)] {
            let puppet = Puppet::new();
            let raw = Raw::connect(&puppet.path, "discard.test", 9);
            let mut raw = if has_reader { raw.with_reader() } else { raw };
            spans.extend(latencies(&puppet, || raw.expect(PAYLOAD)));
        }
        let puppet = Puppet::new();
        let modem = air724ug::Modem::open(&puppet.path, Config::default()).unwrap();
        modem.wait_ready(SOON).unwrap();
        let socket = modem.tcp().connect(("discard.test", 9)).unwrap();
        assert_eq!(socket.id().index(), 0);
        drivers
            .extend(latencies(&puppet, || assert_eq!(socket.recv(SOON).unwrap().data().unwrap(), PAYLOAD)));
        modem.close();
    }
    compare("URC to the waiting recv", &mut drivers, &mut raws, [Goal::AtMost(1.3), Goal::AtMost(2.0)]);
    compare_hop("URC to the waiting recv", &mut drivers, &mut hops, &mut raws);
}

const FRAME: &[u8] = b"\r\n+RECEIVE,0,16:\r\n0123456789abcdef";
const PAYLOAD: &[u8] = b"0123456789abcdef";

/// The time of each frame from the modem's write to the return of `receive`, which waits when the frame is written.
fn latencies(puppet: &Puppet, mut receive: impl FnMut()) -> Vec<Duration> {
    let origin = Instant::now();
    let nanos = move || u64::try_from(origin.elapsed().as_nanos()).unwrap();
    let written_at = Arc::new(AtomicU64::new(0));
    let (next, nexts): (Sender<()>, _) = bounded(1);
    let notes = written_at.clone();
    puppet.order(move |end| {
        while nexts.recv().is_ok() {
            // The waiting thread has time to fall asleep; the host writes nothing.
            assert!(!end.wait(PollFlags::IN, Duration::from_micros(200)));
            notes.store(nanos(), Ordering::SeqCst);
            end.say(FRAME);
        }
    });
    let spans = (0..URCS).map(|_| {
        next.send(()).unwrap();
        receive();
        Duration::from_nanos(nanos() - written_at.load(Ordering::SeqCst))
    });
    spans.collect()
}

fn compare(what: &str, drivers: &mut [Duration], raws: &mut [Duration], goals: [Goal; 2]) {
    for (percent, goal) in [50, 99].into_iter().zip(goals) {
        let (driver, raw) = (percentile(drivers, percent), percentile(raws, percent));
        note(&format!("{what}, p{percent}"), driver);
        note(&format!("{what}, p{percent}, a program without a driver"), raw);
        report(&format!("{what} / without a driver, p{percent}"), ratio(driver, raw), goal);
    }
}

/// The part of it that is the hop from the reading thread to the waiting one.
fn compare_hop(what: &str, drivers: &mut [Duration], hops: &mut [Duration], raws: &mut [Duration]) {
    let [driver, hop, raw] = [drivers, hops, raws].map(|spans| percentile(spans, 50));
    report(&format!("{what}, a program with a reader thread / without, p50"), ratio(hop, raw), Goal::None);
    report(&format!("{what} / a program with a reader thread, p50"), ratio(driver, hop), Goal::None);
}
