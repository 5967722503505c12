//! The result of a line for the session.

use super::exchange::Finished;
use super::resync::ProbeEcho;

/// The meaning of a line for the session.
#[derive(Debug)]
pub(in crate::proto) enum Step {
    /// Nothing else is to be done.
    Consumed,
    /// A command has ended.
    Finished(Finished),
    /// The line answers nothing: it is news.
    Unclaimed,
    /// The line is text of people, whatever it reads like.
    Text,
    /// Echo is on although it was switched off.
    Echoed,
    /// The module answers in order, and the session is idle.
    Synchronised,
    /// The line is believed again: the number of bytes that were not believed, and whether the module sends commands back.
    Trusted(u64, ProbeEcho),
}
