//! Every waiter is answered when the port goes, or is closed.

use super::Check;
use crate::simulation::facts::{Facts, Seen};

#[derive(Debug)]
pub struct Waiters;

impl Check for Waiters {
    fn promise(&self) -> &'static str {
        "waiters"
    }

    fn sees(&mut self, facts: &Facts, seen: &Seen<'_>) -> Result<(), String> {
        match (seen, facts.waiting.first()) {
            (Seen::PortLost, Some(asked)) => Err(format!("the port is gone, and {asked:?} waits on")),
            _ => Ok(()),
        }
    }
}
