//! The payload of the application's own commands.

use std::fmt;

/// The bytes that are written after a prompt, made by [`Command::with_payload`](super::Command::with_payload). `Debug`
/// shows the length only, because the payload may be a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Vec<u8>);

impl Payload {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, with the byte that ends the payload, if there is one.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same bytes, as a vector.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}
