//! Any session with secrets through the recorder.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| air724ug_fuzz::mask::run(bytes));
