//! The work of each program, and the measurement of one run.

use std::time::{Duration, Instant};

use air724ug::Config;

use crate::atat_program::Atat;
use crate::cost::Cost;
use crate::driver::Driver;
use crate::foreign_modem::{CHUNK, ForeignModem};
use crate::raw::Raw;
use crate::table::Table;

/// The hosts of channels 0, 1 and 2.
pub const HOSTS: [&str; 3] = ["echo.test", "discard.test", "source.test"];

pub const DRIVER: &str = "air724ug";
pub const ATAT: &str = "atat";
pub const THREADS: &str = "two threads";
pub const LOOP: &str = "raw loop";
pub const CONTENDERS: [&str; 4] = [DRIVER, ATAT, THREADS, LOOP];

pub trait Contender {
    fn at(&mut self);
    /// Sends on channel 0 and reads it back.
    fn echo(&mut self, bytes: &[u8]);
    /// Sends on channel 1 until the module has accepted all of it.
    fn send(&mut self, bytes: &[u8]);
    /// Requests full frames on channel 2, and reads them.
    fn receive(&mut self, frames: usize);
}

fn open(contender: &str, path: &str) -> Box<dyn Contender> {
    match contender {
        DRIVER => Box::new(Driver::open(path, Config::default())),
        ATAT => Box::new(Atat::open(path)),
        _ => Box::new(Raw::open(path, contender == THREADS)),
    }
}

/// Opens a program that writes payload with its command, on a module that prints no prompt.
fn open_without_prompt(contender: &str, path: &str) -> Box<dyn Contender> {
    match contender {
        DRIVER => Box::new(Driver::open(path, Config::default().send_prompt(false))),
        _ => Box::new(Raw::open(path, false).without_prompt()),
    }
}

/// The amount of work.
pub struct Extent {
    pub rounds: usize,
    trips: usize,
    /// Chunks without a rate, at 921600, at 3 Mbaud.
    chunks: [usize; 3],
    pub writes: usize,
    /// The number of modems in one process.
    pub modems: usize,
}

impl Extent {
    pub fn full() -> Self {
        Self { rounds: 5, trips: 1000, chunks: [4000, 100, 200], writes: 10_000, modems: 64 }
    }

    pub fn quick() -> Self {
        Self { rounds: 1, trips: 20, chunks: [40, 20, 20], writes: 200, modems: 2 }
    }
}

pub const RATES: [(u32, &str); 3] = [(0, "no line rate"), (921_600, "921600"), (3_000_000, "3 Mbaud")];

/// One round: every work by every program, each on a new modem and terminal.
pub fn round(extent: &Extent, first: usize, table: &mut Table) {
    for turn in 0..CONTENDERS.len() {
        let contender = CONTENDERS[(first + turn) % CONTENDERS.len()];
        trips(contender, extent.trips, table);
    }
    for ((baud, rate), chunks) in RATES.into_iter().zip(extent.chunks) {
        for turn in 0..CONTENDERS.len() {
            let contender = CONTENDERS[(first + turn) % CONTENDERS.len()];
            transfers(contender, (baud, rate), chunks, table);
        }
        for contender in [DRIVER, LOOP].into_iter().filter(|_| baud > 0) {
            unprompted(contender, (baud, rate), chunks, table);
        }
    }
}

fn trips(contender: &str, count: usize, table: &mut Table) {
    let modem = ForeignModem::start(0);
    let mut program = open(contender, &modem.path);
    (0..count / 10).for_each(|_| program.at());
    let before = Cost::now();
    let mut spans = timed(count, || program.at());
    let cost = Cost::now() - before;
    table.add("`AT`, p50", "us", contender, percentile(&mut spans, 50));
    table.add("`AT`, p99", "us", contender, percentile(&mut spans, 99));
    table.add("`AT`, voluntary context switches", "", contender, cost.switches / count as f64);
    table.add("`AT`, processor time", "us", contender, cost.processor.as_secs_f64() * 1e6 / count as f64);
    let data = [b'e'; 64];
    let mut spans = timed(count, || program.echo(&data));
    table.add("64-byte echo, p50", "us", contender, percentile(&mut spans, 50));
}

fn transfers(contender: &str, (baud, rate): (u32, &str), chunks: usize, table: &mut Table) {
    let modem = ForeignModem::start(baud);
    let mut program = open(contender, &modem.path);
    let bytes = vec![b'x'; chunks * CHUNK];
    // The modem writes 20 frames at once.
    let mut measure = |what: &str, work: &mut dyn FnMut()| {
        let (before, begun) = (Cost::now(), Instant::now());
        work();
        let (span, cost) = (begun.elapsed(), Cost::now() - before);
        let rate_of = bytes.len() as f64 / span.as_secs_f64();
        if baud == 0 {
            table.add(&format!("{what}, {rate}"), "MB/s", contender, rate_of / 1e6);
            let per_kib = cost.processor.as_secs_f64() * 1e6 / (bytes.len() as f64 / 1024.0);
            table.add(&format!("{what}, processor time of 1 KiB"), "us", contender, per_kib);
        } else {
            table.add(
                &format!("{what}, {rate}, share of the line"),
                "",
                contender,
                rate_of / f64::from(baud / 10),
            );
        }
    };
    measure("sending", &mut || program.send(&bytes));
    measure("receiving", &mut || program.receive(chunks));
}

fn unprompted(contender: &str, (baud, rate): (u32, &str), chunks: usize, table: &mut Table) {
    let modem = ForeignModem::start(baud);
    let mut program = open_without_prompt(contender, &modem.path);
    let bytes = vec![b'x'; chunks * CHUNK];
    program.send(&bytes[..CHUNK]);
    let begun = Instant::now();
    program.send(&bytes);
    let share = bytes.len() as f64 / begun.elapsed().as_secs_f64() / f64::from(baud / 10);
    table.add(&format!("sending without a prompt, {rate}, share of the line"), "", contender, share);
}

fn timed(count: usize, mut work: impl FnMut()) -> Vec<Duration> {
    let mut once = || {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    (0..count).map(|_| once()).collect()
}

/// The value in microseconds.
fn percentile(spans: &mut [Duration], percent: usize) -> f64 {
    spans.sort_unstable();
    spans[(spans.len() - 1) * percent / 100].as_secs_f64() * 1e6
}
