//! The states of the card, the radio and the echo, and the connection modes.

/// The configured PIN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pin {
    /// It may be entered once.
    Untried,
    /// It was entered, and its result is unknown until the card is open. It is not entered again.
    Given,
    /// It was refused, and is not entered again.
    Refused,
}

/// A radio that is off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Radio {
    /// It was off when the module was found. A program that dies in the pause of the official flow, between `AT+CFUN=0`
    /// and `AT+CFUN=1`, leaves it off.
    Found,
    /// It was on when the module was found, and was switched off later by something other than this driver.
    Known,
    /// The application has switched it off.
    Unwanted,
}

/// The state of the echo, as known since the module was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Echo {
    /// No command after `ATE0` was answered yet.
    #[default]
    Unknown,
    /// A command was answered without an echo. An echo is the sign of a restart from now on.
    Off,
    /// A command after `ATE0` was echoed: the echo of this module can't be switched off. An echo has no meaning.
    Stays,
}

/// The two connection modes. They exclude each other; a change needs `AT+CIPSHUT` (section 12).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum ConnectionMode {
    /// `AT+CIPMUX=1`, `AT+CIPMODE=0`.
    Sockets,
    /// `AT+CIPMUX=0`, `AT+CIPMODE=1`.
    Stream,
}
