use super::behaviour::{Behaviour, Occasion, Spelling};
use super::values::BadRule;
use crate::sim::output_kind::OutputKind;

/// The next unsolicited line is not printed (firmware before V838 omitted `CLOSED`).
///
/// By chance: at each unsolicited line.
#[derive(Clone, Debug, PartialEq)]
pub struct LostUrc;

impl Spelling for LostUrc {
    const NAME: &'static str = "lost-urc";
    const FORM: &'static str = "lost-urc";

    fn parse(_: &str) -> Result<Self, BadRule> {
        Ok(Self)
    }
}

impl Behaviour for LostUrc {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn prints(&self) -> Option<OutputKind> {
        Some(OutputKind::Urc)
    }

    fn print(&self, _: Vec<u8>) -> Vec<Vec<u8>> {
        Vec::new()
    }
}
