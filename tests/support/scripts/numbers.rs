//! Numbers at their limits: numbers in the bytes between the engine and the simulated modem are replaced.

use super::engine::{self, Stage};
use super::script::Script;

/// The replacements of a number: the limits of every width that a parser may use, one more, and texts that are no
/// numbers.
const LIMITS: &[&str] = &[
    "0",
    "1",
    "-1",
    "00",
    "7",
    "8",
    "9",
    "127",
    "128",
    "255",
    "256",
    "1459",
    "1460",
    "1461",
    "32768",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "-2147483648",
    "-9223372036854775809",
    "+5",
    "1.5",
    "0x10",
    "",
];

/// The most unchanged numbers between two replaced ones: about the number in bring-up and a connection.
const MOST_KEPT: u8 = 96;

/// The numbers that are replaced, and their replacements.
#[derive(Debug, Default)]
pub struct Numbers {
    /// Pairs of a count of unchanged numbers and the replacement of the next one; the next pair is last.
    choices: Vec<(u8, &'static str)>,
}

impl Numbers {
    /// Two bytes for each replaced number: the count of unchanged ones before it, and its replacement. After the last
    /// one all numbers are unchanged.
    pub fn new(choices: &[u8]) -> Self {
        let choice = |pair: &[u8]| (pair[0] % MOST_KEPT, LIMITS[usize::from(pair[1]) % LIMITS.len()]);
        Self { choices: choices.chunks_exact(2).rev().map(choice).collect() }
    }

    /// The text with some of its numbers replaced.
    pub fn replaced(&mut self, text: &[u8]) -> Vec<u8> {
        let mut result = Vec::with_capacity(text.len());
        for part in text.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()) {
            let limit = if part[0].is_ascii_digit() { self.limit() } else { None };
            result.extend_from_slice(limit.map_or(part, str::as_bytes));
        }
        result
    }

    fn limit(&mut self) -> Option<&'static str> {
        let (kept, limit) = self.choices.last_mut()?;
        let limit = *limit;
        if let Some(fewer) = kept.checked_sub(1) {
            *kept = fewer;
            return None;
        }
        self.choices.pop();
        Some(limit)
    }
}

/// Each number of a session, one at a time, is replaced by each limit: in bring-up, a connection, a send and its echo,
/// in both receive modes and both directions.
#[allow(dead_code, reason = "not for libFuzzer, which chooses itself")]
pub fn each_at_each_limit() {
    // Online; 20 bytes are sent on the first socket, and an honest modem answers.
    const SESSION: &[u8] = b"\x06\x27\x10\x00\x02\x01\x07\x04\x27\x10\x07\x08\xff\x07";
    for kept in 0..MOST_KEPT {
        for which in 0..LIMITS.len() as u8 {
            for flags in [4, 5, 6, 7] {
                run(&[&[2, kept, which, 0, flags], SESSION].concat());
                run(&[&[0, 2, kept, which, flags], SESSION].concat());
            }
        }
    }
}

/// Plays a script of the engine after its first bytes, which are the choices.
pub fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let choices = [script.bytes(), script.bytes()];
    let mut stage = Stage::of(&mut script);
    stage.in_answers = Numbers::new(choices[0]);
    stage.in_commands = Numbers::new(choices[1]);
    drop(engine::play(stage, &mut script));
}
