//! Payload of the application's commands, where a line such as `DOWNLOAD` asks for it instead of a prompt.

use crate::at::Line;
use crate::time::Timestamp;

use super::super::outbox::Outbox;
use super::exchange::{Exchange, Phase};
use super::{Session, State};

impl Session {
    /// Writes the payload if this line asks for it, for example `DOWNLOAD`.
    pub(super) fn prompted_by(&mut self, now: Timestamp, line: &Line<'_>, out: &mut Outbox) -> bool {
        let State::Busy(Exchange { phase: Phase::Prompt(_), command, .. }) = &self.state else {
            return false;
        };
        let is_prompt = command.is_prompt(line);
        if is_prompt {
            self.prompt(now, out);
        }
        is_prompt
    }
}
