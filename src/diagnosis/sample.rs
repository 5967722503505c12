//! Statistics of bytes that answer no command, to distinguish text from the noise of a wrong line rate.

use crate::capture::Mask;

/// Statistics of the received bytes.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Sample {
    /// The first bytes, for the proof.
    first: Vec<u8>,
    received: usize,
    /// The number of bytes that are never part of text.
    odd: usize,
}

/// The number of bytes that are shown.
const SHOWN: usize = 24;
/// Fewer odd bytes may be noise of a plug.
const FEW: usize = 3;

impl Sample {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let room = SHOWN.saturating_sub(self.first.len());
        self.first.extend(bytes.iter().take(room));
        self.received = self.received.saturating_add(bytes.len());
        self.odd = self.odd.saturating_add(bytes.iter().filter(|byte| is_odd(**byte)).count());
    }

    pub(super) fn received(&self) -> usize {
        self.received
    }

    /// True if the bytes are no text. At a wrong rate bits are merged, and at least every fourth byte is one that is
    /// never part of text. This is an assumption that holds for every pair of the usual rates (tested with the
    /// simulated line).
    pub(super) fn is_garbage(&self) -> bool {
        self.odd >= FEW && self.odd.saturating_mul(4) >= self.received
    }

    /// The first bytes, with masked passwords and PINs: text as it is, others in hexadecimal.
    pub(super) fn shown(&self) -> String {
        let mut first = self.first.clone();
        Mask::default().from_modem(&mut first);
        let hex = || first.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        let shown =
            if first.iter().any(|byte| is_odd(*byte)) { hex() } else { first.escape_ascii().to_string() };
        let more = if self.received > self.first.len() { " ..." } else { "" };
        format!("{} bytes: {shown}{more}", self.received)
    }
}

pub(super) fn is_odd(byte: u8) -> bool {
    !matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(bytes: &[u8]) -> Sample {
        let mut sample = Sample::default();
        sample.add(bytes);
        sample
    }

    #[test]
    fn text_is_no_garbage_and_garbage_no_text() {
        assert!(!sample(b"AT\r\r\n+CPIN: READY\r\n").is_garbage());
        assert!(!sample(b"").is_garbage());
        assert!(!sample(b"\0").is_garbage(), "a plug");
        assert!(sample(b"\0\0\xfe\x80A").is_garbage());
    }

    #[test]
    fn text_is_shown_as_text_and_no_secret_in_either_form() {
        assert_eq!(sample(b"+NEWS: x\r\n").shown(), r"10 bytes: +NEWS: x\r\n");
        assert_eq!(sample(b"\xffATZ").shown(), "4 bytes: ff 41 54 5a");
        assert_eq!(sample(b"AT+CPIN=\"1234\"\r").shown(), r#"15 bytes: AT+CPIN=\"****\"\r"#);
        let hex = sample(b"\xffAT+CPIN=\"1234\"").shown();
        assert!(hex.contains("43 50 49 4e 3d 22 2a 2a 2a 2a 22"), "{hex}");
    }

    #[test]
    fn what_is_shown_is_bounded() {
        let sample = sample(&[0xff; 10_000]);
        assert!(sample.shown().len() < 120, "{}", sample.shown());
    }
}
