//! The use of resources by the process: allocations, threads, wake-ups and memory. Each test measures the whole process, so one runs
//! at a time: each takes [`alone`] first.

#[path = "../support/mod.rs"]
mod support;

mod allocations;
mod long_life;
mod port_ends;
mod port_idle;
mod sim_soak;

use std::sync::{Mutex, MutexGuard, PoisonError};

static ALONE: Mutex<()> = Mutex::new(());

/// Held by the test that runs.
fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
