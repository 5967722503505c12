//! A send whose payload was written after its prompt and whose result did not come.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use std::time::Duration;

use crate::at::Command;
use crate::proto::session::ACCEPT_TIMEOUT;
use crate::time::Timestamp;

/// Bytes that the module has neither accepted nor refused.
///
/// Before, the session has filled up the bytes that the module may still wait for, because the line may have lost bytes
/// of the payload. Then it goes on with other commands. A result that comes directly after the filling, or before the
/// answer to a question after it, is not accepted: the filling may be part of that payload. After [`SETTLE`] the
/// module is asked for the number of bytes that it has counted on the connection (`AT+CIPACK`). A result that comes
/// after that is a late one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unconfirmed {
    pub(super) len: usize,
    pub(super) filled_at: Timestamp,
    pub(super) ask_at: Timestamp,
    pub(super) asked: u32,
    /// A question after the filling got no answer. The module may have taken it for payload, so its count and a late
    /// result don't show which bytes it has.
    pub(super) is_doubted: bool,
}

/// The moment at which the module confirms a send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum Acceptance {
    /// When it has accepted the bytes (`AT+CIPQSEND=1`).
    Quick,
    /// When the peer has acknowledged the bytes: firmware that refuses the quick mode.
    Slow,
}

/// The bits on the line for one byte, times two.
pub(super) const BITS_TWICE: u64 = 20;

/// For this span after the filling a result may belong to the filling.
pub(super) const SETTLE: Duration = Duration::from_secs(1);

/// The time-out of a late result on TLS, where the module counts no bytes: the longest time of a send
/// (docs/protocol.md, section 15) minus the first time-out.
pub(super) const LATE_RESULT: Duration = Duration::from_secs(45);

/// The number of unanswered questions after which the bytes count as lost.
pub(super) const MAX_QUESTIONS: u32 = 3;

impl Unconfirmed {
    pub(super) fn new(now: Timestamp, len: usize, can_ask: bool) -> Self {
        let ask_at = now + if can_ask { SETTLE } else { LATE_RESULT };
        Self { len, filled_at: now, ask_at, asked: 0, is_doubted: false }
    }

    /// The moment of the question.
    pub(super) fn ask_at(self) -> Timestamp {
        self.ask_at
    }
}

impl Acceptance {
    /// The command, with the time-out of its result.
    pub(super) fn limit(self, command: Command, len: usize, baud_rate: u32) -> Command {
        match self {
            Self::Slow => command,
            Self::Quick => {
                let micros =
                    (len as u64).saturating_mul(BITS_TWICE * 1_000_000).checked_div(baud_rate.into());
                let timeout =
                    ACCEPT_TIMEOUT.saturating_add(Duration::from_micros(micros.unwrap_or(u64::MAX)));
                let timeout = timeout.min(command.timeout());
                command.with_timeout(timeout)
            }
        }
    }
}
