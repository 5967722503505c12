//! Getting the first answer out of a module of which nothing is known.

use std::time::Duration;

use crate::at::Command;
use crate::time::Timestamp;

use super::open_send::OpenSend;

/// One thing to try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Attempt {
    /// `AT`: also trains autobaud and wakes from sleep, where several are needed (protocol section 1).
    Attention,
    /// `ATQ0`: a module that was told to say nothing of results (`ATQ1`) looks dead. Wakes and trains as `AT` does.
    ResultsOn,
    /// `ATV1`: one that says `0` for `OK` (`ATV0`) answers in words again (section 2).
    ResultsInWords,
    /// Silence before the escape.
    Guard,
    /// `+++` without CR LF: out of transparent mode (section 12).
    Escape,
    /// As many CR as a send can wait for: they end a send that an earlier owner of the port left behind, and are empty
    /// commands otherwise.
    Flush,
    /// ESC: aborts a send that waits for Ctrl-Z (section 9).
    Abort,
}

/// What is tried, and how long an answer is waited for. Attention first: it is all that a healthy module needs. The
/// guard times around `+++` are at least 1 s and 0.5 s (section 12).
const ROUND: [(Attempt, Duration); 10] = [
    (Attempt::Attention, Duration::from_millis(300)),
    (Attempt::Attention, Duration::from_millis(500)),
    (Attempt::Attention, Duration::from_millis(500)),
    (Attempt::ResultsOn, Duration::from_millis(500)),
    (Attempt::ResultsInWords, Duration::from_millis(500)),
    (Attempt::Guard, Duration::from_millis(1_100)),
    (Attempt::Escape, Duration::from_millis(1_100)),
    (Attempt::Attention, Duration::from_millis(300)),
    (Attempt::Flush, Duration::from_millis(300)),
    (Attempt::Abort, Duration::from_millis(100)),
];

/// How long nothing is written behind `+++`: the module waits for 0.5 s of silence (section 12), and a margin.
const SILENCE_BEHIND: Duration = Duration::from_millis(600);
/// How long a prompt is waited for when the module has said that it restarted while a send waited for one: if it has
/// not, the prompt still comes. A hundred times as long as an answer takes (section 15).
const DOUBT: Duration = Duration::from_secs(1);

/// Tries, in turn and for ever, everything that can bring a silent module to answer.
#[derive(Debug)]
pub(in crate::proto) struct Wake {
    /// A send of our own that the module may still wait for: it goes out before anything else.
    open: Option<OpenSend>,
    step: usize,
    /// Whether anything of the round has been written: an answer that came before can't belong to it.
    has_begun: bool,
    deadline: Timestamp,
}

/// The action when the deadline has come.
#[derive(Debug)]
pub(super) struct WakeAttempt {
    pub(super) bytes: Vec<u8>,
    /// Whether everything has been tried once.
    pub(super) round_over: bool,
}

impl Wake {
    /// Begins now.
    pub(in crate::proto) fn new(now: Timestamp) -> Self {
        Self { open: None, step: 0, has_begun: false, deadline: now }
    }

    /// Begins now, on a module that may still wait for a send: what else is written would be taken for its payload.
    pub(in crate::proto) fn in_a_send(now: Timestamp, open: Option<OpenSend>) -> Self {
        Self { open, ..Self::new(now) }
    }

    /// The same, on a module that may yet prompt for the send.
    pub(super) fn behind_prompt(self, open: Option<OpenSend>) -> Self {
        match open {
            Some(open) => Self { open: Some(open), deadline: self.deadline + DOUBT, ..self },
            None => self,
        }
    }

    /// Whether anything was written that a final can be the answer to.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Whether a send is to be settled before anything else.
    pub(super) fn has_open(&self) -> bool {
        self.open.is_some()
    }

    /// The send that is to be settled, for another part that settles it.
    pub(super) fn take_open(&mut self) -> Option<OpenSend> {
        self.open.take()
    }

    /// The prompt of the send has come: what is to be written, and nothing else for a moment.
    pub(super) fn prompted(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        let open = self.open.take()?;
        *self = Self::after_boot(now);
        Some(open.into_payload())
    }

    /// Begins now, on a module that may be in transparent mode: `AT` would be payload, so the escape comes first.
    pub(in crate::proto) fn in_data_mode(now: Timestamp) -> Self {
        let guard = ROUND.iter().position(|(attempt, _)| *attempt == Attempt::Guard);
        Self { step: guard.unwrap_or(0), ..Self::new(now) }
    }

    /// Whether the module may be in transparent mode: the escape has still to be written, or may not have been obeyed.
    pub(super) fn may_be_in_data_mode(&self) -> bool {
        let guard = ROUND.iter().position(|(attempt, _)| *attempt == Attempt::Guard).unwrap_or(0);
        (guard..=guard + 2).contains(&(self.step % ROUND.len()))
    }

    /// Begins after the module has had time to come up: what is sent right behind `RDY` is lost (capture a19).
    pub(in crate::proto) fn after_boot(now: Timestamp) -> Self {
        Self::new(now + Duration::from_millis(200))
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// The module has sent something that is no answer: `AT` is tried at once, but not in the silence behind an escape. In data
    /// mode a peer may have sent it, and an early `AT` would make payload of the escape.
    pub(super) fn sign_of_life(&mut self, now: Timestamp) {
        if self.has_open() {
            return;
        }
        let (attempt, patience) = ROUND[self.step.saturating_sub(1) % ROUND.len()];
        match attempt {
            Attempt::Flush | Attempt::Abort => *self = Self::new(now),
            Attempt::Escape => {
                let left = (self.deadline - now).saturating_sub(patience - SILENCE_BEHIND);
                *self = Self::new(now + left);
            }
            Attempt::Attention | Attempt::ResultsOn | Attempt::ResultsInWords | Attempt::Guard => {}
        }
    }

    pub(super) fn next(&mut self, now: Timestamp) -> WakeAttempt {
        if let Some(open) = self.open.take() {
            self.deadline = now;
            return WakeAttempt { bytes: open.into_fill(), round_over: false };
        }
        let (attempt, patience) = ROUND[self.step % ROUND.len()];
        self.step += 1;
        self.has_begun |= attempt != Attempt::Guard;
        self.deadline = now + patience;
        let bytes = match attempt {
            Attempt::Attention => Command::attention().wire(),
            Attempt::ResultsOn => Command::results_on().wire(),
            Attempt::ResultsInWords => Command::results_in_words().wire(),
            Attempt::Guard => Vec::new(),
            Attempt::Escape => b"+++".to_vec(),
            Attempt::Flush => vec![b'\r'; Command::MAX_CHUNK],
            Attempt::Abort => vec![0x1b],
        };
        WakeAttempt { bytes, round_over: self.step.is_multiple_of(ROUND.len()) }
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
    fn the_module_may_be_in_data_mode_until_an_at_was_tried_behind_the_escape() {
        let mut wake = Wake::in_data_mode(Timestamp::ZERO);
        let mut tried = Vec::new();
        while wake.may_be_in_data_mode() {
            tried.push(wake.next(wake.deadline()).bytes);
            assert!(tried.len() <= ROUND.len());
        }
        assert_eq!(tried, [&b""[..], b"+++", b"AT\r\n"]);
    }

    #[test]
    fn a_sign_of_life_behind_an_escape_ends_the_wait_when_the_silence_is_over() {
        let mut wake = Wake::in_data_mode(Timestamp::ZERO);
        wake.next(Timestamp::ZERO);
        let escaped = wake.deadline();
        assert_eq!(wake.next(escaped).bytes, b"+++");
        wake.sign_of_life(escaped + Duration::from_millis(100));
        assert_eq!(wake.deadline(), escaped + SILENCE_BEHIND);
        assert_eq!(wake.next(wake.deadline()).bytes, b"AT\r\n");
    }
}
