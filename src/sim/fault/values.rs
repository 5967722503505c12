//! The values in a rule, and the error of an invalid rule.

use std::fmt;
use std::time::Duration;

use super::direction::Direction;

/// An invalid rule, with the reason and the valid forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRule(String);

impl BadRule {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for BadRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadRule {}

/// Parses `12s`, `1500ms`, `0.5s`.
pub(super) fn span(text: &str) -> Result<Duration, BadRule> {
    let bad = || BadRule(format!("\"{text}\" is no span of time; write 12s or 1500ms"));
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').ok_or_else(bad)?, 1.0),
    };
    let number: f64 = number.parse().map_err(|_| bad())?;
    Duration::try_from_secs_f64(number * unit).map_err(|_| bad())
}

/// The reverse.
pub(super) fn millis(span: Duration) -> String {
    format!("{}ms", span.as_millis())
}

pub(super) fn bytes(text: &str) -> Result<usize, BadRule> {
    text.parse().map_err(|_| BadRule(format!("\"{text}\" is no number of bytes")))
}

pub(super) fn times(text: &str) -> Result<u32, BadRule> {
    text.parse().map_err(|_| BadRule(format!("\"{text}\" is no number of times")))
}

pub(super) fn probability(text: &str) -> Result<f64, BadRule> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| BadRule(format!("\"{text}\" is no probability; write a number from 0 to 1")))
}

/// `to-host`
pub(super) fn direction(text: &str) -> Result<Direction, BadRule> {
    match text {
        "to-host" => Ok(Direction::ToHost),
        "from-host" => Ok(Direction::FromHost),
        _ => Err(BadRule(format!("\"{text}\" is no direction; write to-host or from-host"))),
    }
}

/// `to-host,3`: the direction and the text after it.
pub(super) fn direction_and(text: &str) -> Result<(Direction, &str), BadRule> {
    let (way, value) = text.split_once(',').unwrap_or((text, ""));
    Ok((direction(way)?, value))
}
