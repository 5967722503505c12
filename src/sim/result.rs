//! The results of commands.

use super::data::{FileWrite, Payload};
use crate::time::Timestamp;

/// The numbers of `+CME ERROR` that this modem uses (protocol.md section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cme {
    NotAllowed = 3,
    NotSupported = 4,
    NoSim = 10,
    PinRequired = 11,
    PukRequired = 12,
    SimFailure = 13,
    SimBusy = 14,
    WrongPassword = 16,
    NoService = 30,
    Invalid = 53,
    NoFile = 62,
    FileTooLarge = 63,
    Other = 65535,
}

impl Cme {
    /// The text with `AT+CMEE=2`.
    fn text(self) -> &'static str {
        match self {
            Self::NotAllowed => "operation not allowed",
            Self::NotSupported => "operation not supported",
            Self::NoSim => "SIM not inserted",
            Self::PinRequired => "SIM PIN required",
            Self::PukRequired => "SIM PUK required",
            Self::SimFailure => "SIM failure",
            Self::SimBusy => "SIM busy",
            Self::WrongPassword => "incorrect password",
            Self::NoService => "no network service",
            Self::Invalid => "parameters are invalid",
            Self::NoFile => "file not exist",
            Self::FileTooLarge => "file too large",
            Self::Other => "Other Error",
        }
    }
}

/// The numbers of `+CMS ERROR` that this modem uses (27.005 section 3.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cms {
    InvalidParameter = 304,
    NoSim = 310,
    PinRequired = 311,
    PukRequired = 316,
    InvalidIndex = 321,
}

impl Cms {
    fn text(self) -> &'static str {
        match self {
            Self::InvalidParameter => "invalid PDU mode parameter",
            Self::NoSim => "(U)SIM not inserted",
            Self::PinRequired => "(U)SIM PIN required",
            Self::PukRequired => "(U)SIM PUK required",
            Self::InvalidIndex => "invalid memory index",
        }
    }
}

/// The failure of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// `ERROR`, or, with errors as texts, the profile's text for an unknown command.
    Error,
    /// `ERROR` or `+CME ERROR: ...`.
    Cme(Cme),
    /// `ERROR` or `+CMS ERROR: ...`, for a command about messages.
    Cms(Cms),
}

impl Failure {
    /// The final line with this `AT+CMEE`; `unknown` is the profile's text for an unknown command.
    pub(super) fn line(self, format: u8, unknown: Option<&str>) -> String {
        match (self, format) {
            (Self::Error, 2) => unknown.map_or("ERROR".to_owned(), |text| format!("+CME ERROR: {text}")),
            (Self::Error, _) | (Self::Cme(_) | Self::Cms(_), 0) => "ERROR".to_owned(),
            (Self::Cms(code), 1) => format!("+CMS ERROR: {}", code as u16),
            (Self::Cms(code), _) => format!("+CMS ERROR: {}", code.text()),
            (Self::Cme(code), 1) => format!("+CME ERROR: {}", code as u16),
            (Self::Cme(code), _) => format!("+CME ERROR: {}", code.text()),
        }
    }
}

/// The result of a command's handler.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Done; `OK` ends the line.
    Ok,
    /// Done; its effects are printed after the `OK`. A command line has one `OK` for all its commands (V.250).
    OkThen(FollowUp),
    /// Done; the command has printed its final line, if it has one.
    Bare,
    /// Refused; the rest of the line is dropped.
    Fail(Failure),
    /// It takes time, and occupies the command line until then.
    Pause(Pause),
    /// The prompt is printed, and payload follows.
    Prompt(Payload),
    /// The prompt is printed, and a file's content follows.
    File(FileWrite),
    /// The line is transparent from now on.
    Online,
}

impl Outcome {
    pub(super) fn cme(code: Cme) -> Self {
        Self::Fail(Failure::Cme(code))
    }

    pub(super) fn cms(code: Cms) -> Self {
        Self::Fail(Failure::Cms(code))
    }

    pub(super) const ERROR: Self = Self::Fail(Failure::Error);
}

/// The condition for the result of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaits {
    /// The latency of a command.
    Latency,
    /// The bytes fit into the send buffer.
    Room,
    /// The peer has acknowledged them.
    Acknowledgement,
}

/// The output after an `OK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FollowUp {
    /// The lines of a changed service (capture a14).
    Service,
    /// Announcements after a read of this channel, because more data may come from the network.
    Read { channel: usize },
    /// A heartbeat.
    Beat,
}

/// A waiting command.
#[derive(Debug)]
pub(super) struct Pause {
    /// The time-out.
    pub(super) until: Timestamp,
    pub(super) then: Continuation,
}

/// The continuation of a waiting command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Continuation {
    /// `AT+CIICR`: the bearer is active.
    BearerUp,
    /// A send: its result, when the condition is met.
    Sent { channel: usize, bytes: usize, awaits: Awaits },
    /// The profile's `AT+CIPSTART` waits for its result from the network.
    Connected { channel: usize },
    /// `+++`: the second guard time has ended.
    Escaped,
    /// `AT+CIPPING`: the next answer, or its time-out.
    Pinging,
    /// A file is written.
    Written,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_shown_as_cmee_says() {
        let failure = Failure::Cme(Cme::NotAllowed);
        assert_eq!(failure.line(0, None), "ERROR");
        assert_eq!(failure.line(1, None), "+CME ERROR: 3");
        assert_eq!(failure.line(2, None), "+CME ERROR: operation not allowed");
        assert_eq!(Failure::Error.line(2, None), "ERROR");
        let text = Some("invalid command line");
        assert_eq!(Failure::Error.line(1, text), "ERROR");
        assert_eq!(Failure::Error.line(2, text), "+CME ERROR: invalid command line");
        assert_eq!(Failure::Cms(Cms::NoSim).line(1, None), "+CMS ERROR: 310");
        assert_eq!(Failure::Cme(Cme::Other).line(1, None), "+CME ERROR: 65535");
    }
}
