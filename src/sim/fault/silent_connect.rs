use super::behaviour::{Behaviour, Occasion, Spelling};
use super::values::BadRule;

/// The next connect is not answered: `CONNECT FAIL` after the module's time-out (capture s04, 75 s), and nothing before
/// (a29).
///
/// By chance: at each connect.
#[derive(Clone, Debug, PartialEq)]
pub struct SilentConnect;

impl Spelling for SilentConnect {
    const NAME: &'static str = "silent-connect";
    const FORM: &'static str = "silent-connect";

    fn parse(_: &str) -> Result<Self, BadRule> {
        Ok(Self)
    }
}

impl Behaviour for SilentConnect {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn silences_connect(&self) -> bool {
        true
    }
}
