//! The proof that the `OK` after fetched data was the module's. If the count of the data was too low, that `OK` may be
//! payload. Then the `OK` of the module comes later, and answers no command.

use crate::at::{Fault, Line};
use crate::proto::session::Finished;
use crate::time::Timestamp;

use super::Engine;

impl Engine {
    /// If an `OK` has come that answers nothing, the one of the last fetch was payload.
    pub(super) fn judge_odd_ok(&mut self, now: Timestamp) {
        if self.session.take_odd_ok()
            && let Some(channel) = self.channels.unproved_fetch_at(now)
        {
            self.damaged(now, Fault::BeforeResult, Some(channel));
        }
    }

    /// A command has ended. Its answer may prove that all bytes before it are complete.
    pub(super) fn judge_last_fetch(&mut self, now: Timestamp, finished: &Finished) {
        self.judge_odd_ok(now);
        if is_proof(finished) {
            self.channels.fetch_settled();
        } else {
            self.channels.fetch_stays_unproved(now);
        }
    }
}

/// True if the answer names its command. An `OK` alone may be that of the fetch before.
fn is_proof(finished: &Finished) -> bool {
    let Ok(lines) = &finished.result else { return false };
    let command = &finished.command;
    let is_send = command.is_unmistakable() && command.may_be_prompted();
    let names_it = |line: &String| match Line::parse(line.as_bytes()) {
        Line::Info { key, .. } => std::str::from_utf8(key).is_ok_and(|key| command.has_key(key)),
        _ => false,
    };
    is_send || lines.iter().any(names_it)
}
