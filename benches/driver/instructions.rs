//! The processor's instructions for a received byte, a sent byte and a command: of the engine only, without a port or
//! threads, counted by valgrind's callgrind in a separate process.
//!
//! The number is the same on a busy machine. `--check` fails if one exceeds its recorded value by a quarter. What is
//! compiled as tests are (`--profile test`) has recorded values of its own.

use std::hint::black_box;
use std::process::Command;

use air724ug::proto::{Input, Output, Request, SocketId, Ticket};
use air724ug::query::Signal;

use crate::CHUNK;
use crate::report::{Goal, report};
use crate::support::pair::Pair;

/// For the counted process: the work and the number of its repetitions, separated by a blank.
const WORK: &str = "AIR724UG_BENCH_WORK";
/// The number of repetitions. The difference to half of them is free of constant parts.
const TIMES: usize = 400;
/// The margin for differences between compilers; a regression exceeds it.
const MARGIN: f64 = 1.25;

struct Work {
    name: &'static str,
    run: fn(&mut Line),
    /// The number of bytes or commands.
    units: usize,
    /// The instructions for one, with Rust 1.95: optimised as a release is, and as tests are.
    recorded: [f64; 2],
}

const WORKS: [Work; 5] = [
    Work {
        name: "byte received, pushed, frames of 1460",
        run: |line| line.receive(CHUNK),
        units: CHUNK,
        recorded: [3.5, 4.9],
    },
    Work {
        name: "byte received, pushed, frames of 16",
        run: |line| line.receive(16),
        units: 16,
        recorded: [288.0, 413.0],
    },
    Work {
        name: "byte sent, pieces of 1460",
        run: |line| line.send(CHUNK),
        units: CHUNK,
        recorded: [24.1, 36.7],
    },
    Work {
        name: "byte sent, pieces of 16",
        run: |line| line.send(16),
        units: 16,
        recorded: [1470.0, 2530.0],
    },
    Work { name: "typed query", run: Line::ask, units: 1, recorded: [21_500.0, 41_100.0] },
];

/// An engine with one open socket, and the next bytes of the modem.
struct Line {
    pair: Pair,
    socket: SocketId,
    ticket: u64,
    /// Frames of pushed data.
    frame: Vec<u8>,
}

impl Line {
    fn open() -> Self {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        Self { pair, socket, ticket: 1 << 32, frame: Vec::new() }
    }

    fn receive(&mut self, len: usize) {
        if self.frame.is_empty() {
            let header = format!("\r\n+RECEIVE,{},{len}:\r\n", self.socket.channel());
            self.frame = [header.as_bytes(), &vec![b'x'; len]].concat();
        }
        let Pair { engine, now, .. } = &mut self.pair;
        engine.handle(*now, Input::Received(&self.frame));
        while let Some(output) = engine.poll() {
            black_box(output);
        }
        let mut buffer = [0; CHUNK];
        while engine.read(*now, self.socket, &mut buffer).unwrap().is_some() {
            black_box(&buffer);
        }
    }

    fn send(&mut self, len: usize) {
        let data = vec![b'x'; len];
        let result = format!("\r\nDATA ACCEPT:{},{len}\r\n", self.socket.channel());
        let timeout = std::time::Duration::from_secs(60);
        self.call(Request::Send { socket: self.socket, data, timeout }, &[b"\r\n> ", result.as_bytes()]);
    }

    fn ask(&mut self) {
        self.call(Request::query(&Signal), &[b"\r\n+CSQ: 20,0\r\n\r\nOK\r\n"]);
    }

    /// Makes a request, and passes the next of `words` to the engine whenever the port has accepted a write.
    fn call(&mut self, request: Request, words: &[&[u8]]) {
        let mut words = words.iter();
        self.ticket += 1;
        let ticket = Ticket(self.ticket);
        let Pair { engine, now, .. } = &mut self.pair;
        engine.handle(*now, Input::Asked(ticket, request));
        loop {
            let mut has_written = false;
            while let Some(output) = engine.poll() {
                match output {
                    Output::Write(bytes) => {
                        has_written = true;
                        engine.reuse(bytes);
                    }
                    Output::Answered(of, answer) if of == ticket => {
                        black_box(answer.unwrap());
                        return;
                    }
                    other => drop(black_box(other)),
                }
            }
            assert!(has_written, "no answer");
            engine.handle(*now, Input::Written);
            if let Some(words) = words.next() {
                engine.handle(*now, Input::Received(words));
            }
        }
    }
}

/// Does the work if this is the counted process.
pub(crate) fn is_done() -> bool {
    let Ok(wanted) = std::env::var(WORK) else { return false };
    let (work, times) = wanted.split_once(' ').unwrap();
    let work = &WORKS[work.parse::<usize>().unwrap()];
    let mut line = Line::open();
    for _ in 0..times.parse().unwrap() {
        (work.run)(&mut line);
    }
    true
}

pub(crate) fn measure() {
    let is_checked = std::env::args().any(|argument| argument == "--check");
    let mut is_more = false;
    for (index, work) in WORKS.iter().enumerate() {
        let (Some(few), Some(many)) = (count(index, TIMES / 2), count(index, TIMES)) else {
            println!("  not counted: valgrind is missing");
            assert!(!is_checked, "valgrind is missing");
            return;
        };
        let each: f64 = (many - few) / (TIMES - TIMES / 2) as f64 / work.units as f64;
        let most = work.recorded[usize::from(cfg!(debug_assertions))] * MARGIN;
        is_more |= each > most;
        report(&format!("instructions of a {}", work.name), each, Goal::AtMost(most));
    }
    if is_checked && is_more {
        std::process::exit(1);
    }
}

/// The instructions of a process that repeats this work `times` times.
fn count(work: usize, times: usize) -> Option<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .env(WORK, format!("{work} {times}"))
        .output()
        .ok()?;
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    let line = words.lines().find_map(|line| line.split_once("Collected : ")).expect("valgrind says it");
    Some(line.1.trim().parse().expect("a number"))
}
