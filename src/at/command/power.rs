//! Radio and restart (protocol sections 1 and 5).

use std::time::Duration;

use super::Command;
use super::setup::DEFAULT_TIMEOUT;
use super::shape::Shape;

/// `AT+CFUN` takes up to 45 s (section 15).
const RADIO_TIMEOUT: Duration = Duration::from_secs(45);

impl Command {
    /// `AT+CFUN=0` or `=1`: radio off or on. The official flow uses 0, not 4, between attempts (section 5).
    pub fn radio(on: bool) -> Self {
        Self::new(if on { "AT+CFUN=1" } else { "AT+CFUN=0" }, Shape::Plain, RADIO_TIMEOUT)
    }

    /// `AT+CFUN?`: 1 if the radio is on; 0, or 4 in flight mode, if it is off.
    pub fn radio_state() -> Self {
        Self::new(
            "AT+CFUN?",
            Shape::Info {
                keys: &["+CFUN"],
                accepts: |list| list.first().is_some_and(|one| one.number().is_some()),
            },
            DEFAULT_TIMEOUT,
        )
    }

    /// `AT+RESET`: `OK`, then the module restarts.
    pub fn reset() -> Self {
        Self::new("AT+RESET", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CFUN=1,1`: restarts the module with the standard's command, for firmware without `AT+RESET`.
    pub fn restart() -> Self {
        Self::new("AT+CFUN=1,1", Shape::Plain, RADIO_TIMEOUT)
    }
}
