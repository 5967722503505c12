use super::behaviour::{Behaviour, FaultTarget, Spelling};
use super::values::BadRule;

/// These bytes appear on the line at any point: noise, a wrong rate (captures s05, l06). A rule puts its text between
/// line ends.
///
/// By chance: with each command line.
#[derive(Clone, Debug, PartialEq)]
pub struct Garbage(
    /// The bytes.
    pub Vec<u8>,
);

impl Spelling for Garbage {
    const NAME: &'static str = "garbage";
    const FORM: &'static str = "garbage=TEXT";
    const TAKES_TEXT: bool = true;

    fn parse(value: &str) -> Result<Self, BadRule> {
        Ok(Self(format!("\r\n{value}\r\n").into_bytes()))
    }

    fn value(&self) -> Option<String> {
        Some(self.0.escape_ascii().to_string())
    }
}

impl Behaviour for Garbage {
    fn strike(&self, modem: &mut dyn FaultTarget) {
        modem.put_on_line(&self.0);
    }
}
