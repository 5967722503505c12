//! Secrets among the keys of a phone.

/// The codes of a phone's keys in front of a PIN, a PUK or the password of a call barring (TS 22.030 section 6.6, TS
/// 22.004 annex A), which a module takes in `ATD` and `AT+CUSD`. The secret ends at a `#`.
const KEY_CODES: [&[u8]; 9] =
    [b"**04*", b"**042*", b"**05*", b"**052*", b"*03*", b"*33*", b"#33*", b"*35*", b"#35*"];

/// The keys of a phone that were written last.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PhoneKeys {
    recent: [u8; 6],
    is_secret: bool,
}

impl PhoneKeys {
    /// Takes the next byte. Returns true if it is a digit of a secret.
    pub(super) fn byte(&mut self, byte: u8) -> bool {
        if !(byte.is_ascii_digit() || matches!(byte, b'*' | b'#')) {
            *self = Self::default();
            return false;
        }
        let was_secret = self.is_secret && byte != b'#';
        self.recent.rotate_left(1);
        if let Some(last) = self.recent.last_mut() {
            *last = byte;
        }
        self.is_secret = was_secret || KEY_CODES.iter().any(|code| self.recent.ends_with(code));
        was_secret && byte.is_ascii_digit()
    }
}
