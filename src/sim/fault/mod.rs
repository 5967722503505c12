//! What can go wrong between the modem and the host.

use std::collections::VecDeque;

use super::terminal::Kind;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The next prompt is not printed; the modem waits for the payload all the same.
    LostPrompt,
}

/// Faults that wait for their opportunity.
#[derive(Debug, Default)]
pub(super) struct Faults {
    armed: VecDeque<Fault>,
}

impl Faults {
    pub(super) fn arm(&mut self, fault: Fault) {
        self.armed.push_back(fault);
    }

    /// Whether a piece of output may go out.
    pub(super) fn outgoing(&mut self, kind: Kind, _bytes: &[u8]) -> bool {
        if kind == Kind::Prompt
            && let Some(at) = self.armed.iter().position(|fault| *fault == Fault::LostPrompt)
        {
            self.armed.remove(at);
            return false;
        }
        true
    }
}
