use std::time::Duration;

use super::behaviour::{Behaviour, Occasion, Spelling, Transit};
use super::direction::Direction;
use super::values::{BadRule, direction_and, millis, span};
use crate::time::Timestamp;

/// A piece is delayed by this time, and all bytes after it with it (capture a28).
///
/// By chance: at each piece (bytes that arrive together).
#[derive(Clone, Debug, PartialEq)]
pub struct DelayPiece {
    /// The direction in which it strikes.
    pub direction: Direction,
    /// The delay.
    pub by: Duration,
}

impl Spelling for DelayPiece {
    const NAME: &'static str = "delay";
    const FORM: &'static str = "delay=DIRECTION,20ms";

    fn parse(value: &str) -> Result<Self, BadRule> {
        let (direction, value) = direction_and(value)?;
        Ok(Self { direction, by: span(value)? })
    }

    fn value(&self) -> Option<String> {
        Some(format!("{},{}", self.direction, millis(self.by)))
    }
}

impl Behaviour for DelayPiece {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn disturbs_pieces(&self, direction: Direction) -> bool {
        self.direction == direction
    }

    fn piece(&self, now: Timestamp, piece: &mut Transit) {
        piece.at = now + self.by;
    }
}
