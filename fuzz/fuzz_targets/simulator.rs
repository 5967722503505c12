//! Any host, any network and any change of the world against the simulated modem.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| air724ug_fuzz::simulator::run(bytes));
