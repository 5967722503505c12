//! The network: SIM, signal, registration, attach (3GPP 27.007 sections 7, 8 and 10; protocol section 5).

use std::time::Duration;

use super::super::Quotable;
use super::Command;
use super::setup::DEFAULT_TIMEOUT;
use super::shape::Shape;

/// `AT+CPIN` may take long with some cards (protocol section 15: 180 s). A module that is not ready answers at once
/// with an error, so the driver asks again after a part of that time.
const SIM_TIMEOUT: Duration = Duration::from_secs(20);

impl Command {
    /// `AT+CPIN?`: the state of the SIM.
    pub fn sim_state() -> Self {
        Self::new("AT+CPIN?", Shape::Info { keys: &["+CPIN"], accepts: |_| true }, SIM_TIMEOUT)
    }

    /// `AT+CPIN="1234"`: enters the PIN. The card counts wrong PINs: never enter the same one twice.
    pub fn enter_pin(pin: &Quotable) -> Self {
        Self::new(format!("AT+CPIN=\"{pin}\""), Shape::Plain, Duration::from_secs(180))
    }

    /// `AT+CGATT?`: packet attach. 1 also means that the default bearer is active (protocol section 5).
    pub fn attach_state() -> Self {
        Self::new(
            "AT+CGATT?",
            Shape::Info { keys: &["+CGATT"], accepts: |list| list.len() == 1 },
            DEFAULT_TIMEOUT,
        )
    }
}
