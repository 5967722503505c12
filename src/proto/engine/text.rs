//! Text of people after an unsolicited or late header.

use std::time::Duration;

use crate::at::MessageText;
use crate::time::Timestamp;

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
