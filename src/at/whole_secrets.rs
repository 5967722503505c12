//! Whole secrets that were written to the module, and their recognition among other bytes.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasherDefault, DefaultHasher};

/// The fewest characters of a secret that is looked for as a whole. A shorter one is part of any text.
const SHORTEST: usize = 6;
/// The most characters that are compared. Each such part of a longer secret counts as a secret.
const LONGEST: usize = 128;
/// The most secrets: the lines of three files of the largest size. Beyond that the older half is dropped.
const MOST: usize = 2_000;

/// The secrets by their last characters. Without a random seed, so that the same input has the same result.
type Secrets = HashMap<[u8; SHORTEST], Vec<Box<[u8]>>, BuildHasherDefault<DefaultHasher>>;

/// Every secret that was written, in lower case and without control bytes, which damage may add to a line. `Debug`
/// shows none of them.
#[derive(Clone, Default)]
pub(crate) struct WholeSecrets {
    newer: Secrets,
    older: Secrets,
    /// The number of `newer` ones.
    count: usize,
    /// The part of a secret that has come so far.
    learned: Vec<u8>,
}

/// The last characters of a text.
#[derive(Clone, Default)]
pub(crate) struct LastCharacters(VecDeque<u8>);

impl WholeSecrets {
    /// Takes the next character of a secret. The part in front of an `@` is also a secret by itself: a password and the
    /// host after it.
    pub(crate) fn learn(&mut self, character: u8) {
        if character == b'@' {
            self.keep();
        }
        self.learned.push(character);
        if self.learned.len() >= LONGEST {
            self.learned();
        }
    }

    /// The secret is complete.
    pub(crate) fn learned(&mut self) {
        self.keep();
        self.learned.clear();
    }

    fn keep(&mut self) {
        let Some(end) = self.learned.last_chunk::<SHORTEST>() else { return };
        let secret = self.learned.as_slice();
        let is_known =
            |all: &Secrets| all.get(end).is_some_and(|alike| alike.iter().any(|known| **known == *secret));
        if is_known(&self.newer) || is_known(&self.older) {
            return;
        }
        if self.count >= MOST {
            self.older = std::mem::take(&mut self.newer);
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.newer.entry(*end).or_default().push(secret.into());
    }

    /// Replaces each whole secret in a text by `*`.
    pub(crate) fn mask(&self, text: &mut [u8]) {
        let mut tail = LastCharacters::default();
        for at in 0..text.len() {
            if let Some(so_far) = text.get_mut(..=at) {
                let byte = so_far.last().copied().unwrap_or_default();
                tail.push(byte);
                self.mask_end(&tail, so_far);
            }
        }
    }

    /// Replaces the whole secret at the end of a text by `*`, if any, as far as it is among these bytes, its last ones.
    pub(crate) fn mask_end(&self, tail: &LastCharacters, so_far: &mut [u8]) {
        if so_far.last().is_none_or(u8::is_ascii_control) {
            return;
        }
        let Some(length) = self.at_end(tail) else { return };
        let characters = so_far.iter_mut().rev().filter(|byte| !byte.is_ascii_control());
        characters.take(length).for_each(|byte| *byte = b'*');
    }

    /// The length of the longest secret at the end of a text.
    fn at_end(&self, tail: &LastCharacters) -> Option<usize> {
        if self.newer.is_empty() && self.older.is_empty() {
            return None;
        }
        let end = tail.end()?;
        let alike = [&self.newer, &self.older].into_iter().filter_map(|all| all.get(&end)).flatten();
        alike.filter(|secret| tail.ends_with(secret)).map(|secret| secret.len()).max()
    }
}

impl LastCharacters {
    /// Takes the next byte. A control byte is no character.
    pub(crate) fn push(&mut self, byte: u8) {
        if byte.is_ascii_control() {
            return;
        }
        if self.0.len() >= LONGEST {
            self.0.pop_front();
        }
        self.0.push_back(byte.to_ascii_lowercase());
    }

    fn end(&self) -> Option<[u8; SHORTEST]> {
        let mut end = [0; SHORTEST];
        let first = self.0.len().checked_sub(SHORTEST)?;
        end.iter_mut().zip(self.0.iter().skip(first)).for_each(|(place, byte)| *place = *byte);
        Some(end)
    }

    fn ends_with(&self, secret: &[u8]) -> bool {
        self.0.len() >= secret.len()
            && self.0.iter().rev().zip(secret.iter().rev()).all(|(one, other)| one == other)
    }
}

impl fmt::Debug for WholeSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WholeSecrets(..)")
    }
}

impl fmt::Debug for LastCharacters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LastCharacters(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(secrets: &[&str]) -> WholeSecrets {
        let mut known = WholeSecrets::default();
        for secret in secrets {
            secret.bytes().for_each(|byte| known.learn(byte));
            known.learned();
        }
        known
    }

    fn masked(known: &WholeSecrets, text: &str) -> String {
        let mut text = text.as_bytes().to_vec();
        known.mask(&mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_whole_secret_is_masked_in_any_case_and_with_control_bytes_between_and_no_piece() {
        let known = known(&["guest7", "open-sesame", "1234", "s3cret@a.test"]);
        for (text, shown) in [
            ("<guest7>", "<******>"),
            ("<GUEST7>", "<******>"),
            ("<gue\\0st7>", "<***\\0***>"),
            ("<open-sesame>", "<***********>"),
            ("<pen-sesame open-sesam>", "<pen-sesame open-sesam>"),
            ("1234", "1234"),
            ("s3cret, s3cret@a.test", "******, *************"),
        ] {
            let (text, shown) = (text.replace("\\0", "\0"), shown.replace("\\0", "\0"));
            assert_eq!(masked(&known, &text), shown);
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut known = WholeSecrets::default();
        for number in 0..20_000_u32 {
            format!("{number:08}").bytes().for_each(|byte| known.learn(byte));
            known.learned();
        }
        assert!(known.newer.len() <= MOST && known.older.len() <= MOST);
        (0..1_000_000).for_each(|_| known.learn(b'x'));
        assert!(known.learned.len() < LONGEST);
        assert_eq!(masked(&known, &"x".repeat(200)), "*".repeat(200));
        assert_eq!(format!("{known:?}{:?}", LastCharacters::default()), "WholeSecrets(..)LastCharacters(..)");
    }
}
