//! The end of a barrier, and the command that it held back.

use crate::at::Refusal;
use crate::time::Timestamp;

use super::exchange::{Failure, Finished};
use super::late_answers::FinalCount;
use super::{Session, State, Step};

impl Session {
    /// The question of the barrier was answered. `extra` counts the final result codes beyond that of the command held
    /// back, `extra_oks` those of them that are an `OK` without an answer before it.
    pub(super) fn barrier_passed(
        &mut self,
        now: Timestamp,
        held: Option<Finished>,
        [extra, extra_oks]: [u8; 2],
        mixed: bool,
    ) -> Step {
        let State::AtBarrier(barrier) = &mut self.state else { return Step::Consumed };
        self.pace.took(barrier.took());
        // Each question but the last one may have been answered late.
        let earlier = u8::try_from(barrier.others().len()).unwrap_or(u8::MAX).saturating_sub(1);
        let refused = barrier.take_refused();
        self.probes.passed(barrier.probe(), refused);
        self.state = State::Idle;
        self.unproved = None;
        let Some(mut finished) = held else { return Step::Synchronised };
        let finals = if extra == 0 { FinalCount::One } else { FinalCount::More };
        let mixed = mixed || self.is_mixed(now, &finished, finals) || self.may_still_bring(now, &finished);
        if mixed && matches!(finished.result, Ok(_) | Err(Failure::Refused(_))) {
            finished.result = Err(Failure::Refused(Refusal::Ambiguous));
        }
        let was_late = self.late_answers.is_on(now);
        self.late_answers.finals_received(extra.into());
        finished.extra_finals = extra.saturating_sub(earlier);
        finished.extra_oks = extra_oks.saturating_sub(earlier);
        self.has_odd_ok |= finished.extra_oks > 0 && !was_late;
        Step::Finished(finished)
    }
}
