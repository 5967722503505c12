//! Any file through the capture reader.
#![no_main]

#[path = "../../tests/sim_fuzz/capture.rs"]
mod capture;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| capture::run(bytes));
