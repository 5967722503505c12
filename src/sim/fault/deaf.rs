use std::time::Duration;

use super::behaviour::{Behaviour, FaultTarget, Spelling};
use super::values::{BadRule, millis, span};

/// The modem ignores all bytes for this time, without an echo (capture s02).
///
/// By chance: with each command line.
#[derive(Clone, Debug, PartialEq)]
pub struct Deaf {
    /// The time.
    pub lasting: Duration,
}

impl Spelling for Deaf {
    const NAME: &'static str = "deaf";
    const FORM: &'static str = "deaf=2s";

    fn parse(value: &str) -> Result<Self, BadRule> {
        Ok(Self { lasting: span(value)? })
    }

    fn value(&self) -> Option<String> {
        Some(millis(self.lasting))
    }
}

impl Behaviour for Deaf {
    fn strike(&self, modem: &mut dyn FaultTarget) {
        modem.deafen(self.lasting);
    }
}
