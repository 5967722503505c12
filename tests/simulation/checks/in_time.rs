//! Time-outs: every call ends within its own. The clock is virtual, so there is no margin.

use super::Check;
use crate::simulation::facts::{Facts, Observation};

#[derive(Debug)]
pub struct InTime;

impl Check for InTime {
    fn promise(&self) -> &'static str {
        "in-time"
    }

    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String> {
        match seen {
            Observation::Answered(asked, answer) if facts.now > asked.due => {
                Err(format!("{asked:?} was answered at {:?}: {answer:?}", facts.now))
            }
            Observation::Quiet { .. } => match facts.waiting.iter().find(|asked| asked.due <= facts.now) {
                Some(asked) => Err(format!("{asked:?} is overdue at {:?}", facts.now)),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}
