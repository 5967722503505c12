use super::behaviour::{Behaviour, Occasion, Spelling};
use super::direction::Direction;
use super::values::{BadRule, direction};
use crate::sim::rng::Rng;

/// A bit of a byte is inverted (capture s05).
///
/// By chance: at each byte.
#[derive(Clone, Debug, PartialEq)]
pub struct CorruptByte(
    /// The direction in which it strikes.
    pub Direction,
);

impl Spelling for CorruptByte {
    const NAME: &'static str = "corrupt";
    const FORM: &'static str = "corrupt=DIRECTION";

    fn parse(value: &str) -> Result<Self, BadRule> {
        Ok(Self(direction(value)?))
    }

    fn value(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}

impl Behaviour for CorruptByte {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn disturbs_bytes(&self, direction: Direction) -> bool {
        self.0 == direction
    }

    fn byte(&self, byte: u8, rng: &mut Rng) -> Vec<u8> {
        vec![byte ^ (1 << rng.below(8))]
    }
}
