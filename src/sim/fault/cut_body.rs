use super::behaviour::{Behaviour, BodyCut, Occasion, Spelling};
use super::values::{BadRule, bytes};

/// The same as [`ShortBody`](super::ShortBody), and the `OK` of its read is missing, too (capture s07).
///
/// By chance: at each piece of received data.
#[derive(Clone, Debug, PartialEq)]
pub struct CutBody {
    /// The number of missing bytes.
    pub missing: usize,
}

impl Spelling for CutBody {
    const NAME: &'static str = "cut-body";
    const FORM: &'static str = "cut-body=BYTES";

    fn parse(value: &str) -> Result<Self, BadRule> {
        Ok(Self { missing: bytes(value)? })
    }

    fn value(&self) -> Option<String> {
        Some(self.missing.to_string())
    }
}

impl Behaviour for CutBody {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn cuts_body(&self) -> Option<BodyCut> {
        Some(BodyCut { missing: self.missing, ends_answer: true })
    }
}
