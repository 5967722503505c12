//! Typed questions to the module. Each file contains one question: its command, the recognition and the type of its
//! answer, and its tests. The engine runs any of them for [`Modem::query`](crate::Modem::query).
//!
//! A new question is a new file here and two lines in this one.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

mod clock;
mod contexts;
mod operator;
mod ping;
mod registration;
mod reply;
mod resolve;
mod signal;

pub use clock::{Clock, ClockTime};
pub use contexts::{ContextState, PdpContexts};
pub use operator::{CurrentOperator, Operator};
pub use ping::Ping;
pub use registration::DomainRegistration;
pub use reply::Reply;
pub use resolve::Resolve;
pub use signal::{Signal, SignalQuality};

pub use crate::at::Domain;

use crate::at::Command;

/// A question with a typed answer. An application uses those of this module. To implement another one it needs
/// `at::Command`, which is public with feature `unstable-core`.
pub trait Query {
    /// The type of the answer.
    type Answer;

    /// The command: its text, the lines that answer it, and its time-out.
    fn command(&self) -> Command;

    /// Reads the answer; `None` if it can't be read.
    fn read(&self, reply: &Reply) -> Option<Self::Answer>;
}

/// The value of lines that answer a question; `None` if they don't.
#[cfg(test)]
pub(crate) fn answer_of<Q: Query>(query: &Q, lines: &[&str]) -> Option<Q::Answer> {
    use crate::at::{Line, Urc, Verdict};

    let command = query.command();
    let (mut kept, mut urcs) = (Vec::new(), Vec::new());
    for line in lines {
        match command.judge(&Line::parse(line.as_bytes()), !kept.is_empty()) {
            Verdict::Part => kept.push((*line).to_owned()),
            Verdict::Done(Ok(())) => {}
            Verdict::NotMine => urcs.push(Urc::parse(line.as_bytes())),
            Verdict::Done(Err(_)) | Verdict::Doubtful(_) => return None,
        }
    }
    let urcs = match command.urc_answer() {
        Some(answer) => urcs.into_iter().filter(answer.accepts).collect(),
        None => Vec::new(),
    };
    query.read(&Reply::new(command.name(), kept, urcs))
}
