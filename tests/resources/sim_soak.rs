//! A simulated modem that lives for long does not grow: thousands of hostile scripts on one modem, and the memory of this
//! process after them. `fuzz/src/bin/soak.rs` does the same for hours and counts every byte.

// What fails here fails a test, in helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::time::Duration;

use crate::support::scripts::{script, simulator};

/// Scripts until everything that has a limit has reached it.
const WARM_UP: u64 = 1_300;
/// Scripts in which nothing may grow any more.
const LIFE: u64 = 4_000;
const LENGTH: usize = 400;
/// KiB that the allocator may take beyond: less than a tenth of a KiB for each script.
const SLACK: u64 = 4 * 1024;

/// KiB that this process holds, if the system tells.
pub fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[test]
fn a_modem_that_lives_long_does_not_grow() {
    let _alone = crate::alone();
    let mut held = None;
    let scripts = (0..WARM_UP + LIFE).map(|seed| {
        if seed == WARM_UP {
            held = resident();
        }
        script::seeded(seed, LENGTH)
    });
    let life = simulator::live(scripts);
    assert!(
        life.lasted > Duration::from_secs(3_600) && life.connections > LIFE / 2,
        "{life:?} is no long life"
    );
    let Some((before, after)) = held.zip(resident()) else {
        println!("this system does not tell how much memory a process holds: only the life was played");
        return;
    };
    assert!(after <= before + SLACK, "grew from {before} to {after} KiB in {life:?}");
}
