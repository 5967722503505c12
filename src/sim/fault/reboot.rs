use super::behaviour::{Behaviour, FaultTarget, Spelling};
use super::values::BadRule;

/// The modem reboots (captures s02, a18).
///
/// By chance: with each command line.
#[derive(Clone, Debug, PartialEq)]
pub struct Reboot;

impl Spelling for Reboot {
    const NAME: &'static str = "reboot";
    const FORM: &'static str = "reboot";

    fn parse(_: &str) -> Result<Self, BadRule> {
        Ok(Self)
    }
}

impl Behaviour for Reboot {
    fn strike(&self, modem: &mut dyn FaultTarget) {
        modem.reboot();
    }
}
