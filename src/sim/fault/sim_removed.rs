use super::behaviour::{Behaviour, FaultTarget, Spelling};
use super::values::BadRule;

/// The card is removed (capture a14).
///
/// By chance: with each command line.
#[derive(Clone, Debug, PartialEq)]
pub struct SimRemoved;

impl Spelling for SimRemoved {
    const NAME: &'static str = "sim-removed";
    const FORM: &'static str = "sim-removed";

    fn parse(_: &str) -> Result<Self, BadRule> {
        Ok(Self)
    }
}

impl Behaviour for SimRemoved {
    fn strike(&self, modem: &mut dyn FaultTarget) {
        modem.remove_card();
    }
}
