use std::time::Duration;

use super::behaviour::{Behaviour, Occasion, Spelling, Transit};
use super::direction::Direction;
use super::values::{BadRule, bytes, direction_and};
use crate::time::Timestamp;

/// The longest time for which merged bytes are held.
const WAIT: Duration = Duration::from_millis(100);

/// Bytes are held until there are this number of them, or 100 ms have passed (captures a04, s02).
///
/// By chance: at each piece (bytes that arrive together).
#[derive(Clone, Debug, PartialEq)]
pub struct MergePieces {
    /// The direction in which it strikes.
    pub direction: Direction,
    /// The number of bytes that come together.
    pub bytes: usize,
}

impl Spelling for MergePieces {
    const NAME: &'static str = "merge";
    const FORM: &'static str = "merge=DIRECTION,BYTES";

    fn parse(value: &str) -> Result<Self, BadRule> {
        let (direction, value) = direction_and(value)?;
        Ok(Self { direction, bytes: bytes(value)? })
    }

    fn value(&self) -> Option<String> {
        Some(format!("{},{}", self.direction, self.bytes))
    }
}

impl Behaviour for MergePieces {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn disturbs_pieces(&self, direction: Direction) -> bool {
        self.direction == direction
    }

    fn piece(&self, now: Timestamp, piece: &mut Transit) {
        piece.merges_up_to = self.bytes;
        piece.at = now + WAIT;
    }
}
