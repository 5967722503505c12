//! Sleep under `AT+CSCLK`.

use crate::time::Timestamp;

/// The sleep of the modem, in which it does not read its host's bytes.
///
/// ```text
/// Awake --idle for AT+WAKETIM--> Asleep --a byte--> Waking --a byte after wake_time--> Awake
///                                  ^ '-------------a line printed--------------------^
///                                  '--no byte for AT+WAKETIM after wake_time-- Waking
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sleep {
    /// Awake; the last byte in either direction was at this time.
    Awake {
        active_at: Timestamp,
    },
    Asleep,
    /// A byte has come: it and all bytes until this time are lost.
    Waking {
        until: Timestamp,
    },
}

impl Default for Sleep {
    fn default() -> Self {
        Self::Awake { active_at: Timestamp::ZERO }
    }
}
