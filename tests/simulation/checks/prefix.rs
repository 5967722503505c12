//! Integrity of streams: an application reads the bytes of its own peer, from the first one on.
//!
//! If the line lost or gained bytes, or the modem cut a body short, wrong bytes may have been read before the damage
//! could be detected. [`reported`](super::reported_holes) then checks the error. A changed byte of payload excuses only
//! the connection of the payload.

use super::Check;
use crate::simulation::facts::{Facts, Observation};
use crate::simulation::script::Far;

#[derive(Debug, Default)]
pub struct Prefix;

impl Check for Prefix {
    fn promise(&self) -> &'static str {
        "prefix"
    }

    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String> {
        let Observation::Read { connection, bytes } = seen else { return Ok(()) };
        let own = &facts.connections[*connection];
        if facts.may_be_hurt(own) || own.far == Far::Echo || own.is_udp() {
            // These connections are compared at the end.
            return Ok(());
        }
        let from = own.read.len();
        if from + bytes.len() > own.pushed_bytes() {
            return Err(format!("{} bytes were read, {} were sent", from + bytes.len(), own.pushed_bytes()));
        }
        own.incoming().agrees(from, bytes).map_err(|at| {
            let strange = &bytes[at..bytes.len().min(at + 48)];
            format!("connection {} reads \"{}\" at {}", own.number, strange.escape_ascii(), from + at)
        })
    }
}
