//! The rate of commands: at most [`LIMIT`] commands in a second, apart from connects of requests and commands that move
//! payload. Each start of the module allows as many more, for at most [`STARTS`] starts in a second, and one loss of
//! the bearer [`BEARER`] more.

use air724ug::NotReady;
use air724ug::proto::Event;
use air724ug::time::Timestamp;

use super::Check;
use crate::simulation::facts::{Facts, Observation};

/// A bring-up has 20 steps, of which the 7 that ask for the network are repeated after half a second, and closes up to
/// 8 channels. In doubt a question follows each of them. Up to 5 commands find the module first.
const LIMIT: u32 = 2 * (20 + 7 + 8) + 5;
/// The number of starts in a second that are counted: those that `MOST_SIGNS` of the engine admits.
const STARTS: u32 = 2;
/// A module that has lost its bearer, perhaps right after its bring-up, is asked the 7 steps of the network again.
const BEARER: u32 = 2 * 7;

#[derive(Debug, Default)]
pub struct Pace {
    since: Timestamp,
    count: u32,
    /// The number of starts of the module in that second.
    starts: u32,
    /// Whether the bearer was lost in that second.
    has_lost_bearer: bool,
    /// The number of connects that were written. Each request causes one.
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
                    self.begin_second(facts);
                }
                self.count += 1;
                if self.count > self.limit() {
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
            Observation::Event(Event::NotReady(NotReady::BearerLost)) => {
                self.has_lost_bearer = true;
                Ok(())
            }
            Observation::Progress | Observation::Asked | Observation::Read { .. } => {
                self.begin_second(facts);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Pace {
    fn begin_second(&mut self, facts: &Facts) {
        (self.since, self.count, self.starts, self.has_lost_bearer) = (facts.now, 0, 0, false);
    }

    fn limit(&self) -> u32 {
        LIMIT * (1 + self.starts) + if self.has_lost_bearer { BEARER } else { 0 }
    }
}
