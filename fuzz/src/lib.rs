//! The scripts that the fuzz targets play: the same files as `cargo test --test core sim_fuzz`.

#![allow(missing_docs, missing_debug_implementations, reason = "a test")]

#[path = "../../tests/support/scripts/mod.rs"]
mod scripts;

pub use scripts::{capture, chunks, command, decoder, engine, luat, mask, numbers, script, simulator, tls};
