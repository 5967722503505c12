//! The promises that hold in every run. Each has its own file, and one line in the list.

mod accepted;
#[cfg(test)]
mod bad_inputs;
mod exact;
mod identity;
mod in_time;
mod memory;
mod pace;
mod peers;
mod prefix;
mod recovers;
mod reported_holes;
mod secrets;
mod undamaged;
mod waiters;

pub use reported_holes::{Unseen, unseen};

use super::Kind;
use super::facts::{Facts, Observation};

/// A promise.
pub trait Check {
    /// The name of the promise, which a failure report contains.
    fn promise(&self) -> &'static str;

    /// Checks an observation.
    ///
    /// # Errors
    ///
    /// The broken promise, in words.
    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String>;
}

/// The checks for a kind of run.
pub fn all(kind: Kind) -> Vec<Box<dyn Check>> {
    let mut all: Vec<Box<dyn Check>> = vec![
        Box::new(in_time::InTime),
        Box::new(waiters::Waiters),
        Box::new(memory::Memory),
        Box::new(pace::Pace::default()),
        Box::new(secrets::Secrets),
        Box::new(recovers::Recovers),
        Box::new(undamaged::Undamaged::default()),
    ];
    // With damage anywhere at any time, no check of contents is possible.
    if kind != Kind::Noise {
        all.push(Box::new(peers::Peers));
        all.push(Box::new(prefix::Prefix));
        all.push(Box::new(reported_holes::TypedErrors));
        all.push(Box::new(accepted::Accepted));
    }
    if kind == Kind::Port {
        all.push(Box::new(identity::KnownModule::default()));
    }
    if kind.is_sound() {
        all.push(Box::new(exact::Exact));
    }
    all
}
