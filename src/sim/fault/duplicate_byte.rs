use super::behaviour::{Behaviour, Occasion, Spelling};
use super::direction::Direction;
use super::values::{BadRule, direction};
use crate::sim::rng::Rng;

/// A byte is doubled.
///
/// By chance: at each byte.
#[derive(Clone, Debug, PartialEq)]
pub struct DuplicateByte(
    /// The direction in which it strikes.
    pub Direction,
);

impl Spelling for DuplicateByte {
    const NAME: &'static str = "duplicate";
    const FORM: &'static str = "duplicate=DIRECTION";

    fn parse(value: &str) -> Result<Self, BadRule> {
        Ok(Self(direction(value)?))
    }

    fn value(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}

impl Behaviour for DuplicateByte {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn disturbs_bytes(&self, direction: Direction) -> bool {
        self.0 == direction
    }

    fn byte(&self, byte: u8, _: &mut Rng) -> Vec<u8> {
        vec![byte, byte]
    }
}
