use super::behaviour::{Behaviour, FaultTarget, Spelling};
use super::values::BadRule;

/// The port vanishes, and the modem continues.
///
/// By chance: with each command line.
#[derive(Clone, Debug, PartialEq)]
pub struct Unplug;

impl Spelling for Unplug {
    const NAME: &'static str = "unplug";
    const FORM: &'static str = "unplug";

    fn parse(_: &str) -> Result<Self, BadRule> {
        Ok(Self)
    }
}

impl Behaviour for Unplug {
    fn strike(&self, modem: &mut dyn FaultTarget) {
        modem.unplug();
    }
}
