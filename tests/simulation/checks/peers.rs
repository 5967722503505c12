//! Separation of sockets: every record that an application reads carries the number of its own connection. On a line
//! that has lost or gained bytes, wrong records are treated like missing data, which
//! [`reported`](super::reported_holes) checks. A changed byte of payload excuses only the connection of the payload.

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
        if is_echo_of_damage || facts.may_be_hurt(own) {
            return Ok(());
        }
        match connections_in(bytes).find(|number| *number != own.number) {
            Some(other) => Err(format!("connection {} reads what belongs to connection {other}", own.number)),
            None => Ok(()),
        }
    }
}
