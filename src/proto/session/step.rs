//! The effect of a line in the session.

use super::exchange::Finished;
use super::resync::ProbeEcho;

/// The effect of a line in the session.
#[derive(Debug)]
pub(in crate::proto) enum Step {
    /// The line needs no further action.
    Consumed,
    /// A command has ended.
    Finished(Finished),
    /// The line answers no command: it is unsolicited.
    Unclaimed,
    /// The line is text of people.
    Text,
    /// An echo came although echo was switched off.
    Echoed,
    /// The module answers in order, and the session is idle.
    Synchronised,
    /// The line is trusted again: the number of dropped bytes, and whether the module echoes commands.
    Trusted(u64, ProbeEcho),
}
