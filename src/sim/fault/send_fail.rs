use super::behaviour::{Behaviour, Occasion, Spelling};
use super::values::BadRule;

/// The next payload is not sent: `SEND FAIL`, and the link remains (capture s01).
///
/// By chance: at each send.
#[derive(Clone, Debug, PartialEq)]
pub struct SendFail;

impl Spelling for SendFail {
    const NAME: &'static str = "send-fail";
    const FORM: &'static str = "send-fail";

    fn parse(_: &str) -> Result<Self, BadRule> {
        Ok(Self)
    }
}

impl Behaviour for SendFail {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn fails_send(&self) -> bool {
        true
    }
}
