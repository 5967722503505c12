use super::behaviour::{Behaviour, Occasion, Spelling, Transit};
use super::direction::Direction;
use super::values::{BadRule, bytes, direction_and};
use crate::time::Timestamp;

/// A piece arrives in parts, 2 ms apart: more than a burst of the line (captures a15, s12).
///
/// By chance: at each piece (bytes that arrive together).
#[derive(Clone, Debug, PartialEq)]
pub struct SplitPiece {
    /// The direction in which it strikes.
    pub direction: Direction,
    /// The most bytes in a part.
    pub bytes: usize,
}

impl Spelling for SplitPiece {
    const NAME: &'static str = "split";
    const FORM: &'static str = "split=DIRECTION,BYTES";

    fn parse(value: &str) -> Result<Self, BadRule> {
        let (direction, value) = direction_and(value)?;
        Ok(Self { direction, bytes: bytes(value)? })
    }

    fn value(&self) -> Option<String> {
        Some(format!("{},{}", self.direction, self.bytes))
    }
}

impl Behaviour for SplitPiece {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn disturbs_pieces(&self, direction: Direction) -> bool {
        self.direction == direction
    }

    fn piece(&self, _: Timestamp, piece: &mut Transit) {
        piece.part = self.bytes.max(1);
    }
}
