//! The questions of the session, and the time for their answers.

use std::time::Duration;

use crate::at::Command;
use crate::proto::outbox::Outbox;
use crate::time::Timestamp;

use super::barrier::Barrier;
use super::{Session, State};

impl Session {
    /// How much longer than usual the module needs for an answer.
    pub(in crate::proto) fn slowness(&self) -> Duration {
        self.pace.slowness()
    }

    pub(super) fn barrier_nothing(&mut self, now: Timestamp, out: &mut Outbox) {
        self.barrier_after(now, 0, out);
    }

    /// A barrier after this number of attempts of a search that may still be answered.
    pub(super) fn barrier_after(&mut self, now: Timestamp, attempts: u32, out: &mut Outbox) {
        out.count().resynchronisations += 1;
        let probe = self.next_probe(&[]);
        self.barrier(Barrier::after_nothing(now, probe).after_attempts(attempts), out);
    }

    pub(super) fn barrier(&mut self, barrier: Barrier, out: &mut Outbox) {
        out.command(barrier.probe());
        self.stray_prompt.settle();
        self.state = State::AtBarrier(barrier.at_pace(self.pace));
    }

    pub(super) fn next_probe(&mut self, others: &[&Command]) -> Command {
        self.probes.next(self.late_answers.timed_out(), others)
    }
}
