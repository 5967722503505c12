//! The detection of a heartbeat that comes back as an echo.

/// Compares received bytes with the last heartbeat. A module that has restarted without a report echoes all bytes
/// (protocol section 2), and looks like a peer that answers. A heartbeat that comes back unchanged and alone may be
/// such an echo: an escape is written to find out.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    written: Vec<u8>,
    /// The number of its bytes that came back.
    came: usize,
}

/// The longest heartbeat that is compared. A longer one is not written in one piece.
const MAX_WRITTEN: usize = 4 * 1024;

impl Mirror {
    /// `bytes` were written last, as a heartbeat.
    pub(super) fn wrote(&mut self, bytes: &[u8]) {
        self.forget();
        if bytes.len() <= MAX_WRITTEN {
            self.written.extend_from_slice(bytes);
        }
    }

    /// `bytes` came from the line.
    pub(super) fn received(&mut self, bytes: &[u8]) {
        if self.written.is_empty() {
            return;
        }
        if self.written[self.came..].starts_with(bytes) {
            self.came += bytes.len();
        } else {
            self.forget();
        }
    }

    /// True once if all of it came back.
    pub(super) fn take_echo(&mut self) -> bool {
        let is_echo = self.came > 0 && self.came == self.written.len();
        if is_echo {
            self.forget();
        }
        is_echo
    }

    pub(super) fn forget(&mut self) {
        self.written.clear();
        self.came = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_whole_is_an_echo_and_anything_else_is_an_answer() {
        let echoes = |chunks: &[&[u8]]| {
            let mut mirror = Mirror::default();
            mirror.wrote(b"ping");
            chunks.iter().for_each(|chunk| mirror.received(chunk));
            mirror.take_echo()
        };
        assert!(echoes(&[b"ping"]) && echoes(&[b"p", b"ing"]));
        assert!(!echoes(&[b"pin"]) && !echoes(&[b"pong"]) && !echoes(&[b"ping pong"]) && !echoes(&[]));
    }

    #[test]
    fn a_heartbeat_of_one_byte_to_4096_bytes_is_compared() {
        for (length, is_compared) in [(1, true), (4_096, true), (4_097, false)] {
            let heartbeat = vec![b'x'; length];
            let mut mirror = Mirror::default();
            mirror.wrote(&heartbeat);
            mirror.received(&heartbeat);
            assert_eq!(mirror.take_echo(), is_compared, "{length} bytes");
            assert!(!mirror.take_echo(), "it is reported once");
        }
    }
}
