use super::behaviour::{Behaviour, Occasion, Spelling};
use super::values::BadRule;

/// This unsolicited line is printed before the next line of the modem, also in the middle of an answer (capture a01).
///
/// By chance: at each line that is printed.
#[derive(Clone, Debug, PartialEq)]
pub struct Urc(
    /// The line.
    pub String,
);

impl Spelling for Urc {
    const NAME: &'static str = "urc";
    const FORM: &'static str = "urc=TEXT";
    const TAKES_TEXT: bool = true;

    fn parse(value: &str) -> Result<Self, BadRule> {
        if value.is_empty() {
            Err(BadRule::new("urc needs a line, as in urc=+CREG: 5"))
        } else {
            Ok(Self(value.to_owned()))
        }
    }

    fn value(&self) -> Option<String> {
        Some(self.0.clone())
    }
}

impl Behaviour for Urc {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn line_before(&self) -> Option<&str> {
        Some(&self.0)
    }
}
