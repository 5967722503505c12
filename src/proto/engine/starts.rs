//! The signs of a start of the module, and the pace of the searches that follow them.

use std::time::Duration;

use crate::proto::session::Wake;
use crate::time::Timestamp;

/// Signs of a start within this span belong to one start. A start takes at least 1.5 s from the reset to `RDY`
/// (protocol section 3).
const ONE_START: Duration = Duration::from_millis(1_500);
/// How many signs of one start may come after the module has answered, as in capture a19. After more of them the driver
/// pauses, so that a module that restarts again and again is not asked without a pause.
const MOST_SIGNS: u32 = 2;
/// The number of further signs that double that pause.
const MOST_DOUBLINGS: u32 = 2;

/// The signs of a start that have come, and the pace of the searches for the module that follow them.
#[derive(Debug, Default)]
pub(super) struct Starts {
    /// When the last sign came.
    last_at: Option<Timestamp>,
    /// The number of signs in a row that came after the module had answered.
    in_row: u32,
    /// The earliest moment of the search after the last of these.
    search_at: Timestamp,
}

impl Starts {
    /// A sign came. Returns true if it is of another start than the last one. A module may report one start twice
    /// (capture a19: 740 ms apart).
    pub(super) fn sign(&mut self, now: Timestamp) -> bool {
        self.last_at.replace(now).is_none_or(|at| now >= at + ONE_START)
    }

    /// The module had answered before the sign: it is searched for again.
    pub(super) fn counts(&mut self, now: Timestamp, is_news: bool) {
        // A pause must not make the next sign one of another row.
        let is_in_row = !is_news || now < self.search_at + ONE_START;
        self.in_row = if is_in_row { self.in_row.saturating_add(1) } else { 1 };
        let pause = match self.in_row.checked_sub(MOST_SIGNS.saturating_add(1)) {
            Some(further) => ONE_START.saturating_mul(1 << further.min(MOST_DOUBLINGS)),
            None => Duration::ZERO,
        };
        self.search_at = now + pause;
    }

    /// The search for the module, which is still to come.
    pub(super) fn wake(&self, now: Timestamp) -> Wake {
        Wake::after_boot(now).not_before(self.search_at)
    }
}
