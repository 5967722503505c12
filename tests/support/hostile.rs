//! Helpers of the tests named `hostile*`: random numbers from a seed, their effect on bytes, and a loop over seeds.
#![allow(clippy::expect_used, reason = "a test may")]
#![allow(dead_code, unreachable_pub, reason = "each test program uses its own part")]

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

pub use super::random::Random;

/// The damage of the line.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Line {
    /// Every byte arrives, but unsolicited lines come between any two frames.
    Sound,
    /// Complete answers of the module are lost, doubled or late. Pushed data are not, because their loss could not be
    /// detected.
    LosesAnswers,
    /// Bytes are dropped, doubled and changed, in both directions.
    Corrupts,
}

/// Unsolicited lines, and lines that answer nothing.
const NEWS: [&str; 16] = [
    "+CREG: 5",
    "+CREG: 0,1",
    "*CGEV: DEACT,2",
    "+NITZ: 24/07/23,08:35:01+32,0",
    "+CIPRXGET: 1,0",
    "+CIPRXGET: 1,7",
    "3, CLOSED",
    "0, CONNECT FAIL",
    "2, CONNECT OK",
    "1, ALREADY CONNECT",
    "DATA ACCEPT:1,10",
    "0, SEND FAIL",
    "+CSQ: 3,0",
    "garbage, quite long, of no meaning",
    "> ",
    "STATE: IP STATUS",
];

/// A line that ends no connection or command.
pub fn harmless_news(random: &mut Random) -> Vec<u8> {
    let line = random.pick(&[
        "+CREG: 5",
        "+NITZ: 24/07/23,08:35:01+32,0",
        "+UNKNOWN: 1",
        "*CGEV: DEACT,2",
        "^MODE: 17,17",
    ]);
    format!("\r\n{line}\r\n").into_bytes()
}

/// The same with bytes dropped, doubled, changed or inserted.
pub fn corrupted(random: &mut Random, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..1 + random.below(3) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len() as u64) as usize;
        match random.below(5) {
            0 => drop(bytes.remove(at)),
            1 => bytes[at] = random.next() as u8,
            2 => bytes.insert(at, random.next() as u8),
            3 => bytes.truncate(at),
            _ => {
                let news = format!("\r\n{}\r\n", random.pick(&NEWS));
                bytes.splice(at..at, news.into_bytes());
            }
        }
    }
    bytes
}

/// Runs the schedule of each seed: `AIR724UG_SEED` only, or the first `AIR724UG_SCHEDULES`, `otherwise` if neither is
/// set. A failure prints its seed.
pub fn for_each_seed(kind: impl Debug, otherwise: u64, run: impl Fn(u64)) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let seeds = match number("AIR724UG_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("AIR724UG_SCHEDULES").unwrap_or(otherwise),
    };
    for seed in seeds {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(seed))) {
            eprintln!("{kind:?}: run it alone with AIR724UG_SEED={seed}");
            resume_unwind(panic);
        }
    }
}
