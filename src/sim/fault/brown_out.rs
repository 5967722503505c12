use super::behaviour::{Behaviour, FaultTarget, Spelling};
use super::values::{BadRule, times};

/// The supply is interrupted: the modem reboots this number of times, each time soon after its banner (users' reports).
///
/// By chance: with each command line.
#[derive(Clone, Debug, PartialEq)]
pub struct BrownOut {
    /// The number of reboots.
    pub times: u32,
}

impl Spelling for BrownOut {
    const NAME: &'static str = "brown-out";
    const FORM: &'static str = "brown-out=TIMES";

    fn parse(value: &str) -> Result<Self, BadRule> {
        Ok(Self { times: times(value)? })
    }

    fn value(&self) -> Option<String> {
        Some(self.times.to_string())
    }
}

impl Behaviour for BrownOut {
    fn strike(&self, modem: &mut dyn FaultTarget) {
        modem.brown_out(self.times);
    }
}
