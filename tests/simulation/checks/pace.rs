//! The engine asks the module at a bounded pace: commands that no request has caused and that move no payload are at most
//! [`LIMIT`] in a second.

use air724ug::time::Timestamp;

use super::Check;
use crate::simulation::facts::{Facts, Observation};

/// A whole bring-up, with the questions that find the module, and half of the next one.
const LIMIT: u32 = 64;

#[derive(Debug, Default)]
pub struct Pace {
    since: Timestamp,
    count: u32,
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
                    (self.since, self.count) = (facts.now, 0);
                }
                self.count += 1;
                if self.count > LIMIT {
                    return Err(format!(
                        "{} commands since {:?}: {}",
                        self.count,
                        self.since,
                        bytes.escape_ascii()
                    ));
                }
                Ok(())
            }
            Observation::Progress | Observation::Asked | Observation::Read { .. } => {
                (self.since, self.count) = (facts.now, 0);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
