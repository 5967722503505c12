use crate::time::Timestamp;

/// The state of the thread that serves deadlines and writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TimerState {
    /// It runs or was woken, and will check the core before it waits.
    Up,
    /// It waits.
    Waiting {
        /// The end of the wait; `None`: no limit.
        until: Option<Timestamp>,
        /// Whether it also waits until the port accepts bytes.
        writes: bool,
    },
}

impl TimerState {
    /// True if it sleeps past this deadline.
    pub(super) fn oversleeps(self, deadline: Option<Timestamp>) -> bool {
        match self {
            Self::Up => false,
            Self::Waiting { until, .. } => {
                deadline.is_some_and(|deadline| until.is_none_or(|until| deadline < until))
            }
        }
    }

    /// Its wait ends at this deadline.
    pub(super) fn ends_at(&mut self, deadline: Timestamp) {
        match self {
            Self::Up => {}
            Self::Waiting { until, .. } => *until = Some(deadline),
        }
    }

    /// True if it does not wait until the port accepts bytes.
    pub(super) fn ignores_writes(self) -> bool {
        match self {
            Self::Up => false,
            Self::Waiting { writes, .. } => !writes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_waits_for_ever_oversleeps_every_deadline_and_one_that_is_up_none() {
        let [soon, late] = [Timestamp::from_secs(1), Timestamp::from_secs(2)];
        let waiting = |until| TimerState::Waiting { until, writes: false };
        assert!(waiting(None).oversleeps(Some(late)));
        assert!(waiting(Some(late)).oversleeps(Some(soon)));
        assert!(!waiting(Some(soon)).oversleeps(Some(late)));
        assert!(!waiting(None).oversleeps(None));
        assert!(!TimerState::Up.oversleeps(Some(soon)));
    }
}
