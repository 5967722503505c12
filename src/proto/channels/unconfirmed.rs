//! A send whose payload was written behind its prompt, and whose result did not come.

use std::time::Duration;

use crate::at::Command;
use crate::time::Timestamp;

/// Bytes of which the module has not said whether it has them.
///
/// Before this begins, the session has filled up the bytes that the module might still have waited for (bytes of the payload
/// that the line has lost), and goes on with other commands. A result that follows the filling at once, or comes before the
/// module has answered a question behind it, is not believed: it may be the result of a payload with the filling in it. After
/// [`SETTLE`] the module is asked how many bytes it has counted on the connection (`AT+CIPACK`). A result that comes later still
/// is a late one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unconfirmed {
    pub(super) len: usize,
    pub(super) filled_at: Timestamp,
    pub(super) ask_at: Timestamp,
    pub(super) asked: u32,
    /// A question behind the filling got no answer: the module may have taken it for payload, so that neither its count nor a
    /// late result says whose bytes it has.
    pub(super) is_doubted: bool,
}

/// The way in which the module says that it has the bytes of a send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum Acceptance {
    /// At once, when it has them (`AT+CIPQSEND=1`).
    Quick,
    /// When the peer has them: firmware that refuses the quick mode.
    Slow,
}

/// How long `DATA ACCEPT` may take behind the payload, beyond twice the time of the payload on the line. The module says it
/// when it has the bytes; answers come within 10 ms (protocol section 15). No source gives a limit, 5 s is an assumption.
pub(super) const ACCEPT_TIMEOUT: Duration = Duration::from_secs(5);

/// Bits on the line for one byte, twice.
pub(super) const BITS_TWICE: u64 = 20;

/// How long behind the filling a result may belong to the filling.
pub(super) const SETTLE: Duration = Duration::from_secs(1);

/// How long a late result is waited for on TLS, where the module counts no bytes: the longest time of a send (docs/protocol.md,
/// section 15) less the time that was waited before.
pub(super) const LATE_RESULT: Duration = Duration::from_secs(45);

/// Questions that may go unanswered before the bytes count as lost.
pub(super) const MAX_QUESTIONS: u32 = 3;

impl Unconfirmed {
    pub(super) fn new(now: Timestamp, len: usize, can_ask: bool) -> Self {
        let ask_at = now + if can_ask { SETTLE } else { LATE_RESULT };
        Self { len, filled_at: now, ask_at, asked: 0, is_doubted: false }
    }

    /// The moment at which the module is to be asked.
    pub(super) fn ask_at(self) -> Timestamp {
        self.ask_at
    }
}

impl Acceptance {
    /// The command with the time that its result may take.
    pub(super) fn limit(self, command: Command, len: usize, baud_rate: u32) -> Command {
        match self {
            Self::Slow => command,
            Self::Quick => {
                let micros =
                    (len as u64).saturating_mul(BITS_TWICE * 1_000_000) / u64::from(baud_rate.max(1));
                let timeout = ACCEPT_TIMEOUT.saturating_add(Duration::from_micros(micros));
                let timeout = timeout.min(command.timeout());
                command.with_timeout(timeout)
            }
        }
    }
}
