//! The scripts that the fuzz targets play: the same files as `cargo test --test sim_fuzz`.

#![allow(missing_docs, missing_debug_implementations, reason = "a test")]

#[path = "../../tests/sim_fuzz/capture.rs"]
pub mod capture;
#[path = "../../tests/sim_fuzz/chunks.rs"]
pub mod chunks;
#[path = "../../tests/sim_fuzz/command.rs"]
pub mod command;
#[path = "../../tests/sim_fuzz/decoder.rs"]
pub mod decoder;
#[path = "../../tests/sim_fuzz/engine.rs"]
pub mod engine;
#[path = "../../tests/sim_fuzz/given.rs"]
pub mod given;
#[path = "../../tests/sim_fuzz/luat.rs"]
pub mod luat;
#[path = "../../tests/sim_fuzz/mask.rs"]
pub mod mask;
#[path = "../../tests/sim_fuzz/numbers.rs"]
pub mod numbers;
#[path = "../../tests/sim_fuzz/script.rs"]
pub mod script;
#[path = "../../tests/sim_fuzz/simulator.rs"]
pub mod simulator;
#[path = "../../tests/sim_fuzz/tls.rs"]
pub mod tls;
