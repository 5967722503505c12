//! The bytes of a port that does not answer.

/// The most bytes that a message shows.
const SHOWN: usize = 40;
/// A port that has sent this number of bytes without an answer sends without end. At 115200 bit/s they take 6 s. A
/// module that starts reports a hundredth of them.
const ENDLESS: usize = 64 * 1024;
/// The most bytes of each direction that are compared: an echo has the same.
const COMPARED: usize = 4 * 1024;
/// The bytes that are kept of the last read, so that words are found even if two reads divide them.
const TAIL: usize = 16;
/// Digits in a row that may be the number of a card, a module or a subscriber.
const NUMBER: usize = 8;

/// The kind of device that a port without answers leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum OtherDevice {
    /// It sends without end.
    Endless,
    /// It sends back what is written.
    Echo,
    /// It asks for a name or a password.
    Login,
}

/// The bytes of both directions of a port, until it answers. It keeps some kilobytes at most.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    /// The first bytes of each direction. An echo may be read before the end of its write is known.
    written: Vec<u8>,
    received: Vec<u8>,
    /// The number of all received bytes.
    count: usize,
    tail: Vec<u8>,
    is_login: bool,
    is_endless: bool,
    is_answered: bool,
}

impl Unanswered {
    pub(super) fn wrote(&mut self, bytes: &[u8]) {
        self.written.extend(bytes.iter().take(COMPARED.saturating_sub(self.written.len())));
    }

    pub(super) fn read(&mut self, bytes: &[u8]) {
        self.received.extend(bytes.iter().take(COMPARED.saturating_sub(self.received.len())));
        self.count = self.count.saturating_add(bytes.len());
        self.is_endless |= self.count >= ENDLESS;
        self.tail.extend_from_slice(bytes);
        let has = |word: &&[u8]| self.tail.windows(word.len()).any(|seen| seen == *word);
        self.is_answered |= [&b"OK\r"[..], b"ERROR"].iter().any(has);
        self.is_login |= [&b"login: "[..], b"Login: ", b"Username: ", b"assword: "].iter().any(has);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
    }

    #[cfg(feature = "remote")]
    pub(super) fn is_answered(&self) -> bool {
        self.is_answered
    }

    /// More bytes came than any answer has.
    #[cfg(all(feature = "ports", unix))]
    pub(super) fn overflowed(&mut self) {
        self.is_endless = true;
    }

    /// The device, if its bytes show it.
    pub(super) fn device(&self) -> Option<OtherDevice> {
        match self {
            Self { is_answered: true, .. } | Self { count: 0, .. } => None,
            Self { is_login: true, .. } => Some(OtherDevice::Login),
            _ if self.written.starts_with(&self.received) => Some(OtherDevice::Echo),
            _ => self.is_endless.then_some(OtherDevice::Endless),
        }
    }

    /// What came, and what to do. `None` if nothing came.
    pub(super) fn words(&self) -> Option<String> {
        let rest = if self.count > SHOWN { ".." } else { "" };
        let masked = masked(&self.received);
        let first = format!("\"{}\"{rest}", masked.get(..SHOWN).unwrap_or(&masked).escape_ascii());
        Some(match self.device() {
            None if self.count == 0 || self.is_answered => return None,
            None => {
                format!(
                    "it sends {first}, which is no answer to AT; is this the module's port, and its line rate?"
                )
            }
            Some(OtherDevice::Endless) => {
                format!(
                    "it sends without end, and no answer to AT: {first}; is this the module's port, and its line rate?"
                )
            }
            Some(OtherDevice::Echo) => {
                format!(
                    "it sends back what is written: {first}; is it an echo server, or are RX and TX connected?"
                )
            }
            Some(OtherDevice::Login) => {
                format!("it asks for a login: {first}; a computer runs there, name the port of the module")
            }
        })
    }
}

/// The bytes with a `*` for each digit of long numbers.
pub(in crate::port) fn masked(bytes: &[u8]) -> Vec<u8> {
    bytes
        .chunk_by(|left, right| left.is_ascii_digit() == right.is_ascii_digit())
        .flat_map(|run| match run.first().is_some_and(u8::is_ascii_digit) && run.len() >= NUMBER {
            true => vec![b'*'; run.len()],
            false => run.to_vec(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words about a port that sends these bytes after `AT`.
    fn words(sent: &[u8]) -> Option<String> {
        let mut all = Unanswered::default();
        all.wrote(b"AT\r\nAT\r\n");
        all.read(sent);
        let whole = (all.device(), all.words());
        // The words are the same for every split of the bytes.
        let mut pieces = Unanswered::default();
        pieces.wrote(b"AT\r\nAT\r\n");
        sent.chunks(1).for_each(|piece| pieces.read(piece));
        assert_eq!((pieces.device(), pieces.words()), whole);
        whole.1
    }

    #[test]
    fn the_words_name_the_first_bytes_and_the_device() {
        assert_eq!(words(b""), None);
        let text = words(b"Debian 12\r\nrack login: ").unwrap();
        assert!(text.starts_with(r#"it asks for a login: "Debian 12\r\nrack login: ";"#), "{text}");
        let text = words(b"AT\r\nAT\r").unwrap();
        assert!(text.starts_with(r#"it sends back what is written: "AT\r\nAT\r";"#), "{text}");
        let text = words(&[0xff; ENDLESS]).unwrap();
        assert!(
            text.contains(&format!("without end, and no answer to AT: \"{}\"..", r"\xff".repeat(40))),
            "{text}"
        );
        let text = words(b"\x80\x00 860000000000009 7\r\n").unwrap();
        assert!(text.starts_with(r#"it sends "\x80\x00 *************** 7\r\n", which"#), "{text}");
    }

    #[test]
    fn a_module_is_no_other_device() {
        let endless = vec![b'x'; ENDLESS - 1];
        for sent in [
            &b"AT\r\r\nOK\r\n"[..],
            b"\r\n+CME ERROR: 10\r\n",
            b"\r\nRDY\r\n",
            b"AT\r0\r",
            b"login:\r\n",
            &endless,
        ] {
            let mut unanswered = Unanswered::default();
            unanswered.wrote(b"AT\r\n");
            unanswered.read(sent);
            assert_eq!(unanswered.device(), None, "{}", sent.escape_ascii());
        }
        // An answer ends what was before it: the data of a stream that was left open.
        let mut unanswered = Unanswered::default();
        unanswered.read(&[b'x'; 2 * ENDLESS]);
        unanswered.read(b"\r\nOK\r\n");
        assert!(unanswered.is_answered() && unanswered.device().is_none());
    }

    #[test]
    fn its_memory_is_bounded() {
        let mut unanswered = Unanswered::default();
        for _ in 0..1000 {
            unanswered.wrote(&[b'\r'; 1460]);
            unanswered.read(&[0; 1460]);
        }
        assert!(unanswered.written.len() <= COMPARED && unanswered.received.len() <= COMPARED);
        assert!(unanswered.tail.len() <= TAIL);
    }
}
