//! Base64 (RFC 4648 section 4), the encoding of PEM.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The length of the text for this number of bytes.
pub(super) const fn encoded_len(bytes: usize) -> usize {
    bytes.div_ceil(3).saturating_mul(4)
}

/// Appends bytes as text, with padding and without line ends. If the text has capacity for it, no other copy is made.
pub(super) fn encode_into(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.chunks(3) {
        let byte = |place: usize| chunk.get(place).copied();
        let group = [0, byte(0).unwrap_or(0), byte(1).unwrap_or(0), byte(2).unwrap_or(0)];
        let group = u32::from_be_bytes(group);
        let digit = |shift: u32| char::from(ALPHABET[(group >> shift & 63) as usize]);
        text.extend([digit(18), digit(12)]);
        text.push(byte(1).map_or('=', |_| digit(6)));
        text.push(byte(2).map_or('=', |_| digit(0)));
    }
}

/// The bytes of a text without line ends; `None` if it differs from the output of [`encode_into`]: other characters,
/// wrong padding, unused bits that are set.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = text.get(..text.len().checked_sub(padding)?)?;
    if padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity((text.len() / 4).saturating_mul(3));
    for chunk in digits.chunks(4) {
        let mut group = 0_u32;
        for place in 0..4 {
            group = group << 6 | chunk.get(place).map_or(Some(0), |digit| value(*digit))?;
        }
        let [_, whole @ ..] = group.to_be_bytes();
        let (kept, rest) = whole.split_at(chunk.len().saturating_sub(1).min(whole.len()));
        if chunk.len() < 4 && rest.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend_from_slice(kept);
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u32> {
    let place = ALPHABET.iter().position(|known| *known == digit)?;
    u32::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(bytes: &[u8]) -> String {
        let mut text = String::new();
        encode_into(&mut text, bytes);
        assert_eq!(text.len(), encoded_len(bytes.len()));
        text
    }

    #[test]
    fn the_vectors_of_the_rfc_hold_both_ways() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in vectors {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text.as_bytes()).unwrap(), bytes.as_bytes());
        }
        assert_eq!(encode(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn every_byte_survives() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(encode(&bytes).as_bytes()).unwrap(), bytes);
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        for text in
            ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9v", "Zm9\u{1a}", "Zm-_"]
        {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }
}
