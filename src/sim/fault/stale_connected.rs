use super::behaviour::{Behaviour, FaultTarget, Spelling};
use super::values::BadRule;

/// All open links end without the modem's knowledge; it continues to report `CONNECTED` and to accept data (capture
/// s10).
///
/// By chance: with each command line.
#[derive(Clone, Debug, PartialEq)]
pub struct StaleConnected;

impl Spelling for StaleConnected {
    const NAME: &'static str = "stale-connected";
    const FORM: &'static str = "stale-connected";

    fn parse(_: &str) -> Result<Self, BadRule> {
        Ok(Self)
    }
}

impl Behaviour for StaleConnected {
    fn strike(&self, modem: &mut dyn FaultTarget) {
        modem.kill_links_silently();
    }
}
