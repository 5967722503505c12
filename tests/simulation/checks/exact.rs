//! Exactness without faults: every send is accepted as a whole, every byte is read, and a socket ends only by its peer
//! or its own application.

use air724ug::proto::Response;
use air724ug::{Error, ReceiveMode};

use super::Check;
use crate::simulation::facts::{Connection, Facts, Observation, RequestKind};
use crate::simulation::payload::Style;
use crate::simulation::script::{Far, Wanted};

#[derive(Debug)]
pub struct Exact;

impl Check for Exact {
    fn promise(&self) -> &'static str {
        "exact"
    }

    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String> {
        match seen {
            Observation::Answered(asked, answer) => answered(facts, asked.what, answer),
            Observation::End { .. } => {
                facts.connections.iter().try_for_each(|connection| ended(facts, connection))
            }
            _ => Ok(()),
        }
    }
}

fn answered(facts: &Facts, what: RequestKind, answer: &Result<Response, Error>) -> Result<(), String> {
    let (RequestKind::Send { connection, .. } | RequestKind::Connect { connection }) = what else {
        return Ok(());
    };
    let about = &facts.connections[connection];
    let leaves = about.peer_left || about.left || !matches!(about.far, Far::Echo | Far::Pushes);
    let leaves = leaves || about.pushed_bytes() + about.given() > facts.script.world.window;
    match answer {
        Err(Error::NoFreeChannel | Error::InUse(_) | Error::Overrun { .. }) => Ok(()),
        Err(error) if !leaves => Err(format!("{what:?} of a sound run failed: {error:?}")),
        Ok(Response::Sent { accepted, data }) if *accepted < data.len() && !leaves => {
            Err(format!("{accepted} of {} bytes were accepted in a sound run", data.len()))
        }
        _ => Ok(()),
    }
}

/// Checks the state of a connection at the end of a run without faults.
fn ended(facts: &Facts, connection: &Connection) -> Result<(), String> {
    let (pushed, number) = (connection.pushed_bytes(), connection.number);
    let resets = connection.peer_reset || matches!(connection.far, Far::ResetsAfter(_));
    let by_peer = connection.peer_left || resets || matches!(connection.far, Far::ClosesAfter(_));
    // Without flow control, a burst may exceed the window. Datagrams are then lost.
    let overrun = pushed + connection.given() > facts.script.world.window
        && (connection.is_udp() || matches!(connection.ended, Some(Error::Overrun { .. })));
    if connection.ended.is_some() && !by_peer && !connection.left && !overrun {
        return Err(format!("connection {number} ended: {:?}", connection.ended));
    }
    // A module in manual mode discards data soon after a close.
    let destroyed = by_peer && facts.script.world.mode == ReceiveMode::Manual;
    let has_all = connection.read.len() == pushed || connection.far == Far::Echo;
    // If the last words of a stream's peer look like those of the module, the end is an error.
    let is_uncertain = connection.wanted == Wanted::Transparent
        && connection.style == Style::Traps
        && connection.has_typed_error();
    let may_lack = connection.left || resets || destroyed || overrun || is_uncertain;
    if connection.id.is_some() && !has_all && !may_lack {
        return Err(format!("connection {number} read {} of {pushed} bytes", connection.read.len()));
    }
    Ok(())
}
