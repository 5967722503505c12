use std::time::Duration;

use super::behaviour::{Behaviour, Occasion, Spelling, Transit};
use super::direction::Direction;
use super::values::{BadRule, direction_and, millis, span};
use crate::time::Timestamp;

/// No bytes arrive for this time; then all of them arrive together.
///
/// By chance: at each piece (bytes that arrive together).
#[derive(Clone, Debug, PartialEq)]
pub struct StallLine {
    /// The direction in which it strikes.
    pub direction: Direction,
    /// The time.
    pub lasting: Duration,
}

impl Spelling for StallLine {
    const NAME: &'static str = "stall";
    const FORM: &'static str = "stall=DIRECTION,2s";

    fn parse(value: &str) -> Result<Self, BadRule> {
        let (direction, value) = direction_and(value)?;
        Ok(Self { direction, lasting: span(value)? })
    }

    fn value(&self) -> Option<String> {
        Some(format!("{},{}", self.direction, millis(self.lasting)))
    }
}

impl Behaviour for StallLine {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn disturbs_pieces(&self, direction: Direction) -> bool {
        self.direction == direction
    }

    fn piece(&self, now: Timestamp, piece: &mut Transit) {
        piece.stalled_until = piece.stalled_until.max(now + self.lasting);
    }
}
