//! Every waiter is answered when the port goes, or is closed.

use super::Check;
use crate::simulation::facts::{Facts, Observation};

#[derive(Debug)]
pub struct Waiters;

impl Check for Waiters {
    fn promise(&self) -> &'static str {
        "waiters"
    }

    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String> {
        match (seen, facts.waiting.first()) {
            (Observation::PortLost, Some(asked)) => Err(format!("the port is gone, and {asked:?} waits on")),
            _ => Ok(()),
        }
    }
}
