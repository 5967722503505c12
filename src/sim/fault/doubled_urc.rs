use super::behaviour::{Behaviour, Occasion, Spelling};
use super::values::BadRule;
use crate::sim::output_kind::OutputKind;

/// The next unsolicited line is printed twice (firmware V301831 reported `+CPIN: READY` twice).
///
/// By chance: at each unsolicited line.
#[derive(Clone, Debug, PartialEq)]
pub struct DoubledUrc;

impl Spelling for DoubledUrc {
    const NAME: &'static str = "doubled-urc";
    const FORM: &'static str = "doubled-urc";

    fn parse(_: &str) -> Result<Self, BadRule> {
        Ok(Self)
    }
}

impl Behaviour for DoubledUrc {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn prints(&self) -> Option<OutputKind> {
        Some(OutputKind::Urc)
    }

    fn print(&self, line: Vec<u8>) -> Vec<Vec<u8>> {
        vec![line.clone(), line]
    }
}
