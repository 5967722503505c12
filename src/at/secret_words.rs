//! The words in which a secret may be announced: names, keys, parameters, segments of a path.

use super::secret_commands::{Secret, is_after_card_header, is_secret_key, secret_of};

/// The longest command name or key that is compared as a whole. The longest secret one has 12 characters.
const MAX_WORD: usize = 24;

/// The first letters of a word, in upper case.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Word {
    letters: [u8; MAX_WORD],
    pub(super) length: usize,
    /// True if a part of the name that is no longer kept speaks of a secret.
    pub(super) spoke_of_secret: bool,
    /// True if a byte that may stand in place of the `=` came last.
    pub(super) has_gap: bool,
    /// The length of a name up to its first `_`.
    pub(super) base: Option<usize>,
}

impl Word {
    pub(super) fn push(&mut self, byte: u8) {
        if let Some(letter) = self.letters.get_mut(self.length) {
            *letter = byte.to_ascii_uppercase();
        }
        self.length = self.length.saturating_add(1);
    }

    /// Takes the next letter of a name. Of a name that is too long to be kept, the second half is.
    pub(super) fn push_to_name(&mut self, byte: u8) {
        if self.length == MAX_WORD {
            self.spoke_of_secret |= secret(self, false).is_some();
            self.letters.copy_within(MAX_WORD / 2.., 0);
            self.length = MAX_WORD / 2;
        }
        self.push(byte);
    }

    /// The same name after a character that may also begin one (`AT+PASS%1`).
    pub(super) fn continued(&self) -> Self {
        Self { spoke_of_secret: secret(self, false).is_some(), ..Self::default() }
    }

    /// The word, or `None` if it was too long to be kept.
    pub(super) fn text(&self) -> Option<&str> {
        str::from_utf8(self.letters.get(..self.length)?).ok()
    }

    pub(super) fn number(&self) -> Option<usize> {
        self.text()?.parse().ok()
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// True if the word is the header of a command to a card with a PIN or a PUK, and at least one digit after it.
    pub(super) fn is_after_card_header(&self) -> bool {
        is_after_card_header(&self.letters, self.length)
    }

    /// True if the value of this parameter of a URL, or of this header of a request, is secret.
    pub(super) fn is_secret_parameter(&self) -> bool {
        const PARTS: [&str; 5] = ["TOKEN", "SECRET", "KEY", "PW", "SIG"];
        self.is_secret_key() || self.text().is_some_and(|name| PARTS.iter().any(|part| name.contains(part)))
    }

    /// True if the segment of a path after this one is secret: `/token/x`.
    pub(super) fn is_secret_segment(&self) -> bool {
        const WORDS: [&str; 8] = ["KEY", "KEYS", "AUTH", "PW", "PWD", "PASS", "SIG", "TOKENS"];
        const ENDS: [&str; 6] = ["TOKEN", "SECRET", "APIKEY", "PASSWORD", "PASSWD", "SIGNATURE"];
        let text = self.text();
        text.is_some_and(|text| WORDS.contains(&text) || ENDS.iter().any(|end| text.ends_with(end)))
    }

    /// True if the colon after this segment of a path stands in front of a secret: `/bot123:x`.
    pub(super) fn is_bot(&self) -> bool {
        let number = self.text().and_then(|text| text.strip_prefix("BOT"));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// True if the segments of a path after this one, or after this host, are secret.
    pub(super) fn is_hook(&self) -> bool {
        self.text().is_some_and(|text| text.contains("HOOK"))
    }

    /// True if the value of this key is secret. A key that is too long to be kept counts as secret.
    pub(super) fn is_secret_key(&self) -> bool {
        self.text().is_none_or(is_secret_key)
    }
}

/// True if only damage puts this byte into a line.
pub(super) fn is_added(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\r' | b'\n' | b'\t')
}

pub(super) fn secret(name: &Word, is_answer: bool) -> Option<Secret> {
    if name.spoke_of_secret {
        return Some(if is_answer { Secret::From(0) } else { Secret::Named });
    }
    let base = name.base.and_then(|length| name.text()?.get(..length));
    secret_of(name.text()?, base, is_answer)
}
