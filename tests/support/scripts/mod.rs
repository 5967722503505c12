//! Hostile bytes played as scripts: by `tests/core/sim_fuzz.rs` with seeds, by `fuzz/` with libFuzzer.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test may")]

pub mod capture;
pub mod chunks;
pub mod command;
pub mod decoder;
pub mod engine;
pub mod luat;
pub mod mask;
pub mod numbers;
pub mod script;
pub mod script_input;
pub mod simulator;
pub mod tls;
