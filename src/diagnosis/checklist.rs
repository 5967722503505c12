//! The checks of a diagnosis, in order.

use std::fmt;
use std::time::Duration;

/// One check. Each check depends on those before it, so the first one that fails is the cause of later failures.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Check {
    /// The port can be opened.
    Port,
    /// The module answers `AT`.
    Answer,
    /// The line rate is right.
    Baud,
    /// The module answers with more than an echo.
    Echo,
    /// The module does not restart repeatedly.
    Power,
    /// The firmware is known and recent.
    Firmware,
    /// The radio is on.
    Radio,
    /// The SIM card is there and unlocked.
    Sim,
    /// There is a signal.
    Signal,
    /// The module is registered.
    Registration,
    /// Attached to packet service.
    Attach,
    /// The bearer (PDP context) is active.
    Bearer,
    /// The module has an address.
    Address,
    /// Names are resolved.
    Dns,
    /// The server accepts a TCP connection.
    Server,
    /// The firmware supports TLS, and the server is verified, if TLS is wanted.
    Tls,
}

impl Check {
    /// All checks, in order.
    pub const ALL: [Self; 16] = [
        Self::Port,
        Self::Answer,
        Self::Baud,
        Self::Echo,
        Self::Power,
        Self::Firmware,
        Self::Radio,
        Self::Sim,
        Self::Signal,
        Self::Registration,
        Self::Attach,
        Self::Bearer,
        Self::Address,
        Self::Dns,
        Self::Server,
        Self::Tls,
    ];

    /// A short name for programs, which does not change between versions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Answer => "answer",
            Self::Baud => "baud",
            Self::Echo => "echo",
            Self::Power => "power",
            Self::Firmware => "firmware",
            Self::Radio => "radio",
            Self::Sim => "sim",
            Self::Signal => "signal",
            Self::Registration => "registration",
            Self::Attach => "attach",
            Self::Bearer => "bearer",
            Self::Address => "address",
            Self::Dns => "dns",
            Self::Server => "server",
            Self::Tls => "tls",
        }
    }
}

/// The same as [`Check::as_str`].
impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A command that is sent to a live module. It changes nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Question {
    /// The check that needs it.
    pub check: Check,
    /// Its text, without a line end.
    pub command: &'static str,
    /// The longest time until the answer.
    pub timeout: Duration,
    /// True if it is sent only to a module that is ready, because it changes the state of any other (`AT+CIFSR` leads
    /// from `IP GPRSACT` to `IP STATUS`; protocol section 6).
    pub when_ready: bool,
}

/// The vendor's default for an answer (protocol section 15).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(9);
/// `AT+CPIN` may take longer with some cards (section 15: 180 s). The driver uses the same time-out.
const SIM_TIMEOUT: Duration = Duration::from_secs(20);

const fn question(check: Check, command: &'static str) -> Question {
    Question { check, command, timeout: DEFAULT_TIMEOUT, when_ready: false }
}

/// The questions to a live module, in order.
pub const QUESTIONS: [Question; 12] = [
    question(Check::Answer, "AT"),
    question(Check::Firmware, "ATI"),
    question(Check::Radio, "AT+CFUN?"),
    Question { timeout: SIM_TIMEOUT, ..question(Check::Sim, "AT+CPIN?") },
    question(Check::Signal, "AT+CSQ"),
    question(Check::Registration, "AT+CREG?"),
    question(Check::Registration, "AT+CGREG?"),
    question(Check::Registration, "AT+CEREG?"),
    question(Check::Attach, "AT+CGATT?"),
    question(Check::Bearer, "AT+CGDCONT?"),
    question(Check::Bearer, "AT+CIPSTATUS"),
    Question { when_ready: true, ..question(Check::Address, "AT+CIFSR") },
];

impl Question {
    /// The questions for TLS, sent only if TLS is wanted: the support of the firmware, and the clock, with which
    /// certificates are checked.
    pub const TLS: [Self; 2] = [question(Check::Tls, "AT+CIPSSL=?"), question(Check::Tls, "AT+CCLK?")];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::Command;

    #[test]
    fn the_list_is_in_order_and_complete() {
        assert!(Check::ALL.windows(2).all(|two| two[0] < two[1]));
        assert_eq!(Check::ALL.len(), Check::Tls as usize + 1);
    }

    #[test]
    fn every_question_passes_the_escape_hatch() {
        for question in QUESTIONS.iter().chain(&Question::TLS) {
            assert!(Command::of_user(question.command, question.timeout).is_ok(), "{question:?}");
        }
    }
}
