//! The checks of a diagnosis, in their order.

use std::fmt;
use std::time::Duration;

/// One point of the checklist. The order is that in which each needs the ones before it, so the first that fails is the
/// cause of the others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Check {
    /// The port can be opened.
    Port,
    /// Something answers `AT`.
    Answer,
    /// The line rate is right.
    Baud,
    /// The echo is only an echo.
    Echo,
    /// The module does not start again and again.
    Power,
    /// Which firmware it is.
    Firmware,
    /// The radio is on.
    Radio,
    /// The SIM card is there and open.
    Sim,
    /// There is a signal.
    Signal,
    /// The network has taken the module.
    Registration,
    /// Attached to packet service.
    Attach,
    /// The bearer (PDP context) is up.
    Bearer,
    /// The module has an address.
    Address,
    /// Names are resolved.
    Dns,
    /// The server takes a TCP connection.
    Server,
    /// The firmware speaks TLS, and the server is the right one, if that is wanted.
    Tls,
}

impl Check {
    /// All, in order.
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

    /// A short name that stays the same, for programs.
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

/// As [`Check::as_str`].
impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A command that is asked of a live module. It changes nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Question {
    /// What it is for.
    pub check: Check,
    /// Its text, without a line end.
    pub command: &'static str,
    /// How long the answer may take.
    pub timeout: Duration,
    /// Whether it is only asked of a module that is ready, because it moves a module that is not (`AT+CIFSR` leads
    /// from `IP GPRSACT` to `IP STATUS`; protocol section 6).
    pub when_ready: bool,
}

/// The vendor's default for an answer (protocol section 15).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(9);
/// `AT+CPIN` may take longer on some cards (section 15: 180 s); the driver itself waits this long.
const SIM_TIMEOUT: Duration = Duration::from_secs(20);

const fn question(check: Check, command: &'static str) -> Question {
    Question { check, command, timeout: DEFAULT_TIMEOUT, when_ready: false }
}

/// What is asked of a live module, in order.
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
    /// Whether the firmware knows TLS, and the time, which certificates are checked with: asked only if TLS is wanted.
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
