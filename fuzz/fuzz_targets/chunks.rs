//! The engine line by line and byte by byte.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| air724ug_fuzz::chunks::run(bytes));
