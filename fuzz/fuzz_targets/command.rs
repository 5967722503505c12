//! Any text for the escape hatch.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| air724ug_fuzz::command::run(bytes));
