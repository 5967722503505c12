//! Any bytes through the decoder.
#![no_main]

#[path = "../../tests/sim_fuzz/decoder.rs"]
mod decoder;
#[path = "../../tests/sim_fuzz/script.rs"]
mod script;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decoder::run(bytes));
