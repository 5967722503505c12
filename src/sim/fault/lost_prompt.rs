use super::behaviour::{Behaviour, Occasion, Spelling};
use super::values::BadRule;
use crate::sim::output_kind::OutputKind;

/// The next prompt is not printed, but the modem waits for the payload (known from drivers: the prompt times out, and
/// the next bytes of the host are read as payload).
///
/// By chance: at each prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct LostPrompt;

impl Spelling for LostPrompt {
    const NAME: &'static str = "lost-prompt";
    const FORM: &'static str = "lost-prompt";

    fn parse(_: &str) -> Result<Self, BadRule> {
        Ok(Self)
    }
}

impl Behaviour for LostPrompt {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn prints(&self) -> Option<OutputKind> {
        Some(OutputKind::Prompt)
    }

    fn print(&self, _: Vec<u8>) -> Vec<Vec<u8>> {
        Vec::new()
    }
}
