//! The promises that must hold in every run: one a file, registered by one line.

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
mod secrets;
mod told_holes;
mod undamaged;
mod waiters;

use super::Kind;
use super::facts::{Facts, Observation};

/// One promise.
pub trait Check {
    /// Its name, which a failure is told by.
    fn promise(&self) -> &'static str;

    /// Looks at what has happened.
    ///
    /// # Errors
    /// What is wrong.
    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String>;
}

/// All of them.
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
    // Where bytes are damaged everywhere and all the time, nothing can be said of contents.
    if kind != Kind::Noise {
        all.push(Box::new(peers::Peers));
        all.push(Box::new(prefix::Prefix));
        all.push(Box::new(told_holes::TypedErrors));
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
