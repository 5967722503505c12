//! What a line can be to the session.

use super::super::exchange::Finished;
use super::super::resync::ProbeEcho;

/// What a line was to the session.
#[derive(Debug)]
pub(in crate::proto) enum Step {
    /// Nothing else is to be done.
    Consumed,
    /// A command has ended.
    Finished(Finished),
    /// It answers nothing: it is news.
    Unclaimed,
    /// It is text of people, whatever it says.
    Text,
    /// Echo is on although it was switched off.
    Echoed,
    /// The session has found its footing and is idle.
    Synchronised,
    /// The line is believed again, after this number of bytes that were not; whether the module sends commands back.
    Trusted(u64, ProbeEcho),
}
