//! Waiting requests: all are answered when the port is lost or closed. While the port is expected back, requests that
//! need no module may wait.

use super::Check;
use crate::simulation::facts::{Facts, Observation, RequestKind};

#[derive(Debug)]
pub struct Waiters;

impl Check for Waiters {
    fn promise(&self) -> &'static str {
        "waiters"
    }

    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String> {
        match (seen, facts.waiting.first()) {
            (Observation::PortLost, Some(asked)) => Err(format!("the port is gone, and {asked:?} waits on")),
            (Observation::PortAway, Some(_)) => {
                let needs_it = |kind| !matches!(kind, RequestKind::Connect { .. } | RequestKind::Other);
                match facts.waiting.iter().find(|asked| needs_it(asked.what)) {
                    Some(asked) => Err(format!("the port is away, and {asked:?} waits on")),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}
