//! Where nothing goes wrong, everything is exact: every send is accepted whole, every byte is read, and a socket ends
//! only by its peer or its own application.

use air724ug::proto::Response;
use air724ug::{CloseReason, Error};

use super::Check;
use crate::simulation::facts::{Facts, Seen, What};
use crate::simulation::script::Far;

#[derive(Debug)]
pub struct Exact;

impl Check for Exact {
    fn promise(&self) -> &'static str {
        "exact"
    }

    fn sees(&mut self, facts: &Facts, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Answered(asked, answer) => answered(facts, asked.what, answer),
            Seen::End { .. } => {
                for connection in &facts.connections {
                    let pushed = connection.pushed_bytes();
                    let by_peer = matches!(connection.ended, Some(Error::Closed(CloseReason::Peer)));
                    let ends = connection.peer_left
                        || matches!(connection.far, Far::ClosesAfter(_) | Far::ResetsAfter(_));
                    let resets = connection.peer_reset || matches!(connection.far, Far::ResetsAfter(_));
                    // What comes in one burst is more than the window holds, without flow control.
                    let burst = pushed + connection.given();
                    let ends = ends
                        || (matches!(connection.ended, Some(Error::Overrun { .. }))
                            && burst > facts.script.world.window);
                    if connection.ended.is_some() && !ends && !connection.left {
                        return Err(format!(
                            "connection {} ended: {:?}",
                            connection.number, connection.ended
                        ));
                    }
                    let reads_all =
                        connection.far != Far::Echo && !connection.left && !resets && connection.id.is_some();
                    let destroyed = by_peer && facts.script.world.mode == air724ug::ReceiveMode::Manual;
                    if reads_all && !destroyed && connection.read.len() != pushed {
                        return Err(format!(
                            "connection {} read {} of {pushed} bytes",
                            connection.number,
                            connection.read.len()
                        ));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn answered(facts: &Facts, what: What, answer: &Result<Response, Error>) -> Result<(), String> {
    let (What::Send { connection, .. } | What::Connect { connection }) = what else { return Ok(()) };
    let about = &facts.connections[connection];
    let leaves = about.peer_left || about.left || !matches!(about.far, Far::Echo | Far::Pushes);
    match answer {
        Err(Error::NoFreeChannel | Error::InUse(_)) => Ok(()),
        Err(error) if !leaves => Err(format!("{what:?} of a sound run failed: {error:?}")),
        Ok(Response::Sent { accepted, data }) if *accepted < data.len() && !leaves => {
            Err(format!("{accepted} of {} bytes were accepted in a sound run", data.len()))
        }
        _ => Ok(()),
    }
}
