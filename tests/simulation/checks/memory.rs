//! Bounds of the engine's memory: unread bytes are limited by the receive window, unsent bytes by the given ones.

use super::Check;
use crate::simulation::facts::{Facts, Observation};

#[derive(Debug)]
pub struct Memory;

impl Check for Memory {
    fn promise(&self) -> &'static str {
        "memory"
    }

    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String> {
        let Observation::Quiet { unread, queued } = seen else { return Ok(()) };
        let window = facts.script.world.window;
        if *unread > window {
            return Err(format!("{unread} bytes are unread in a window of {window}"));
        }
        let given: usize = facts.connections.iter().map(|connection| connection.given()).sum();
        if *queued > given {
            return Err(format!("{queued} bytes wait to be sent, {given} were given"));
        }
        Ok(())
    }
}
