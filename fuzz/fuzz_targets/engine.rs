//! Any modem against the engine.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| air724ug_fuzz::engine::run(bytes));
