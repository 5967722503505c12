use super::behaviour::{Behaviour, BodyCut, Occasion, Spelling};
use super::values::{BadRule, bytes};

/// The body of the next received data is shorter than its header says, by this number of bytes (capture s07).
///
/// By chance: at each piece of received data.
#[derive(Clone, Debug, PartialEq)]
pub struct ShortBody {
    /// The number of missing bytes.
    pub missing: usize,
}

impl Spelling for ShortBody {
    const NAME: &'static str = "short-body";
    const FORM: &'static str = "short-body=BYTES";

    fn parse(value: &str) -> Result<Self, BadRule> {
        Ok(Self { missing: bytes(value)? })
    }

    fn value(&self) -> Option<String> {
        Some(self.missing.to_string())
    }
}

impl Behaviour for ShortBody {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn cuts_body(&self) -> Option<BodyCut> {
        Some(BodyCut { missing: self.missing, ends_answer: false })
    }
}
