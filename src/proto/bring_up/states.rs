//! The states of the card, the radio and the echo, and the use that the module is set up for.

/// The configured PIN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pin {
    /// It may be given, once.
    Untried,
    /// It was given, and what became of it is not known before the card is open. It is not given again.
    Given,
    /// It was refused. It is never given again.
    Refused,
}

/// A radio that is off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Radio {
    /// It was off when the module was found. A program that dies in the pause of the official flow, between `AT+CFUN=0`
    /// and `AT+CFUN=1`, leaves it off.
    Found,
    /// It was on when the module was found, and was switched off later, not by this driver.
    Known,
    /// The application has switched it off.
    Unwanted,
}

/// The knowledge of the echo since the module was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Echo {
    /// No command behind `ATE0` has been answered yet.
    #[default]
    Unknown,
    /// A command was answered and not sent back. An echo means a restart from now on.
    Off,
    /// A command behind `ATE0` was sent back: this module can't be told not to. An echo means nothing.
    Stays,
}

/// The two ways to set the module up. They exclude each other, and `AT+CIPSHUT` lies between them (section 12).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum ConnectionMode {
    /// `AT+CIPMUX=1`, `AT+CIPMODE=0`.
    Sockets,
    /// `AT+CIPMUX=0`, `AT+CIPMODE=1`.
    Stream,
}
