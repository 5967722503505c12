use super::behaviour::{Behaviour, BodyCut, Occasion, Spelling};
use super::values::{BadRule, bytes};

/// As [`ShortBody`](super::ShortBody), and the `OK` of the read that it belongs to does not come either (capture s07).
///
/// By chance: at each piece of received data.
#[derive(Clone, Debug, PartialEq)]
pub struct CutBody {
    /// How many bytes are missing.
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
