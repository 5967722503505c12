//! The resources that the process uses: allocations, threads, wake-ups and memory. Each test measures the whole
//! process, so the tests run one at a time: each takes [`alone`] first.

#[path = "../support/mod.rs"]
mod support;

mod allocations;
mod long_life;
mod port_ends;
mod port_idle;
mod sim_soak;

use std::sync::{Mutex, MutexGuard, PoisonError};

static ALONE: Mutex<()> = Mutex::new(());

/// The guard of the running test.
fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
