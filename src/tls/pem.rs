//! PEM (RFC 7468), the Base64 text of certificates and keys that the module accepts.

use std::borrow::Cow;

use super::base64;
use super::label::Label;

/// One block, decoded.
pub(super) struct Block {
    /// `None`: a block that is neither a certificate nor a key.
    pub(super) label: Option<Label>,
    /// The label as written.
    pub(super) name: String,
    /// The content, or its error. The error of a block that is not needed has no effect.
    pub(super) der: Result<Vec<u8>, PemError>,
}

/// The error in a text. It contains no part of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum PemError {
    #[error("has a control byte")]
    ControlByte,
    #[error("has a block without an end")]
    Unfinished,
    #[error("has a block that is no Base64")]
    NotBase64,
    #[error(
        "is encrypted, and the module takes no password: decrypt it first, with `openssl pkey` for example, or with \
         `PrivateKey::from_bytes_encrypted` of this crate's feature `encrypted-keys`"
    )]
    Encrypted,
    #[error(
        "is encrypted the way OpenSSL did before version 1.0: decrypt it first, or encrypt it again as PKCS#8, with \
         `openssl pkcs8 -topk8` for example"
    )]
    EncryptedAsOfOld,
    #[error("has a block with headers")]
    Headers,
    #[error("is UTF-16 text: save it as UTF-8 or ASCII")]
    Utf16,
    #[error(
        "is a `TRUSTED CERTIFICATE`, whose trust settings only OpenSSL knows: convert it first, with `openssl x509` for \
         example"
    )]
    Trusted,
}

/// The bytes in a line of Base64 of 64 characters (RFC 7468 section 2).
const LINE: usize = 48;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// True if the input counts as PEM; any other input counts as DER.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    is_utf16(bytes) || bytes.windows(BEGIN.len()).any(|window| window == BEGIN.as_bytes())
}

/// True if it begins like UTF-16 text. No DER does.
fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")
}

/// The blocks of a text; other text around them is skipped. A line end may be LF, CR, both or missing, or the two
/// characters `\n`, which replace it in JSON and in environment variables.
///
/// # Errors
/// Only if a block has no end.
pub(super) fn read(text: &[u8]) -> Result<Vec<Block>, PemError> {
    if is_utf16(text) {
        return Err(PemError::Utf16);
    }
    if text.iter().any(|byte| byte.is_ascii_control() && !matches!(byte, b'\r' | b'\n' | b'\t')) {
        return Err(PemError::ControlByte);
    }
    let text = String::from_utf8_lossy(text);
    let text = unescaped(&text);
    let mut rest = &*text;
    let mut blocks = Vec::new();
    while let Some((_, after)) = rest.split_once(BEGIN) {
        rest = after;
        let Some((name, inside)) = after.split_once(DASHES) else { break };
        if name.contains(LINE_ENDS) {
            continue;
        }
        let (content, after) = inside.split_once(END).ok_or(PemError::Unfinished)?;
        let after = after.strip_prefix(name).and_then(|after| after.strip_prefix(DASHES));
        rest = after.ok_or(PemError::Unfinished)?;
        blocks.push(Block { label: Label::of_name(name), name: name.to_owned(), der: decoded(content) });
    }
    Ok(blocks)
}

const LINE_ENDS: [char; 2] = ['\r', '\n'];

/// The text with the escapes of JSON replaced. Base64 has no backslash.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\\r", "\r").replace("\\n", "\n").replace("\\/", "/"))
}

/// Appends one block as text, with LF as line end. The text is reallocated at most once, before a part of the block is
/// in it.
pub(super) fn write(text: &mut String, label: Label, der: &[u8]) {
    let name = label.as_str();
    let around = [BEGIN, name, DASHES, "\n", END, name, DASHES, "\n"].map(str::len);
    let inside = [base64::encoded_len(der.len()), der.len().div_ceil(LINE)];
    text.reserve_exact(around.into_iter().chain(inside).fold(0, usize::saturating_add));
    text.extend([BEGIN, name, DASHES, "\n"]);
    for line in der.chunks(LINE) {
        base64::encode_into(text, line);
        text.push('\n');
    }
    text.extend([END, name, DASHES, "\n"]);
}

/// The content between the two lines of a block.
fn decoded(content: &str) -> Result<Vec<u8>, PemError> {
    // The older kind of encryption (RFC 1421 section 4.6).
    if content.contains(':') {
        let is_encrypted = content.contains("ENCRYPTED");
        return Err(if is_encrypted { PemError::EncryptedAsOfOld } else { PemError::Headers });
    }
    let digits: String = content.split_ascii_whitespace().collect();
    base64::decode(digits.as_bytes()).ok_or(PemError::NotBase64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for len in [0, 1, 47, 48, 49, 500] {
            let der: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let mut text = String::new();
            write(&mut text, Label::RsaPrivateKey, &der);
            assert_eq!(text.len(), text.capacity(), "it was moved");
            assert!(text.lines().all(|line| line.len() <= 64 && !line.is_empty()));
            let blocks = read(text.as_bytes()).unwrap();
            assert_eq!((blocks.len(), blocks[0].label), (1, Some(Label::RsaPrivateKey)));
            assert_eq!(blocks[0].der.as_ref(), Ok(&der));
        }
    }

    #[test]
    fn line_ends_and_surroundings_do_not_matter() {
        let text = "Bag Attributes: \u{e9}\r\n-----BEGIN CERTIFICATE-----\r\n  Zm9v\r\nYmFy\t\r\n\
                    -----END CERTIFICATE-----\r\nmore\r\n-----BEGIN X-----\n-----END X-----";
        let blocks = read(text.as_bytes()).unwrap();
        assert_eq!(blocks[0].der.as_deref(), Ok(&b"foobar"[..]));
        assert_eq!((blocks[1].label, blocks[1].name.as_str()), (None, "X"));
        for ends in ["\r", "\\n", "\\r\\n", "", " ", "\t\r\n"] {
            let text = [
                "\u{feff}-----BEGIN X509 CERTIFICATE-----",
                "Zm9v",
                "+\\/8=",
                "-----END X509 CERTIFICATE-----",
            ];
            let blocks = read(text.join(ends).as_bytes()).unwrap();
            assert_eq!((blocks.len(), blocks[0].label), (1, Some(Label::Certificate)), "{ends:?}");
            assert_eq!(blocks[0].der.as_deref(), Ok(&b"foo\xfb\xff"[..]), "{ends:?}");
        }
    }

    #[test]
    fn hostile_text_is_refused_with_a_reason() {
        let block =
            |inside: &str| format!("-----BEGIN PRIVATE KEY-----\n{inside}\n-----END PRIVATE KEY-----\n");
        let reason = |text: &str| match read(text.as_bytes()) {
            Ok(blocks) => blocks.into_iter().next().and_then(|block| block.der.err()),
            Err(why) => Some(why),
        };
        assert_eq!(reason(&block("Zm9v\u{1a}")), Some(PemError::ControlByte));
        assert_eq!(reason(&block("Zm9v\0")), Some(PemError::ControlByte));
        assert_eq!(reason(&block("\"\r\nAT+CFUN=0")), Some(PemError::NotBase64));
        assert_eq!(reason("-----BEGIN PRIVATE KEY-----\nZm9v\n"), Some(PemError::Unfinished));
        assert_eq!(reason(&block("Zm9v").replace("END PRIVATE", "END RSA")), Some(PemError::Unfinished));
        assert_eq!(reason(&block("Proc-Type: 4,ENCRYPTED\nDEK-Info: X")), Some(PemError::EncryptedAsOfOld));
        assert_eq!(reason(&block("Comment: x")), Some(PemError::Headers));
    }
}
