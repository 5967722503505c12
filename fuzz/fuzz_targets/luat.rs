//! Any trace of LuatOS firmware.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| air724ug_fuzz::luat::run(bytes));
