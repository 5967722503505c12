//! Recovery: a clean exchange works after the end of the faults.

use super::Check;
use crate::simulation::facts::{Facts, Observation};

#[derive(Debug)]
pub struct Recovers;

impl Check for Recovers {
    fn promise(&self) -> &'static str {
        "recovers"
    }

    fn sees(&mut self, _facts: &Facts, seen: &Observation<'_>) -> Result<(), String> {
        match seen {
            Observation::Recovered(Err(why)) => Err(format!("no clean exchange after the faults: {why}")),
            _ => Ok(()),
        }
    }
}
