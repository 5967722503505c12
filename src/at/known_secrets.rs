//! Secrets that were written to the module, and the recognition of their pieces in its lines.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasherDefault, DefaultHasher};

use super::WholeSecrets;

/// The number of successive characters that count as a piece of a secret.
const PIECE: usize = 4;
/// The same for a secret shorter than [`SHORT`].
const SHORT_PIECE: usize = 3;
/// The length below which a secret is short. Most of these are PINs.
const SHORT: usize = 6;
/// The most pieces of each kind: those of three files of the largest size. Beyond that the older half is dropped.
const MOST: usize = 20_000;

/// Without a random seed, so that the same input has the same result. The number of entries is limited. A shorter piece
/// begins with zeros.
type Pieces = HashSet<[u8; PIECE], BuildHasherDefault<DefaultHasher>>;

/// The pieces of every secret that was written, in lower case and without control bytes, which damage may add to a
/// line. `Debug` shows none of them.
#[derive(Clone, Default)]
pub(crate) struct KnownSecrets {
    pieces: Pieces,
    older: Pieces,
    short: Pieces,
    whole: WholeSecrets,
    learned: Learned,
}

/// The part of a secret that has come so far.
#[derive(Clone, Default)]
struct Learned {
    last: Recent,
    start: [u8; SHORT],
    length: usize,
}

/// The last characters of a text.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Recent {
    last: [u8; PIECE],
    length: usize,
}

impl KnownSecrets {
    /// Takes the next byte of a secret.
    pub(crate) fn learn(&mut self, byte: u8) {
        let learned = &mut self.learned;
        let Some(character) = learned.last.push(byte) else { return };
        self.whole.learn(character);
        if let Some(place) = learned.start.get_mut(learned.length) {
            *place = character;
        }
        learned.length = learned.length.saturating_add(1);
        if learned.length >= PIECE {
            self.keep(self.learned.last.last);
        }
    }

    /// The secret is complete.
    pub(crate) fn learned(&mut self) {
        self.whole.learned();
        let Learned { start, length, .. } = std::mem::take(&mut self.learned);
        let text = start.get(..length).filter(|_| (SHORT_PIECE..SHORT).contains(&length)).unwrap_or_default();
        for piece in text.windows(SHORT_PIECE) {
            if let [first, second, third] = *piece {
                self.short.insert([0, first, second, third]);
            }
        }
        if self.short.len() > MOST {
            self.short.clear();
        }
    }

    /// Learns the content of a file. Lines that begin with a dash are not secret.
    pub(crate) fn learn_file(&mut self, content: &[u8]) {
        for line in content.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"-")) {
            line.iter().for_each(|byte| self.learn(*byte));
            self.learned();
        }
    }

    /// The number of last characters that are a piece of a secret; `None` if they are none.
    pub(crate) fn piece_at_end(&self, recent: &Recent) -> Option<usize> {
        let [_, first, second, third] = recent.last;
        if self.pieces.contains(&recent.last) || self.older.contains(&recent.last) {
            return Some(PIECE).filter(|_| recent.length >= PIECE);
        }
        let is_short = self.short.contains(&[0, first, second, third]);
        is_short.then_some(SHORT_PIECE).filter(|_| recent.length >= SHORT_PIECE)
    }

    /// The secrets as a whole.
    pub(crate) fn whole(&self) -> &WholeSecrets {
        &self.whole
    }

    /// Replaces every piece of a secret in a line by `*`.
    pub(crate) fn mask(&self, line: &mut [u8]) {
        if self.is_empty() {
            return;
        }
        let mut recent = Recent::default();
        // The positions of the last characters. Control bytes between them are not counted.
        let mut places = [0; PIECE];
        let mut hidden = Vec::new();
        for (at, byte) in line.iter().enumerate() {
            if recent.push(*byte).is_none() {
                continue;
            }
            places.rotate_left(1);
            if let Some(last) = places.last_mut() {
                *last = at;
            }
            if let Some(count) = self.piece_at_end(&recent) {
                hidden.extend(places.iter().rev().take(count).copied());
            }
        }
        for at in hidden {
            if let Some(byte) = line.get_mut(at) {
                *byte = b'*';
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.older.is_empty() && self.short.is_empty()
    }

    fn keep(&mut self, piece: [u8; PIECE]) {
        if self.pieces.len() >= MOST {
            self.older = std::mem::take(&mut self.pieces);
        }
        self.pieces.insert(piece);
    }
}

impl Recent {
    /// Takes the next byte. Returns the character; `None` for a control byte.
    pub(crate) fn push(&mut self, byte: u8) -> Option<u8> {
        if byte.is_ascii_control() {
            return None;
        }
        let character = byte.to_ascii_lowercase();
        self.last.rotate_left(1);
        if let Some(last) = self.last.last_mut() {
            *last = character;
        }
        self.length = self.length.saturating_add(1);
        Some(character)
    }
}

impl fmt::Debug for KnownSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownSecrets(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(secrets: &[&str]) -> KnownSecrets {
        let mut known = KnownSecrets::default();
        for secret in secrets {
            secret.bytes().for_each(|byte| known.learn(byte));
            known.learned();
        }
        known
    }

    fn masked(known: &KnownSecrets, line: &str) -> String {
        let mut line = line.as_bytes().to_vec();
        known.mask(&mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn pieces_are_found_in_any_case_and_with_control_bytes_between() {
        let known = known(&["secretPW9", "1234"]);
        assert_eq!(masked(&known, "+X: xSECRETpw9y"), "+X: x*********y");
        assert_eq!(masked(&known, "sec\0ret"), "***\0***");
        assert_eq!(masked(&known, "crtPW9"), "crtPW9".replace("tPW9", "****"));
        assert_eq!(masked(&known, "a1234b 123 12"), "a****b *** 12");
        assert_eq!(masked(&known, "+CSQ: 20,99"), "+CSQ: 20,99");
    }

    #[test]
    fn the_lines_around_a_key_are_no_secret() {
        let mut known = KnownSecrets::default();
        known.learn_file(b"-----BEGIN PRIVATE KEY-----\nMIIEvwIBADAN\n-----END PRIVATE KEY-----\n");
        assert_eq!(masked(&known, "-----BEGIN PRIVATE KEY-----"), "-----BEGIN PRIVATE KEY-----");
        assert_eq!(masked(&known, "x MIIEvwIB y"), "x ******** y");
        assert_eq!(format!("{known:?}"), "KnownSecrets(..)");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut known = KnownSecrets::default();
        for number in 0..200_000_u32 {
            format!("{number:08}").bytes().for_each(|byte| known.learn(byte));
            known.learned();
        }
        assert!(known.pieces.len() <= MOST && known.older.len() <= MOST);
        assert_eq!(masked(&known, "00199999"), "********");
    }
}
