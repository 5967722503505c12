//! Bytes that are wiped when they are dropped.

use std::ops::Deref;

/// A key, or a value derived from a password. It is wiped when it is dropped, and never grows, so that no copy remains.
#[derive(PartialEq, Eq)]
pub(super) struct Secret(Vec<u8>);

impl Secret {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for functions that work in place.
    #[cfg(feature = "encrypted-keys")]
    pub(super) fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Deref for Secret {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

#[cfg(feature = "encrypted-keys")]
fn wipe(bytes: &mut [u8]) {
    zeroize::Zeroize::zeroize(bytes);
}

/// The best that is possible without `zeroize`: the compiler may remove it.
#[cfg(not(feature = "encrypted-keys"))]
fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    std::hint::black_box(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wiped_is_zero() {
        let mut bytes = [7; 99];
        wipe(&mut bytes);
        assert_eq!(bytes, [0; 99]);
    }
}
