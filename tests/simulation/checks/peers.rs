//! Nothing is read on another peer's socket: every record that an application reads carries the number of its own
//! connection. Where the line was damaged this is a hole like others, which [`told`](super::told) looks at.

use air724ug::sim::Direction;

use super::Check;
use crate::simulation::facts::{Facts, Observation};
use crate::simulation::payload::connections_in;
use crate::simulation::script::Far;

#[derive(Debug)]
pub struct Peers;

impl Check for Peers {
    fn promise(&self) -> &'static str {
        "peers"
    }

    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String> {
        let Observation::Read { connection, bytes } = seen else { return Ok(()) };
        let own = &facts.connections[*connection];
        let is_echo_of_damage = own.hurt.sent && own.far == Far::Echo;
        if own.hurt.received
            || is_echo_of_damage
            || facts.is_damaged(Direction::ToHost)
            || facts.may_cut_bodies
        {
            return Ok(());
        }
        match connections_in(bytes).find(|number| *number != own.number) {
            Some(other) => Err(format!("connection {} reads what belongs to connection {other}", own.number)),
            None => Ok(()),
        }
    }
}
