//! The speed of the driver: ratios to the limits of the line, the terminal or the memory, measured in the same run.
//!
//! ```sh
//! cargo bench --bench driver              # everything, in one to three minutes
//! cargo bench --bench driver -- decode    # the parts whose names are given
//! cargo bench --bench driver -- instructions --check # fails if one costs more than was recorded
//! cargo bench --bench driver -- --compare # the same work by other programs, in turn (benches/compare)
//! ```
//!
//! The figures are for readers and shown in `docs/performance.md`; the bench fails only if bytes are missing.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failing io call shall end the measurement")]

#[path = "driver/bulk.rs"]
mod bulk;
#[path = "driver/compare.rs"]
mod compare;
#[path = "driver/decode.rs"]
mod decode;
#[path = "driver/instructions.rs"]
mod instructions;
#[path = "driver/latency.rs"]
mod latency;
#[path = "driver/line.rs"]
mod line;
#[path = "driver/many.rs"]
mod many;
#[path = "driver/puppet.rs"]
mod puppet;
#[path = "driver/raw.rs"]
mod raw;
#[path = "driver/report.rs"]
mod report;
#[path = "driver/sockets.rs"]
mod sockets;
#[path = "../tests/support/mod.rs"]
mod support;

/// The most payload of one command or frame.
const CHUNK: usize = 1460;

const PARTS: [(&str, fn()); 7] = [
    ("line", line::measure),
    ("latency", latency::measure),
    ("decode", decode::measure),
    ("instructions", instructions::measure),
    ("bulk", bulk::measure),
    ("sockets", sockets::measure),
    ("many", many::measure),
];

fn main() {
    if many::serves_modems() || instructions::is_done() || compare::is_done() {
        return;
    }
    // Cargo adds an option.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|part| !part.starts_with('-')).collect();
    for (name, measure) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|part| part == name) {
            println!("\n{name}");
            measure();
        }
    }
}
