use super::behaviour::{Behaviour, FaultTarget, Spelling};
use super::values::BadRule;

/// The port vanishes.
///
/// By chance: with each command line.
#[derive(Clone, Debug, PartialEq)]
pub struct HangUp;

impl Spelling for HangUp {
    const NAME: &'static str = "hang-up";
    const FORM: &'static str = "hang-up";

    fn parse(_: &str) -> Result<Self, BadRule> {
        Ok(Self)
    }
}

impl Behaviour for HangUp {
    fn strike(&self, modem: &mut dyn FaultTarget) {
        modem.hang_up();
    }
}
