use super::behaviour::{Behaviour, FaultTarget, Spelling};
use super::values::BadRule;

/// The bearer is lost (captures a12, a28, s05).
///
/// By chance: with each command line.
#[derive(Clone, Debug, PartialEq)]
pub struct PdpLost;

impl Spelling for PdpLost {
    const NAME: &'static str = "pdp-lost";
    const FORM: &'static str = "pdp-lost";

    fn parse(_: &str) -> Result<Self, BadRule> {
        Ok(Self)
    }
}

impl Behaviour for PdpLost {
    fn strike(&self, modem: &mut dyn FaultTarget) {
        modem.lose_bearer();
    }
}
