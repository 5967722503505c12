//! The states of a socket while the module accepts no data.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use std::time::Duration;

use crate::at::{ChannelNews, Field, Line, Refusal};
use crate::proto::session::Failure;
use crate::time::Timestamp;

use super::acknowledgements::unacknowledged;
use super::security::Security;
use super::unconfirmed::{MAX_QUESTIONS, SETTLE, Unconfirmed};

/// The state of a socket while the module may accept no data. All its transitions are in this file.
///
/// A module whose send buffer is full refuses the next send in place of the prompt (protocol section 9: 10220 bytes in
/// quick mode), with the same words as one whose connection is gone. `AT+CIPACK` distinguishes the two.
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

/// The meaning of an answer or a late result for the bytes in flight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SendVerdict {
    /// Nothing yet: the socket is in this state now.
    Open(Pressure),
    /// The module has accepted the bytes in flight.
    Accepted,
    /// The connection is gone. That was the cause of this refusal.
    Gone(Refusal),
    /// It can't be known any more which bytes the module has.
    Unknown,
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

    /// A send was refused in place of the prompt.
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

    /// The bytes in flight were accepted, or nothing more is sent.
    pub(super) fn over(&mut self) {
        *self = Self::None;
    }

    /// The result of a send did not come, though its payload was written after the prompt.
    pub(super) fn unconfirmed(now: Timestamp, len: usize, security: Security) -> Self {
        Self::Unconfirmed(Unconfirmed::new(now, len, security == Security::Plain))
    }

    /// No question after the filling is answered yet: a result may belong to the filling.
    pub(super) fn still_filling(&mut self, now: Timestamp) {
        if let Self::Unconfirmed(unconfirmed) = self {
            unconfirmed.filled_at = now;
        }
    }

    /// The module has not answered a question after the filling in time: it may have taken the question for payload.
    pub(super) fn filling_is_doubted(&mut self) {
        if let Self::Unconfirmed(unconfirmed) = self {
            unconfirmed.is_doubted = true;
        }
    }

    /// `AT+CIPACK` has ended with this result. The module has accepted `sent` bytes of the socket before those in
    /// flight.
    pub(super) fn asked(
        self,
        now: Timestamp,
        sent: u64,
        security: Security,
        result: &Result<Vec<String>, Failure>,
    ) -> SendVerdict {
        match self {
            // The question had another reason.
            Self::None | Self::Wait(..) => SendVerdict::Open(self),
            Self::Unconfirmed(unconfirmed) if now < unconfirmed.ask_at => SendVerdict::Open(self),
            Self::Unconfirmed(unconfirmed) => unconfirmed.asked(now, sent, security, result),
            Self::Ask(refused) => refused.asked(now, sent, result),
        }
    }

    /// The result of a send came that no command waits for: perhaps the missing one.
    pub(super) fn late_result(self, now: Timestamp, news: ChannelNews) -> SendVerdict {
        let Self::Unconfirmed(unconfirmed) = self else { return SendVerdict::Open(self) };
        let is_it = match news {
            ChannelNews::DataAccept(len) => len == unconfirmed.len,
            ChannelNews::SendOk | ChannelNews::SendFail => true,
            _ => false,
        };
        match news {
            _ if !is_it => SendVerdict::Open(self),
            ChannelNews::SendFail => SendVerdict::Gone(Refusal::SendFail),
            _ if unconfirmed.is_doubted || now < unconfirmed.filled_at + SETTLE => SendVerdict::Unknown,
            _ => SendVerdict::Accepted,
        }
    }
}

impl Unconfirmed {
    fn asked(
        self,
        now: Timestamp,
        sent: u64,
        security: Security,
        result: &Result<Vec<String>, Failure>,
    ) -> SendVerdict {
        let can_ask = security == Security::Plain;
        // The counter of the module may have 32 bits.
        let expected = low_bits(sent.wrapping_add(self.len as u64));
        match result.as_deref().map(counted) {
            Ok(Some(count)) if can_ask && count == expected && !self.is_doubted => SendVerdict::Accepted,
            Err(Failure::Timeout | Failure::Refused(Refusal::Ambiguous | Refusal::Empty))
                if can_ask && self.asked.saturating_add(1) < MAX_QUESTIONS =>
            {
                let again = Self { ask_at: now + SETTLE, asked: self.asked.saturating_add(1), ..self };
                SendVerdict::Open(Pressure::Unconfirmed(again))
            }
            Ok(_) | Err(_) => SendVerdict::Unknown,
        }
    }
}

impl Refused {
    fn asked(self, now: Timestamp, sent: u64, result: &Result<Vec<String>, Failure>) -> SendVerdict {
        // Only the count proves that the module has not accepted a piece that was written. A module that refuses the
        // question may have lost the connection after that.
        let is_proved = result.as_ref().is_ok_and(|lines| counted(lines) == Some(low_bits(sent)));
        if self.was_written && !is_proved {
            return SendVerdict::Unknown;
        }
        let is_empty = match result {
            Ok(lines) => match unacknowledged(lines) {
                Some(left) => left == 0,
                None => return SendVerdict::Gone(self.refusal),
            },
            // The answer has no number.
            Err(Failure::Timeout | Failure::Refused(Refusal::Ambiguous | Refusal::Empty)) => false,
            Err(Failure::Refused(_) | Failure::NoPrompt(_)) => return SendVerdict::Gone(self.refusal),
        };
        if is_empty && self.was_empty {
            return SendVerdict::Gone(self.refusal);
        }
        let pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
        SendVerdict::Open(Pressure::Wait(now + self.pause, Self { pause, was_empty: is_empty, ..self }))
    }
}

/// The first number of `+CIPACK: sent,acknowledged,not acknowledged`.
fn counted(lines: &[String]) -> Option<u32> {
    let list = lines.iter().find_map(|line| Line::parse(line.as_bytes()).info("+CIPACK"))?;
    list.first().and_then(Field::number)
}

/// The part of a count that the module reports. It counts in 32 bits.
#[allow(clippy::cast_possible_truncation, reason = "that is the purpose")]
fn low_bits(count: u64) -> u32 {
    count as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::transition_table;

    const NOW: Timestamp = Timestamp::from_secs(100);
    /// The bytes that the module has accepted, and those in flight.
    const SENT: u64 = 1000;
    const LEN: usize = 10;

    /// A state, or what has become of the send.
    #[derive(Clone, Copy)]
    struct Send(SendVerdict);

    impl Send {
        fn states() -> Vec<Self> {
            let refused = |was_empty, was_written| Refused {
                refusal: Refusal::Error,
                pause: FIRST_PAUSE,
                was_empty,
                was_written,
            };
            let unconfirmed = |asked, is_doubted| {
                let sent = Unconfirmed::new(Timestamp::from_secs(90), LEN, true);
                Pressure::Unconfirmed(Unconfirmed { asked, is_doubted, ..sent })
            };
            [
                Pressure::None,
                Pressure::Ask(refused(false, false)),
                Pressure::Ask(refused(true, false)),
                Pressure::Ask(refused(false, true)),
                Pressure::Wait(NOW, refused(false, false)),
                unconfirmed(0, false),
                unconfirmed(MAX_QUESTIONS - 1, false),
                unconfirmed(0, true),
            ]
            .map(|pressure| Self(SendVerdict::Open(pressure)))
            .into()
        }

        fn name(&self) -> &'static str {
            match self.0 {
                SendVerdict::Accepted => "accepted",
                SendVerdict::Gone(_) => "gone",
                SendVerdict::Unknown => "unknown",
                SendVerdict::Open(Pressure::None) => "none",
                SendVerdict::Open(Pressure::Wait(..)) => "wait",
                SendVerdict::Open(Pressure::Ask(refused)) if refused.was_written => "ask, written",
                SendVerdict::Open(Pressure::Ask(refused)) if refused.was_empty => "ask again",
                SendVerdict::Open(Pressure::Ask(_)) => "ask",
                SendVerdict::Open(Pressure::Unconfirmed(it)) if it.is_doubted => "doubted",
                SendVerdict::Open(Pressure::Unconfirmed(it)) if it.asked + 1 == MAX_QUESTIONS => {
                    "unconfirmed, last"
                }
                SendVerdict::Open(Pressure::Unconfirmed(_)) => "unconfirmed",
            }
        }

        fn pressure(self) -> Pressure {
            match self.0 {
                SendVerdict::Open(pressure) => pressure,
                other => panic!("{other:?}"),
            }
        }

        fn asked(&mut self, result: Result<&str, Failure>) {
            let result = result.map(|line| vec![line.to_owned()]);
            self.0 = self.pressure().asked(NOW, SENT, Security::Plain, &result);
        }

        fn refused(&mut self, was_written: bool) {
            self.0 = SendVerdict::Open(self.pressure().refused(Refusal::Error, was_written));
        }

        fn result(&mut self, news: ChannelNews) {
            self.0 = self.pressure().late_result(NOW, news);
        }
    }

    #[test]
    fn every_transition_is_as_the_table_says() {
        let table = "
            | input | none | ask | ask again | ask, written | wait | unconfirmed | unconfirmed, last | doubted |
            | a refusal in place of the prompt | ask | - | - | ask | ask | ask | ask | ask |
            | a refusal of a written piece | ask, written | ask, written | ask, written | - | ask, written | ask, written | ask, written | ask, written |
            | all acknowledged | - | wait | gone | wait | - | unknown | unknown | unknown |
            | some not acknowledged | - | wait | wait | wait | - | unknown | unknown | unknown |
            | the bytes counted | - | wait | wait | unknown | - | accepted | accepted | unknown |
            | another count | - | wait | wait | unknown | - | unknown | unknown | unknown |
            | an answer without numbers | - | gone | gone | unknown | - | unknown | unknown | unknown |
            | no answer | - | wait | wait | unknown | - | - | unknown | - |
            | a refused question | - | gone | gone | unknown | - | unknown | unknown | unknown |
            | a late result | - | - | - | - | - | accepted | accepted | unknown |
            | a late result of another length | - | - | - | - | - | - | - | - |
            | SEND FAIL | - | - | - | - | - | gone | gone | gone |
            | the bytes are accepted | - | none | none | none | none | none | none | none |";
        transition_table::check(
            table,
            Send::states,
            &[
                ("a refusal in place of the prompt", |it| it.refused(false)),
                ("a refusal of a written piece", |it| it.refused(true)),
                ("all acknowledged", |it| it.asked(Ok("+CIPACK: 1000,1000,0"))),
                ("some not acknowledged", |it| it.asked(Ok("+CIPACK: 1000,900,100"))),
                ("the bytes counted", |it| it.asked(Ok("+CIPACK: 1010,1000,10"))),
                ("another count", |it| it.asked(Ok("+CIPACK: 1005,1000,5"))),
                ("an answer without numbers", |it| it.asked(Ok("+CIPACK: "))),
                ("no answer", |it| it.asked(Err(Failure::Timeout))),
                ("a refused question", |it| it.asked(Err(Failure::Refused(Refusal::Error)))),
                ("a late result", |it| it.result(ChannelNews::DataAccept(LEN))),
                ("a late result of another length", |it| it.result(ChannelNews::DataAccept(LEN + 1))),
                ("SEND FAIL", |it| it.result(ChannelNews::SendFail)),
                ("the bytes are accepted", |it| {
                    let mut pressure = it.pressure();
                    pressure.over();
                    it.0 = SendVerdict::Open(pressure);
                }),
            ],
            Send::name,
        );
    }

    #[test]
    fn a_result_just_after_the_filling_proves_nothing() {
        let mut pressure = Pressure::unconfirmed(NOW, LEN, Security::Plain);
        let result = ChannelNews::DataAccept(LEN);
        assert_eq!(pressure.late_result(NOW, result), SendVerdict::Unknown);
        assert_eq!(pressure.late_result(NOW + SETTLE, result), SendVerdict::Accepted);
        pressure.still_filling(NOW + SETTLE);
        assert_eq!(pressure.late_result(NOW + SETTLE, result), SendVerdict::Unknown);
        pressure.filling_is_doubted();
        assert_eq!(pressure.late_result(NOW + 9 * SETTLE, result), SendVerdict::Unknown);
    }

    #[test]
    fn the_pauses_grow_to_the_longest() {
        let mut send = Send(SendVerdict::Open(Pressure::None));
        let mut pauses = Vec::new();
        for _ in 0..7 {
            send.refused(false);
            send.asked(Ok("+CIPACK: 1000,900,100"));
            pauses.push(send.pressure().retry_at().map(|at| at - NOW));
        }
        let millis = [50, 100, 200, 400, 800, 1000, 1000].map(|it| Some(Duration::from_millis(it)));
        assert_eq!(pauses, millis);
    }
}
