//! The part of DER (X.690) that recognises certificates and the kinds of private keys by their outer elements.

use super::label::Label;

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// True if the bytes have the outer form of a certificate of exactly this length (RFC 5280 section 4.1): a sequence of
/// a sequence, a sequence and a bit string.
pub(super) fn is_certificate(der: &[u8]) -> bool {
    matches!(tags(der).as_deref(), Some([SEQUENCE, SEQUENCE, 0x03]))
}

/// The kind of a private key; `None` if it is none.
pub(super) fn key_label(der: &[u8]) -> Option<Label> {
    match tags(der)?.as_slice() {
        // RFC 5958: version, algorithm, key, optional attributes.
        [INTEGER, SEQUENCE, OCTETS, ..] => Some(Label::PrivateKey),
        // RFC 5958 section 3: algorithm, encrypted key.
        [SEQUENCE, OCTETS] => Some(Label::EncryptedPrivateKey),
        // RFC 8017 appendix A.1.2: version and at least eight numbers.
        members if members.len() >= 9 && members[..9].iter().all(|tag| *tag == INTEGER) => {
            Some(Label::RsaPrivateKey)
        }
        // RFC 5915: version, key, optional parameters and public key.
        [INTEGER, OCTETS, ..] => Some(Label::EcPrivateKey),
        _ => None,
    }
}

/// True if the content has the form that the label requires.
pub(super) fn fits(label: Label, content: &[u8]) -> bool {
    match label {
        Label::Certificate => is_certificate(content),
        Label::TrustedCertificate => false,
        Label::PrivateKey | Label::RsaPrivateKey | Label::EcPrivateKey | Label::EncryptedPrivateKey => {
            key_label(content) == Some(label)
        }
    }
}

/// The tags of the elements in a single sequence; `None` if it has more than [`MAX_MEMBERS`], or if other bytes follow
/// it.
fn tags(der: &[u8]) -> Option<Vec<u8>> {
    let (SEQUENCE, mut inside, []) = element(der)? else { return None };
    let mut tags = Vec::new();
    while !inside.is_empty() {
        let (tag, _, rest) = element(inside)?;
        if tags.len() == MAX_MEMBERS {
            return None;
        }
        tags.push(tag);
        inside = rest;
    }
    Some(tags)
}

/// More elements than the outer sequence of any certificate or key.
const MAX_MEMBERS: usize = 16;

/// The first element: its tag, its content, and the bytes after it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // A length of more than three bytes exceeds the largest input.
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |len, digit| len << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(inside: &[u8]) -> Vec<u8> {
        [&[SEQUENCE, inside.len() as u8], inside].concat()
    }

    #[test]
    fn kinds_of_keys_are_distinguished() {
        let number = [INTEGER, 1, 0];
        let pkcs8 = sequence(&[&number[..], &[SEQUENCE, 0, OCTETS, 1, 7]].concat());
        assert_eq!(key_label(&pkcs8), Some(Label::PrivateKey));
        assert_eq!(key_label(&sequence(&[SEQUENCE, 0, OCTETS, 1, 7])), Some(Label::EncryptedPrivateKey));
        assert_eq!(key_label(&sequence(&number.repeat(9))), Some(Label::RsaPrivateKey));
        assert_eq!(key_label(&sequence(&[INTEGER, 1, 1, OCTETS, 1, 7])), Some(Label::EcPrivateKey));
        assert_eq!(key_label(&sequence(&number)), None);
    }

    #[test]
    fn garbage_is_neither_a_certificate_nor_a_key() {
        let certificate = sequence(&[SEQUENCE, 0, SEQUENCE, 0, 3, 1, 0]);
        assert!(is_certificate(&certificate));
        assert!(key_label(&certificate).is_none());
        for cut in 0..certificate.len() {
            assert!(!is_certificate(&certificate[..cut]), "{cut} bytes");
        }
        assert!(!is_certificate(&[&certificate[..], b"\0"].concat()), "trailing bytes");
        for garbage in [&b""[..], b"0", b"0\x80", b"0\x84\xff\xff\xff\xff", b"0\x83\xff\xff\xff", &[0xff; 99]]
        {
            assert!(!is_certificate(garbage));
            assert_eq!(key_label(garbage), None);
        }
        assert!(!is_certificate(&sequence(&[SEQUENCE, 0].repeat(40))));
    }
}
