//! A send of which it is not known whether the module waits for its payload.

use crate::at::harmless_len;

/// The payload of a send whose prompt or result did not come. While the module may be waiting for exactly these bytes,
/// it takes whatever is written for them; so they are what settles the doubt. The peer was to get them anyway, and a
/// module that waits for nothing reads no command in them.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::proto) struct OpenSend {
    payload: Vec<u8>,
    /// How often it was filled up.
    fills: u32,
}

/// How often a send is filled up with its own bytes. A module that sends them back may say `>` with them, which looks like a prompt
/// that asks for them again.
const MAX_FILLS: u32 = 2;

impl OpenSend {
    pub(super) fn new(payload: Vec<u8>) -> Self {
        Self { payload, fills: 0 }
    }

    /// The payload itself, for a module that has asked for it and got nothing else since.
    pub(super) fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// It is filled up once more.
    pub(super) fn filled(self) -> Self {
        Self { fills: self.fills.saturating_add(1), ..self }
    }

    /// The bytes to write when the module may be waiting or not, with a line end that makes the next command stand alone:
    /// behind a payload it is passed over. A datagram can't be cut to be harmless as commands; as many CR go out in
    /// its place, and are a datagram of their own if the module waits; and so do they where the payload has not ended the wait.
    pub(super) fn into_fill(self) -> Vec<u8> {
        let mut fill = self.payload;
        if self.fills > MAX_FILLS || harmless_len(&fill, usize::MAX) < fill.len() {
            fill.fill(b'\r');
        }
        fill.extend_from_slice(b"\r\n");
        fill
    }
}

/// Shows how long the payload is, not what: it may be a key.
impl std::fmt::Debug for OpenSend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenSend({} bytes)", self.payload.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_settled_by_its_own_bytes_and_a_datagram_that_is_a_command_is_not_written() {
        assert_eq!(OpenSend::new(b"hello".to_vec()).into_fill(), b"hello\r\n");
        assert_eq!(OpenSend::new(b"AT+X".to_vec()).into_fill(), b"\r\r\r\r\r\n");
    }

    #[test]
    fn a_payload_that_does_not_end_the_wait_is_not_written_for_ever() {
        let mut open = OpenSend::new(b"a\r\n>b".to_vec());
        for _ in 0..MAX_FILLS {
            open = open.filled();
            assert_eq!(open.clone().into_fill(), b"a\r\n>b\r\n");
        }
        assert_eq!(open.filled().into_fill(), b"\r\r\r\r\r\r\n");
    }

    #[test]
    fn it_shows_how_long_its_payload_is_and_nothing_of_it() {
        assert_eq!(format!("{:?}", OpenSend::new(b"a key".to_vec())), "OpenSend(5 bytes)");
    }
}
