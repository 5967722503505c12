//! The engine and the simulated modem, with other numbers in what they say.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| air724ug_fuzz::numbers::run(bytes));
