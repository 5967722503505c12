//! Any file through the capture reader.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| air724ug_fuzz::capture::run(bytes));
