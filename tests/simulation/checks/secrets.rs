//! Secrecy: no event and no error contains the PIN or a password.

use air724ug::at::Urc;
use air724ug::proto::Event;

use super::Check;
use crate::simulation::facts::{Facts, Observation};

#[derive(Debug)]
pub struct Secrets;

impl Check for Secrets {
    fn promise(&self) -> &'static str {
        "secrets"
    }

    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String> {
        let shown = match seen {
            // An event without text can't contain a secret.
            Observation::Event(Event::Urc(Urc::Received { .. } | Urc::DataAccept { .. })) => return Ok(()),
            Observation::Event(
                event @ (Event::Urc(_) | Event::Line(_) | Event::Dropped(_) | Event::Fault(_)),
            ) => {
                format!("{event:?}")
            }
            Observation::Answered(_, Err(error)) => format!("{error} {error:?}"),
            _ => return Ok(()),
        };
        match facts.secrets.iter().find(|secret| shown.contains(*secret)) {
            Some(_) => Err(format!("a secret shows in {shown}")),
            None => Ok(()),
        }
    }
}
