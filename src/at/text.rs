//! Text that may stand in a command.

use std::fmt;

/// A string that can be put between quotes in a command: no quote, no CR, LF or other control byte, ASCII only, and
/// with a limited length.
///
/// Full-width quotes are a common mistake: the module accepts them with `OK` and fails later (protocol section 8).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Quotable(String);

/// The reason why a text can't stand in a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidText {
    /// The text is empty.
    #[error("is empty")]
    Empty,
    /// The text is longer than the module accepts.
    #[error("is longer than {max} bytes")]
    TooLong {
        /// The longest text, in bytes.
        max: usize,
    },
    /// A quote, a control byte, or a character outside ASCII.
    #[error("has the character {0:?}, which a command can't carry")]
    Character(char),
}

/// The longest host name or address (protocol section 8).
pub const MAX_HOST: usize = 128;
/// The longest access point name (3GPP 23.003 section 9.1: 100 octets).
pub const MAX_APN: usize = 100;
/// The longest user name or password of an access point (manual, CSTT: 32 characters).
pub const MAX_CREDENTIAL: usize = 32;

impl Quotable {
    /// Checks a text of at most `max` bytes.
    ///
    /// # Errors
    /// [`InvalidText`] is the reason.
    pub fn new(text: &str, max: usize) -> Result<Self, InvalidText> {
        if text.is_empty() {
            return Err(InvalidText::Empty);
        }
        if text.len() > max {
            return Err(InvalidText::TooLong { max });
        }
        match text.chars().find(|c| *c == '"' || c.is_control() || !c.is_ascii()) {
            Some(character) => Err(InvalidText::Character(character)),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// Checks a host name or address. It must fit [`Quotable::new`] and contain no blanks.
    ///
    /// # Errors
    /// [`InvalidText`] is the reason.
    pub fn host(text: &str) -> Result<Self, InvalidText> {
        let host = Self::new(text, MAX_HOST)?;
        match text.chars().find(|c| matches!(c, ' ' | ',' | ';' | '\\')) {
            Some(character) => Err(InvalidText::Character(character)),
            None => Ok(host),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Quotable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Quotable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_ends_a_string_or_a_command_gets_through() {
        for bad in ["a\"b", "a\rb", "a\nb", "a\0b", "a\u{1a}b", "a\u{7f}b", "\u{201d}112.125.89.8\u{201c}"] {
            assert!(matches!(Quotable::host(bad), Err(InvalidText::Character(_))), "{bad:?}");
        }
        assert_eq!(Quotable::host(""), Err(InvalidText::Empty));
        assert_eq!(Quotable::host(&"a".repeat(129)), Err(InvalidText::TooLong { max: MAX_HOST }));
        assert!(Quotable::host(&"a".repeat(128)).is_ok());
        assert!(Quotable::host("host name").is_err());
        assert!(Quotable::host("host;AT+CFUN=0").is_err());
    }

    #[test]
    fn names_and_addresses_pass() {
        for good in ["example.com", "1.2.3.4", "a-b.c_d", "2001:db8::1"] {
            assert_eq!(Quotable::host(good).unwrap().as_str(), good);
        }
    }
}
