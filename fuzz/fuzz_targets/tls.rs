//! Any file as a certificate or a key.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| air724ug_fuzz::tls::run(bytes));
