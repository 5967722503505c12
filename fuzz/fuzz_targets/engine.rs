//! Any modem against the engine.
#![no_main]

#[path = "../../tests/sim_fuzz/engine.rs"]
mod engine;
#[path = "../../tests/sim_fuzz/script.rs"]
mod script;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| engine::run(bytes));
