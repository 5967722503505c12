//! The engine asks the module at a bounded pace: commands that no request has caused and that move no payload are at most
//! [`LIMIT`] in a second, and as many more for a start of the module in it, of which it answers at most [`STARTS`].

use air724ug::proto::Event;
use air724ug::time::Timestamp;

use super::Check;
use crate::simulation::facts::{Facts, Observation};

/// A bring-up has 20 steps, of which the 7 that ask for the network come again after half a second, and closes up to 8 channels; in
/// doubt a question goes behind each. Up to 5 commands find the module first.
const LIMIT: u32 = 2 * (20 + 7 + 8) + 5;
/// How many starts of a second are believed: those that `MOST_SIGNS` of the engine lets pass.
const STARTS: u32 = 2;

#[derive(Debug, Default)]
pub struct Pace {
    since: Timestamp,
    count: u32,
    /// How often the module has started in that second.
    starts: u32,
    /// Connects that were written: each request causes one.
    connects: usize,
}

impl Check for Pace {
    fn promise(&self) -> &'static str {
        "pace"
    }

    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String> {
        match seen {
            Observation::Wrote(bytes)
                if bytes.starts_with(b"AT+CIPSTART=") && self.connects < facts.connections.len() =>
            {
                self.connects += 1;
                Ok(())
            }
            Observation::Wrote(bytes) if bytes.starts_with(b"AT") || bytes.starts_with(b"+++") => {
                if facts.now.saturating_since(self.since).as_secs() >= 1 {
                    (self.since, self.count, self.starts) = (facts.now, 0, 0);
                }
                self.count += 1;
                if self.count > LIMIT * (1 + self.starts) {
                    return Err(format!(
                        "{} commands since {:?}: {}",
                        self.count,
                        self.since,
                        bytes.escape_ascii()
                    ));
                }
                Ok(())
            }
            Observation::Event(Event::Restarted | Event::PortBack | Event::Unresponsive) => {
                self.starts = STARTS.min(self.starts + 1);
                Ok(())
            }
            Observation::Progress | Observation::Asked | Observation::Read { .. } => {
                (self.since, self.count, self.starts) = (facts.now, 0, 0);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
