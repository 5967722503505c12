//! The processor time and context switches of this process so far, from `/proc/self/task`: all its threads, without the
//! modem's process.

use std::fs;
use std::ops::Sub;
use std::time::Duration;

pub struct Cost {
    pub processor: Duration,
    pub switches: f64,
}

impl Cost {
    pub fn now() -> Self {
        let mut cost = Self { processor: Duration::ZERO, switches: 0.0 };
        for task in fs::read_dir("/proc/self/task").unwrap() {
            let task = task.unwrap().path();
            // A thread that has just ended has no files.
            let (Ok(times), Ok(status)) =
                (fs::read_to_string(task.join("schedstat")), fs::read_to_string(task.join("status")))
            else {
                continue;
            };
            let nanos = times.split(' ').next().unwrap().parse().unwrap();
            cost.processor += Duration::from_nanos(nanos);
            let switches =
                status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
            cost.switches += switches.trim().parse::<f64>().unwrap();
        }
        cost
    }
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            processor: self.processor.saturating_sub(before.processor),
            switches: self.switches - before.switches,
        }
    }
}
