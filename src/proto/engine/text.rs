//! Text of people behind a header that came unasked, or too late.

use std::time::Duration;

use crate::at::MessageText;
use crate::time::Timestamp;

/// Text of people behind a header that came unasked, or too late.
#[derive(Debug, Default)]
pub(super) enum Bodies {
    #[default]
    None,
    /// It is being read.
    Open(MessageText),
    /// One has ended then: what follows may be more of it, for it may hold empty lines.
    Over(Timestamp),
}

/// How long news behind a text may be more of it.
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
