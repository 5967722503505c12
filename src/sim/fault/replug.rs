use super::behaviour::{Behaviour, FaultTarget, Spelling};
use super::values::BadRule;

/// A port that had vanished is back. It is useful in a rule with a time only, because without a port there are no
/// commands.
#[derive(Clone, Debug, PartialEq)]
pub struct Replug;

impl Spelling for Replug {
    const NAME: &'static str = "replug";
    const FORM: &'static str = "replug";

    fn parse(_: &str) -> Result<Self, BadRule> {
        Ok(Self)
    }
}

impl Behaviour for Replug {
    fn strike(&self, modem: &mut dyn FaultTarget) {
        modem.replug();
    }
}
