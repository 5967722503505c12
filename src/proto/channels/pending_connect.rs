//! A connection that the module may be making, with or without a waiting request.
//!
//! Firmware of the vendor's dialect answers no other command meanwhile, and makes one connection after another. A
//! connection that waits for another one begins when that one has its result.

use std::time::Duration;

use crate::time::Timestamp;

/// A connection that the module may be making. The request may have been cancelled; the module continues.
#[derive(Clone, Copy, Debug)]
pub(super) struct PendingConnect {
    /// When `AT+CIPSTART` was written.
    pub(super) since: Timestamp,
    /// When the module ends the attempt by itself.
    pub(super) until: Timestamp,
}

/// The longest time after which the module ends an attempt by itself (protocol section 8; capture s04).
const LONGEST: Duration = Duration::from_secs(75);

impl PendingConnect {
    pub(super) fn begun(now: Timestamp) -> Self {
        Self { since: now, until: now + LONGEST }
    }

    /// The module begins the attempt now.
    pub(super) fn begins(&mut self, now: Timestamp) {
        self.until = now + LONGEST;
    }

    pub(super) fn is_on(&self, now: Timestamp) -> bool {
        now < self.until
    }
}
