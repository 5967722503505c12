use super::behaviour::{Behaviour, Occasion, Spelling};
use super::direction::Direction;
use super::values::{BadRule, direction};
use crate::sim::rng::Rng;

/// A byte is lost (RT-Thread drivers: a lost `+R`).
///
/// By chance: at each byte.
#[derive(Clone, Debug, PartialEq)]
pub struct DropByte(
    /// The direction in which it strikes.
    pub Direction,
);

impl Spelling for DropByte {
    const NAME: &'static str = "drop";
    const FORM: &'static str = "drop=DIRECTION";

    fn parse(value: &str) -> Result<Self, BadRule> {
        Ok(Self(direction(value)?))
    }

    fn value(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}

impl Behaviour for DropByte {
    fn occasion(&self) -> Occasion {
        Occasion::Hook
    }

    fn disturbs_bytes(&self, direction: Direction) -> bool {
        self.0 == direction
    }

    fn byte(&self, _: u8, _: &mut Rng) -> Vec<u8> {
        Vec::new()
    }
}
