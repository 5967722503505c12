//! Shortens a failing script (delta debugging). It removes steps as long as the same promise is broken, then pauses
//! between steps, then special settings.

use std::time::Duration;

use super::script::Script;
use super::{Failure, play};

/// The most runs that are used for it.
const BUDGET: usize = 600;

/// A script that breaks the same promise and contains nothing that can be removed.
pub fn shrunk(script: &Script, failure: &Failure) -> Script {
    let mut shrinker = Shrinker { best: script.clone(), check: failure.check, budget: BUDGET };
    shrinker.steps();
    shrinker.pauses();
    shrinker.world();
    shrinker.steps();
    shrinker.best
}

struct Shrinker {
    best: Script,
    check: &'static str,
    budget: usize,
}

impl Shrinker {
    /// Keeps a candidate if it fails in the same way.
    fn tries(&mut self, candidate: Script) -> bool {
        if self.budget == 0 {
            return false;
        }
        self.budget -= 1;
        let fails = play(&candidate, false).failure.is_some_and(|failure| failure.check == self.check);
        if fails {
            self.best = candidate;
        }
        fails
    }

    fn steps(&mut self) {
        let mut size = self.best.steps.len().div_ceil(2);
        while size > 0 {
            let mut from = 0;
            let mut any = false;
            while from < self.best.steps.len() {
                if self.tries(without(&self.best, from, size)) {
                    any = true;
                } else {
                    from += size;
                }
            }
            if !any || size > 1 {
                size /= 2;
            }
        }
    }

    fn pauses(&mut self) {
        for index in 0..self.best.steps.len() {
            let mut candidate = self.best.clone();
            if !std::mem::take(&mut candidate.steps[index].after).is_zero() {
                self.tries(candidate);
            }
        }
    }

    fn world(&mut self) {
        let simpler: [fn(&mut Script); 9] = [
            |script| script.world.baud = None,
            |script| script.world.chunk = 0,
            |script| script.world.pauses = false,
            |script| script.world.keeps_echo = false,
            |script| script.world.latency_ms = 0,
            |script| script.world.network_ms = 0,
            |script| script.world.cold = false,
            |script| script.world.pin = false,
            |script| script.world.profile = 0,
        ];
        for change in simpler {
            let mut candidate = self.best.clone();
            change(&mut candidate);
            self.tries(candidate);
        }
    }
}

/// A script without some steps. The other steps keep their times.
fn without(script: &Script, from: usize, count: usize) -> Script {
    let mut shorter = script.clone();
    let end = script.steps.len().min(from + count);
    let pause: Duration = shorter.steps.drain(from..end).map(|step| step.after).sum();
    if let Some(next) = shorter.steps.get_mut(from) {
        next.after += pause;
    }
    shorter
}
