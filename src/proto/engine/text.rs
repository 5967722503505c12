//! Text of people after an unsolicited or late header, and frames of pushed data that were read as such text.

use std::time::Duration;

use crate::at::{Fault, MessageText, announced};
use crate::proto::session::Finished;
use crate::time::Timestamp;

use super::Engine;

/// The state of a text of people after an unsolicited or late header.
#[derive(Debug, Default)]
pub(super) enum Bodies {
    #[default]
    None,
    /// The text is being read.
    Open(MessageText),
    /// A text ended at this moment. The following lines may belong to it, because a text may contain empty lines.
    Over(Timestamp),
}

/// For this span a line after a text may belong to it.
pub(super) const DOUBTFUL: Duration = Duration::from_secs(1);

impl Bodies {
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }

    pub(super) fn is_doubtful(&self, now: Timestamp) -> bool {
        match self {
            Self::Over(at) => now < *at + DOUBTFUL,
            Self::None | Self::Open(_) => false,
        }
    }
}

impl Engine {
    /// A line of a text came that the command in flight has asked for.
    pub(super) fn text_line(&mut self, line: &[u8]) {
        let open = self.channels.open();
        let has_frame = self.channels.is_pushed() && announced(line).any(|channel| open.contains(channel));
        self.history.frame_in_text |= has_frame;
    }

    /// A command has ended. A frame that follows a text looks like more of it if the end of the text is damaged, and then
    /// the answer does not end as one of a module.
    pub(super) fn judge_answer(&mut self, now: Timestamp, finished: &Finished) {
        self.judge_last_fetch(now, finished);
        let has_frame = std::mem::take(&mut self.history.frame_in_text);
        if has_frame && finished.result.is_err() && finished.command.answers_with_text() {
            self.damaged(now, Fault::Garbage, None);
        }
    }
}
