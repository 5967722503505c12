//! A connection that the module may be making, whether anything waits for it or not.
//!
//! Firmware of the vendor's dialect answers nothing else meanwhile, and makes one behind the other: a connection that has
//! waited for another begins when that is settled.

use std::time::Duration;

use crate::time::Timestamp;

/// A connection that the module may be making. The caller may have given up, which changes nothing for the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct PendingConnect {
    /// When `AT+CIPSTART` was written.
    pub(super) since: Timestamp,
    /// When the module will have given up itself.
    pub(super) until: Timestamp,
}

/// When the module gives up itself, at the latest (protocol section 8; capture s04).
const LONGEST: Duration = Duration::from_secs(75);

impl PendingConnect {
    pub(super) fn begun(now: Timestamp) -> Self {
        Self { since: now, until: now + LONGEST }
    }

    /// The module begins it now.
    pub(super) fn begins(&mut self, now: Timestamp) {
        self.until = now + LONGEST;
    }

    pub(super) fn is_on(&self, now: Timestamp) -> bool {
        now < self.until
    }
}
