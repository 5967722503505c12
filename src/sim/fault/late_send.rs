use std::time::Duration;

use super::behaviour::{Behaviour, Occasion, Spelling};
use super::values::{BadRule, millis, span};

/// The result of the next send is delayed by this time, with an empty line in its place. The command line is free in
/// this time (issue lists of drivers).
///
/// By chance: at each send.
#[derive(Clone, Debug, PartialEq)]
pub struct LateSend {
    /// The delay.
    pub by: Duration,
}

impl Spelling for LateSend {
    const NAME: &'static str = "late-send";
    const FORM: &'static str = "late-send=2s";

    fn parse(value: &str) -> Result<Self, BadRule> {
        Ok(Self { by: span(value)? })
    }

    fn value(&self) -> Option<String> {
        Some(millis(self.by))
    }
}

impl Behaviour for LateSend {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn delays_send(&self) -> Option<Duration> {
        Some(self.by)
    }
}
