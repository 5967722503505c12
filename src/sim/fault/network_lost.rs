use super::behaviour::{Behaviour, FaultTarget, Spelling};
use super::values::BadRule;

/// The cell is lost (captures a14, a23).
///
/// By chance: with each command line.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkLost;

impl Spelling for NetworkLost {
    const NAME: &'static str = "network-lost";
    const FORM: &'static str = "network-lost";

    fn parse(_: &str) -> Result<Self, BadRule> {
        Ok(Self)
    }
}

impl Behaviour for NetworkLost {
    fn strike(&self, modem: &mut dyn FaultTarget) {
        modem.lose_cell();
    }
}
