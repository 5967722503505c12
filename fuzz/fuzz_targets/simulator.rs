//! Any host, any network and any hand on the world against the simulated modem.
#![no_main]

#[path = "../../tests/sim_fuzz/simulator.rs"]
mod simulator;
#[path = "../../tests/sim_fuzz/script.rs"]
mod script;
#[path = "../../tests/sim_fuzz/given.rs"]
mod given;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| simulator::run(bytes));
