//! The cost of many modems in one process: threads, memory, processor time, also without traffic.
//!
//! The modems are simulated in another process, so that only the driver is measured.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use air724ug::sim::Settings;
use air724ug::{Config, Modem, Socket};

use crate::raw::Raw;
use crate::report::{Goal, report};
use crate::support::driver::{SOON, Terminal, all_asleep, memory, naps, processor_time, threads};

const COUNT: &str = "AIR724UG_BENCH_MODEMS";
const MOST: usize = 64;
const COMMANDS: usize = 6_400;
/// The number of measurements: the cheapest counts, because the others were disturbed.
const TIMES: usize = 3;
const QUIET: Duration = Duration::from_secs(2);

/// In the other process: serves the number of modems in the variable [`COUNT`] until its input ends.
pub(crate) fn serves_modems() -> bool {
    let Ok(count) = std::env::var(COUNT) else { return false };
    let terminals: Vec<_> =
        (0..count.parse().unwrap()).map(|_| Terminal::with(Settings::default(), memory())).collect();
    terminals.iter().for_each(|terminal| println!("{}", terminal.path));
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    true
}

struct Simulators {
    child: Child,
    paths: Vec<String>,
}

impl Simulators {
    fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(COUNT, MOST.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let paths = output.lines().take(MOST).map(Result::unwrap).collect();
        Self { child, paths }
    }
}

impl Drop for Simulators {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

pub(crate) fn measure() {
    let simulators = Simulators::start();
    let without = Simulators::start();
    let mut raws: Vec<_> = without.paths.iter().map(|path| Raw::open(path).with_reader()).collect();
    raws.iter_mut().for_each(|raw| raw.ask(b"ATE0\r\n", b"OK\r\n"));
    let mut raw_alone = None;
    // The first modem allocates the shared parts.
    drop(open(&simulators.paths[..1]));
    let mut alone = None;
    for count in [1, 8, MOST] {
        driver_ended();
        let before = resident();
        let modems = open(&simulators.paths[..count]);
        report(&format!("{count} modems: threads"), threads("air724ug") as f64, Goal::AtMost(count as f64));
        let each = resident().saturating_sub(before) as f64 / count as f64 / 1024.0;
        // For a single modem, the pages that the allocator takes at once are no measure.
        let goal = if count == 1 { Goal::None } else { Goal::AtMost(256.0) };
        report(&format!("{count} modems with 8 sockets each: memory of each, KiB"), each, goal);
        let cost = cost(count, |index| drop(modems[index].0.command("AT", SOON).unwrap()));
        report(&format!("{count} modems: processor time of a command, us"), cost, Goal::None);
        let alone = *alone.get_or_insert(cost);
        report(&format!("{count} modems: cost of a command / one modem"), cost / alone, Goal::AtMost(1.2));
        let cost = raw_cost(&mut raws[..count]);
        let alone = *raw_alone.get_or_insert(cost);
        report(
            &format!("{count} modems: the same with reader threads and no driver"),
            cost / alone,
            Goal::None,
        );
        if count == MOST {
            idle(&modems[0].0);
        }
    }
}

fn driver_ended() {
    crate::support::driver::eventually("every thread has ended", || threads("air724ug") == 0);
}

type Open = (Modem, Vec<Socket>);

fn open(paths: &[String]) -> Vec<Open> {
    let modems = paths.iter().map(|path| Modem::open(path, Config::default()).unwrap());
    let modems: Vec<_> = modems.collect();
    modems.into_iter().map(with_sockets).collect()
}

fn with_sockets(modem: Modem) -> Open {
    modem.wait_ready(SOON).unwrap();
    let sockets: Vec<_> = (0..8).map(|_| modem.tcp().connect(("echo.test", 7)).unwrap()).collect();
    for mut socket in &sockets {
        let mut back = [0; 1460];
        socket.write_all(&back).unwrap();
        socket.read_exact(&mut back).unwrap();
    }
    (modem, sockets)
}

/// The cost of a command for this process, in microseconds, with the modems in turn.
fn cost(modems: usize, mut ask: impl FnMut(usize)) -> f64 {
    let each = COMMANDS / modems;
    let mut once = || {
        // The empty name matches every thread.
        let before = processor_time("");
        (0..each).for_each(|_| (0..modems).for_each(&mut ask));
        (processor_time("") - before).as_secs_f64() * 1e6 / (each * modems) as f64
    };
    (0..TIMES).map(|_| once()).fold(f64::MAX, f64::min)
}

fn raw_cost(raws: &mut [Raw]) -> f64 {
    cost(raws.len(), |index| raws[index].ask(b"AT\r\n", b"OK\r\n"))
}

fn idle(modem: &Modem) {
    all_asleep("air724ug", MOST);
    let events = modem.events();
    let (slept, ran, begun) = (naps("air724ug"), processor_time("air724ug"), Instant::now());
    assert!(events.recv_timeout(QUIET).is_err(), "something happened");
    let seconds = begun.elapsed().as_secs_f64();
    let wakes = (naps("air724ug") - slept) as f64 / seconds;
    report(&format!("{MOST} idle modems: wake-ups a second"), wakes, Goal::AtMost(0.0));
    let ran = (processor_time("air724ug") - ran).as_secs_f64() / seconds;
    report(&format!("{MOST} idle modems: share of a processor"), ran, Goal::AtMost(0.0));
}

/// Exact, unlike `statm` (`proc_pid_statm(5)`).
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}
