use super::behaviour::{Behaviour, Occasion, Spelling};
use super::values::{BadRule, bytes};

/// The connection breaks when the modem has this number of bytes of the next payload: `SEND FAIL` and `CLOSED`. The
/// modem reads the rest of the payload as commands (8910 SDK).
///
/// By chance: at each payload.
#[derive(Clone, Debug, PartialEq)]
pub struct CloseMidSend {
    /// The number of bytes before the break.
    pub after: usize,
}

impl Spelling for CloseMidSend {
    const NAME: &'static str = "close-mid-send";
    const FORM: &'static str = "close-mid-send=BYTES";

    fn parse(value: &str) -> Result<Self, BadRule> {
        Ok(Self { after: bytes(value)? })
    }

    fn value(&self) -> Option<String> {
        Some(self.after.to_string())
    }
}

impl Behaviour for CloseMidSend {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn breaks_payload_after(&self) -> Option<usize> {
        Some(self.after)
    }
}
