//! A send. The module may be waiting for its payload.

use crate::at::harmless_len;

/// The payload of a send whose prompt or result did not come. While the module may be waiting for these bytes, it takes
/// any bytes for them. So these bytes themselves are written to end the wait: they were meant for the peer, and a
/// module that does not wait finds no command in them.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::proto) struct OpenSend {
    payload: Vec<u8>,
    /// How often it was written to fill up the send.
    fills: u32,
}

/// How often a send is filled up with its own bytes. With echo on, a `>` among them looks like a prompt that asks for
/// them again.
const MAX_FILLS: u32 = 2;

impl OpenSend {
    pub(super) fn new(payload: Vec<u8>) -> Self {
        Self { payload, fills: 0 }
    }

    /// The payload itself, for a module that has asked for it and got no other bytes since.
    pub(super) fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// Counts one more filling.
    pub(super) fn filled(self) -> Self {
        Self { fills: self.fills.saturating_add(1), ..self }
    }

    /// The bytes to write if the module may be waiting. They end with a line end, so that the next command begins a new
    /// line; after a payload the module skips it. A datagram can't be shortened to be harmless as commands, so the
    /// same number of CR is written in its place. If the module waits, these are a datagram of their own. CR are also
    /// written if the payload has not ended the wait.
    pub(in crate::proto) fn into_fill(self) -> Vec<u8> {
        let mut fill = self.payload;
        if self.fills > MAX_FILLS || harmless_len(&fill, usize::MAX) < fill.len() {
            fill.fill(b'\r');
        }
        fill.extend_from_slice(b"\r\n");
        fill
    }
}

/// Shows the length of the payload only, because it may be a key.
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
