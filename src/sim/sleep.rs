//! Sleep under `AT+CSCLK`.

use crate::time::Timestamp;

/// The sleep of the modem, in which it does not hear its host.
///
/// ```text
/// Awake --idle for AT+WAKETIM--> Asleep --a byte--> Waking --a byte after wake_time--> Awake
///                                  ^ '-------------a line printed--------------------^
///                                  '--no byte for AT+WAKETIM after wake_time-- Waking
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sleep {
    /// Since the last byte either way.
    Awake {
        active_at: Timestamp,
    },
    Asleep,
    /// A byte has come: it and what follows is lost until then.
    Waking {
        until: Timestamp,
    },
}

impl Default for Sleep {
    fn default() -> Self {
        Self::Awake { active_at: Timestamp::ZERO }
    }
}
