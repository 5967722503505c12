//! The network: SIM, signal, registration, attach (3GPP 27.007 sections 7, 8 and 10; protocol section 5).

use std::time::Duration;

use super::super::reply::Form;
use super::super::{Domain, Quotable};
use super::Command;
use super::setup::DEFAULT_TIMEOUT;
use super::shape::Shape;

/// `AT+CPIN` may take long on some cards (protocol section 15: 180 s); a module that is not ready answers at once
/// with an error, so the driver waits only a part of it before it asks again.
const SIM_TIMEOUT: Duration = Duration::from_secs(20);

impl Command {
    /// `AT+CPIN?`: the state of the SIM.
    pub fn sim_state() -> Self {
        Self::new("AT+CPIN?", Shape::Info { keys: &["+CPIN"], accepts: |_| true }, SIM_TIMEOUT)
    }

    /// `AT+CPIN="1234"`: gives the PIN. A wrong one is counted by the card: never give it twice.
    pub fn enter_pin(pin: &Quotable) -> Self {
        Self::new(format!("AT+CPIN=\"{pin}\""), Shape::Plain, Duration::from_secs(180))
    }

    /// `AT+CSQ`: signal quality.
    pub fn signal_quality() -> Self {
        Self::new(
            "AT+CSQ",
            Shape::Info { keys: &["+CSQ"], accepts: |list| !list.is_empty() },
            DEFAULT_TIMEOUT,
        )
    }

    /// `AT+CREG?`, `AT+CGREG?`, `AT+CEREG?`: registration. The module has been seen to answer `AT+CEREG?` under the
    /// key `+CGREG` (capture a19), so packet and LTE answers count for each other.
    pub fn registration(domain: Domain) -> Self {
        let (text, keys): (_, &'static [_]) = match domain {
            Domain::Circuit => ("AT+CREG?", &["+CREG"]),
            Domain::Packet => ("AT+CGREG?", &["+CGREG", "+CEREG"]),
            Domain::Lte => ("AT+CEREG?", &["+CEREG", "+CGREG"]),
        };
        Self::new(text, Shape::Info { keys, accepts: |list| Form::of(list) == Form::Asked }, DEFAULT_TIMEOUT)
    }

    /// `AT+CGATT?`: packet attach; 1 also says that the default bearer is up (protocol section 5).
    pub fn attach_state() -> Self {
        Self::new(
            "AT+CGATT?",
            Shape::Info { keys: &["+CGATT"], accepts: |list| list.len() == 1 },
            DEFAULT_TIMEOUT,
        )
    }
}
