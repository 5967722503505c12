//! A simulated modem that runs thousands of hostile scripts, and the memory of this process afterwards.
//! `fuzz/src/bin/soak.rs` does the same for hours and counts every byte.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::time::Duration;

use crate::support::scripts::{script, simulator};

/// The number of scripts until everything with a limit has reached it.
const WARM_UP: u64 = 1_300;
/// The number of scripts in which the memory may not grow.
const LIFE: u64 = 4_000;
const LENGTH: usize = 400;
/// The KiB that the allocator may take in addition, about one for each script.
const SLACK: u64 = 4 * 1024;

/// The memory of this process in KiB, if the system reports it.
pub fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[test]
fn a_long_running_modem_does_not_grow() {
    let _alone = crate::alone();
    let mut held = None;
    let scripts = (0..WARM_UP + LIFE).map(|seed| {
        if seed == WARM_UP {
            held = resident();
        }
        script::seeded(seed, LENGTH)
    });
    let life = simulator::live(scripts);
    assert!(life.lasted > Duration::from_secs(3_600) && life.connections > LIFE / 2, "{life:?} is too short");
    let Some((before, after)) = held.zip(resident()) else {
        println!(
            "NOT TESTED: this system does not report the memory of a process; only the scripts were run"
        );
        return;
    };
    assert!(after <= before + SLACK, "grew from {before} to {after} KiB in {life:?}");
}
