//! The search for a module in an unknown state.

use std::time::Duration;

use crate::at::Command;
use crate::time::Timestamp;

use super::open_send::OpenSend;

/// An attempt to get an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Attempt {
    /// `AT`. It also trains autobaud and wakes the module from sleep, which may need several attempts (protocol section
    /// 1).
    Attention,
    /// `ATQ0`, for a module whose result codes are suppressed (`ATQ1`). It has the effects of `AT` as well.
    ResultsOn,
    /// `ATV1`, for a module with numeric result codes (`ATV0`, section 2).
    ResultsInWords,
    /// The silence before the escape.
    Guard,
    /// `+++` without CR LF, which leaves transparent mode (section 12).
    Escape,
    /// CR, as many as the longest send has bytes. They end a send that an earlier program has left, and are empty
    /// commands otherwise.
    Flush,
    /// ESC, which cancels a send that waits for Ctrl-Z (section 9).
    Abort,
}

impl Attempt {
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Attention => Command::attention().wire(),
            Self::ResultsOn => Command::results_on().wire(),
            Self::ResultsInWords => Command::results_in_words().wire(),
            Self::Guard => Vec::new(),
            Self::Escape => b"+++".to_vec(),
            Self::Flush => vec![b'\r'; Command::MAX_CHUNK],
            Self::Abort => vec![0x1b],
        }
    }
}

/// The attempts, with the time-out of each. `AT` is first, because most modules need no more. The guard times around
/// `+++` are at least 1 s and 0.5 s (section 12). That of the guard counts from the last write, so that a module which
/// begins to answer within the silence is asked soon.
const ROUND: [(Attempt, Duration); 10] = [
    (Attempt::Attention, Duration::from_millis(300)),
    (Attempt::Attention, Duration::from_millis(500)),
    (Attempt::Attention, Duration::from_millis(500)),
    (Attempt::ResultsOn, Duration::from_millis(500)),
    (Attempt::ResultsInWords, Duration::from_millis(500)),
    (Attempt::Guard, Duration::from_millis(1_100)),
    (Attempt::Escape, SILENCE_AFTER),
    (Attempt::Attention, Duration::from_millis(300)),
    (Attempt::Flush, Duration::from_millis(300)),
    (Attempt::Abort, Duration::from_millis(100)),
];

/// The silence after `+++`: the 0.5 s that the module requires (section 12), and a margin.
const SILENCE_AFTER: Duration = Duration::from_millis(600);
/// How long the driver waits for the prompt of a send after the module has reported a restart. If the report is wrong,
/// the prompt still comes. The span is a hundred times that of an answer (section 15).
const DOUBT: Duration = Duration::from_secs(1);

/// Repeats all attempts that can make a silent module answer, without an end.
#[derive(Debug)]
pub(in crate::proto) struct Wake {
    /// A send of this driver that the module may still wait for. It is filled up first.
    open: Option<OpenSend>,
    step: usize,
    /// Whether bytes were written. An earlier answer can't belong to them.
    has_begun: bool,
    /// The number of commands that were written, each of which may be answered.
    attempts: u32,
    /// When the latest attempt was made.
    made_at: Timestamp,
    deadline: Timestamp,
}

/// The bytes of each attempt after `AT`, and the time-out of each. They are empty where the line must be silent. A
/// module in a send is not in data mode, and would take the escape for payload.
///
/// The ports are those of this machine, so the pauses on the line are those of the writes, and a module that begins to
/// answer within the silence is asked after 1.7 s at the latest.
#[cfg(all(feature = "ports", unix))]
pub(crate) fn attempts_after_attention(is_in_send: bool) -> impl Iterator<Item = (Vec<u8>, Duration)> {
    const ANSWER: Duration = Duration::from_millis(300);
    let after = ROUND.iter().skip_while(|(attempt, _)| *attempt == Attempt::Attention);
    let is_tried = move |attempt| !is_in_send || !matches!(attempt, Attempt::Guard | Attempt::Escape);
    after.filter(move |(attempt, _)| is_tried(*attempt)).map(|(attempt, timeout)| {
        let timeout = match attempt {
            Attempt::ResultsInWords => ANSWER,
            // The line has been silent for the time-out before.
            Attempt::Guard => timeout.saturating_sub(ANSWER),
            Attempt::Attention | Attempt::ResultsOn | Attempt::Escape | Attempt::Flush | Attempt::Abort => {
                *timeout
            }
        };
        (attempt.bytes(), timeout)
    })
}

/// The bytes that end data mode, and the time-out of each attempt.
#[cfg(all(feature = "ports", unix))]
pub(crate) fn attempts_to_escape() -> impl Iterator<Item = (Vec<u8>, Duration)> {
    let escape = ROUND.iter().skip_while(|(attempt, _)| *attempt != Attempt::Guard).take(2);
    escape.map(|(attempt, timeout)| (attempt.bytes(), *timeout))
}

/// The action when the deadline has come.
#[derive(Debug)]
pub(super) struct WakeAttempt {
    pub(super) bytes: Vec<u8>,
    /// Whether every attempt was made once.
    pub(super) round_over: bool,
}

impl Wake {
    /// Begins now.
    pub(in crate::proto) fn new(now: Timestamp) -> Self {
        Self { open: None, step: 0, has_begun: false, attempts: 0, made_at: now, deadline: now }
    }

    /// Begins now. The module may still wait for a send, and would take other bytes for its payload.
    pub(in crate::proto) fn in_a_send(now: Timestamp, open: Option<OpenSend>) -> Self {
        Self { open, ..Self::new(now) }
    }

    /// The module may still write the prompt of the send.
    pub(super) fn after_prompt(self, open: Option<OpenSend>) -> Self {
        match open {
            Some(open) => Self { open: Some(open), deadline: self.deadline + DOUBT, ..self },
            None => self,
        }
    }

    /// True if bytes were written that a final result code can answer.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// The number of commands that were written and may be answered.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// True if a send must be filled up first.
    pub(super) fn has_open(&self) -> bool {
        self.open.is_some()
    }

    /// Takes the send that must be filled up.
    pub(super) fn take_open(&mut self) -> Option<OpenSend> {
        self.open.take()
    }

    /// The prompt of the send came. Returns the bytes to write; a pause follows.
    pub(super) fn prompted(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        let open = self.open.take()?;
        *self = Self::after_boot(now);
        Some(open.into_payload())
    }

    /// Begins now. The module may be in transparent mode, where `AT` would be payload, so the escape comes first.
    pub(in crate::proto) fn in_data_mode(now: Timestamp) -> Self {
        let guard = ROUND.iter().position(|(attempt, _)| *attempt == Attempt::Guard);
        Self { step: guard.unwrap_or(0), ..Self::new(now) }
    }

    /// True if the module may be in transparent mode: the escape was not written yet, or may have had no effect.
    pub(super) fn may_be_in_data_mode(&self) -> bool {
        let guard = ROUND.iter().position(|(attempt, _)| *attempt == Attempt::Guard).unwrap_or(0);
        (guard..=guard + 2).contains(&(self.step % ROUND.len()))
    }

    /// Begins after a pause for the start of the module: bytes right after `RDY` are lost (capture a19).
    pub(in crate::proto) fn after_boot(now: Timestamp) -> Self {
        Self::new(now + Duration::from_millis(200))
    }

    /// Begins at this moment at the earliest.
    pub(in crate::proto) fn not_before(self, at: Timestamp) -> Self {
        Self { deadline: self.deadline.max(at), ..self }
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.deadline
    }

    pub(super) fn next(&mut self, now: Timestamp) -> WakeAttempt {
        if let Some(open) = self.open.take() {
            (self.made_at, self.deadline) = (now, now);
            return WakeAttempt { bytes: open.into_fill(), round_over: false };
        }
        let (attempt, timeout) = ROUND[self.step % ROUND.len()];
        self.step += 1;
        self.has_begun |= attempt != Attempt::Guard;
        if matches!(attempt, Attempt::Attention | Attempt::ResultsOn | Attempt::ResultsInWords) {
            self.attempts = self.attempts.saturating_add(1);
        }
        if attempt != Attempt::Guard {
            self.made_at = now;
        }
        self.deadline = now.max(self.made_at + timeout);
        WakeAttempt { bytes: attempt.bytes(), round_over: self.step.is_multiple_of(ROUND.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_of_our_own_is_filled_up_before_anything_else_is_written() {
        let mut wake = Wake::in_a_send(Timestamp::ZERO, Some(OpenSend::new(b"abc".to_vec())));
        assert_eq!(wake.next(Timestamp::ZERO).bytes, b"abc\r\n");
        assert_eq!(wake.deadline(), Timestamp::ZERO);
        assert_eq!(wake.next(Timestamp::ZERO).bytes, b"AT\r\n");
    }

    #[test]
    fn the_escape_stands_in_silence() {
        let mut wake = Wake::new(Timestamp::ZERO);
        let mut last_write = Timestamp::ZERO;
        for _ in 0..2 * ROUND.len() {
            let now = wake.deadline();
            let bytes = wake.next(now).bytes;
            if bytes == b"+++" {
                assert!(now - last_write >= Duration::from_secs(1));
                assert!(wake.deadline() - now >= Duration::from_millis(500));
            }
            if !bytes.is_empty() {
                last_write = now;
            }
        }
    }

    #[test]
    fn the_module_may_be_in_data_mode_until_an_at_was_tried_after_the_escape() {
        let mut wake = Wake::in_data_mode(Timestamp::ZERO);
        let mut tried = Vec::new();
        while wake.may_be_in_data_mode() {
            tried.push(wake.next(wake.deadline()).bytes);
            assert!(tried.len() <= ROUND.len());
        }
        assert_eq!(tried, [&b""[..], b"+++", b"AT\r\n"]);
    }
}
