//! Any bytes through the decoder.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| air724ug_fuzz::decoder::run(bytes));
