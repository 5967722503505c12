//! The states of a socket while the module accepts no data.

use std::time::Duration;

use crate::at::Refusal;
use crate::time::Timestamp;

use super::unconfirmed::Unconfirmed;

/// The state of a socket while the module may accept no data.
///
/// A module whose send buffer is full refuses the next send in place of the prompt (protocol section 9: 10220 bytes in
/// quick mode), with the same words as one whose connection is gone. `AT+CIPACK` tells the two apart.
///
/// | state | on | next |
/// |---|---|---|
/// | `None`, `Wait` | a refusal in place of the prompt | `Ask` |
/// | `Ask` | bytes that the peer has not acknowledged | `Wait`, longer each time |
/// | `Ask` | no such bytes, for the first time | `Wait`: they may have gone out meanwhile |
/// | `Ask` | no such bytes again, or a refusal | the socket has ended |
/// | `Wait` | its time | the send is tried again |
/// | any | a send that is accepted | `None` |
/// | `None`, `Wait` | the result of a send did not come | `Unconfirmed` |
/// | `Unconfirmed` | the module has counted the bytes, or says late that it has them | `None` |
/// | `Unconfirmed` | anything else | the socket has ended |
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pressure {
    None,
    Ask(Refused),
    Wait(Timestamp, Refused),
    Unconfirmed(Unconfirmed),
}

/// A send that was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    /// The next pause.
    pub(super) pause: Duration,
    /// Whether the module has reported once that it holds no data.
    pub(super) was_empty: bool,
    /// Whether the payload was written with the command.
    pub(super) was_written: bool,
}

/// The first and the longest pause before a retry. Both are short in comparison with the time of 10 KB on the network,
/// and long enough for the other channels.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(50);

pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Pressure {
    /// The moment at which the send is tried again.
    pub(super) fn retry_at(self) -> Option<Timestamp> {
        match self {
            Self::Wait(until, _) => Some(until),
            Self::None | Self::Ask(_) | Self::Unconfirmed(_) => None,
        }
    }

    /// The moment at which the module is asked about a send that it has not confirmed.
    pub(super) fn confirm_at(self) -> Option<Timestamp> {
        match self {
            Self::Unconfirmed(unconfirmed) => Some(unconfirmed.ask_at()),
            Self::None | Self::Ask(_) | Self::Wait(..) => None,
        }
    }

    /// True if the module must be asked how many bytes of the socket it has.
    pub(super) fn asks(self, now: Timestamp) -> bool {
        matches!(self, Self::Ask(_)) || self.confirm_at().is_some_and(|at| at <= now)
    }

    /// True if the next send can be tried.
    pub(super) fn allows(self, now: Timestamp) -> bool {
        match self {
            Self::None => true,
            Self::Ask(_) | Self::Unconfirmed(_) => false,
            Self::Wait(until, _) => until <= now,
        }
    }

    pub(super) fn refused(self, refusal: Refusal, was_written: bool) -> Self {
        match self {
            Self::None | Self::Unconfirmed(_) => {
                Self::Ask(Refused { refusal, pause: FIRST_PAUSE, was_empty: false, was_written })
            }
            Self::Ask(before) | Self::Wait(_, before) => {
                Self::Ask(Refused { refusal, was_written, ..before })
            }
        }
    }
}

impl Refused {
    pub(super) fn wait(self, now: Timestamp, is_empty: bool) -> Pressure {
        let pause = (self.pause * 2).min(LONGEST_PAUSE);
        Pressure::Wait(now + self.pause, Self { pause, was_empty: is_empty, ..self })
    }
}
