//! Certificates and keys, checked and in the form that the module accepts.

use std::fmt;
use std::sync::Arc;

use crate::at::{Command, Quotable};
use crate::error::{Error, Result};

use super::der;
use super::label::Label;
use super::pem::{self, Block, PemError};
use super::secret::Secret;
use super::sha256::sha256;

/// One or more certificates: of an authority, or a client's own followed by its chain.
///
/// The input is PEM or DER; the upload is PEM, at most 10240 bytes. Only the outer form is checked. The module checks
/// dates and signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate(File);

/// A private key: PKCS#8, RSA (PKCS#1) or EC (SEC 1).
///
/// The input is PEM or DER; the upload is unencrypted PEM, because no command of the module takes a password. So an
/// encrypted key needs its password here (feature `encrypted-keys`), and the file can be read by a person with access
/// to the module.
///
/// The key is never shown: not by `Debug`, and not in errors, logs and captures. It is wiped from memory when the last
/// copy is dropped. Two traces remain after an upload: the key has passed through buffers of this crate and of the
/// system, which are not wiped; and the session keeps its pieces of four characters, in lower case and without order,
/// to mask them in the module's output.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKey(File);

/// A file to upload. Its name is derived from its content, so a file of that name on the module has this content.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct File {
    name: Quotable,
    content: Arc<Secret>,
}

/// The name of a private key in errors.
const WHAT: &str = "private key";

/// The largest input that is read. It is far more than the module accepts, so that a wrong file gets an exact error. A
/// larger one is refused without reading it.
pub(crate) const MAX_INPUT: usize = 256 * 1024;

impl Certificate {
    /// Reads PEM or the DER of one certificate. All certificates of PEM are used, other blocks are left out. A byte
    /// order mark, line ends of any kind and the characters `\\n` in their place do not matter.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the input has no certificate, or more than the module accepts; the error names the
    /// blocks that were found instead. OpenSSL's `TRUSTED CERTIFICATE` is refused, because its trust settings would be
    /// lost.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let what = "certificate";
        let mut text = String::new();
        let mut others = Vec::new();
        for Block { label, name, der } in blocks(what, bytes, |_| Some(Label::Certificate))? {
            match label {
                Some(label @ Label::Certificate) => encode(&mut text, what, label, der)?,
                Some(Label::TrustedCertificate) => return Err(Error::invalid(what, PemError::Trusted)),
                Some(_) | None => others.push(name),
            }
        }
        if text.is_empty() {
            return Err(none_of(what, &others));
        }
        File::new(what, Secret::new(text.into_bytes()), "crt").map(Self)
    }

    pub(super) fn file(&self) -> &File {
        &self.0
    }
}

impl PrivateKey {
    /// Reads PEM with one private key, or its DER.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the input has no private key, more than one, or an encrypted one: no command of the
    /// module takes its password. The error contains no part of the input.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes, |_| Err(Error::invalid(WHAT, PemError::Encrypted)))
    }

    /// Reads PEM with one private key, or its DER. A key that is encrypted as PKCS#8 (`ENCRYPTED PRIVATE KEY`) is
    /// decrypted on the host with this password. Feature `encrypted-keys`.
    ///
    /// Supported is PBES2 with AES or triple DES, and PBKDF2 or scrypt; OpenSSL writes these since version 1.1. A key
    /// that requires more than 2 000 000 iterations of PBKDF2, or for scrypt more than 64 MiB of memory or 2^20 blocks
    /// (`N * r * p`), is refused before any work is done.
    ///
    /// No other copy of the password or the key is kept. The intermediate values of the cipher are not wiped.
    ///
    /// # Errors
    /// [`Error::WrongPassword`]; [`Error::InvalidInput`] as [`from_bytes`](Self::from_bytes), and for keys that are
    /// encrypted in other ways or require too much work.
    #[cfg(feature = "encrypted-keys")]
    pub fn from_bytes_encrypted(bytes: &[u8], password: impl AsRef<[u8]>) -> Result<Self> {
        Self::read(bytes, |der| super::encrypted::decrypt(der, password.as_ref()))
    }

    fn read(bytes: &[u8], decrypt: impl Fn(&[u8]) -> Result<Secret>) -> Result<Self> {
        let mut found = None;
        let mut others = Vec::new();
        for Block { label, name, der } in blocks(WHAT, bytes, der::key_label)? {
            let is_key = |label: &Label| !matches!(label, Label::Certificate | Label::TrustedCertificate);
            let Some(label) = label.filter(is_key) else {
                others.push(name);
                continue;
            };
            if found.is_some() {
                return Err(Error::invalid(WHAT, "is more than one"));
            }
            let mut text = String::new();
            match label {
                Label::EncryptedPrivateKey => {
                    let encrypted = der.map_err(|why| Error::invalid(WHAT, why))?;
                    let der = decrypt(&encrypted)?;
                    pem::write(&mut text, Label::PrivateKey, &der);
                }
                label => encode(&mut text, WHAT, label, der)?,
            }
            found = Some(Secret::new(text.into_bytes()));
        }
        File::new(WHAT, found.ok_or_else(|| none_of(WHAT, &others))?, "key").map(Self)
    }

    pub(super) fn file(&self) -> &File {
        &self.0
    }
}

impl File {
    fn new(what: &'static str, content: Secret, extension: &str) -> Result<Self> {
        if content.len() > Command::MAX_FILE {
            let why = format!("has {} bytes, more than the {} of a file", content.len(), Command::MAX_FILE);
            return Err(Error::invalid(what, why));
        }
        let digest = sha256(&content);
        let hash: String = digest[..HASH].iter().map(|byte| format!("{byte:02x}")).collect();
        let name = Quotable::new(&format!("{hash}.{extension}"), Command::MAX_FILE_NAME)
            .map_err(|why| Error::invalid_text("file name", why))?;
        Ok(Self { name, content: Arc::new(content) })
    }

    pub(crate) fn name(&self) -> &Quotable {
        &self.name
    }

    pub(crate) fn content(&self) -> &[u8] {
        &self.content
    }
}

/// The bytes of the digest in a name: eight, so that a second file with the same name can't be made on purpose.
const HASH: usize = 8;

/// The blocks of PEM, or the single block of DER.
fn blocks(
    what: &'static str,
    bytes: &[u8],
    label: impl FnOnce(&[u8]) -> Option<Label>,
) -> Result<Vec<Block>> {
    if bytes.len() > MAX_INPUT {
        return Err(Error::invalid(what, "is far too long"));
    }
    if pem::is_pem(bytes) {
        return pem::read(bytes).map_err(|why| Error::invalid(what, why));
    }
    Ok(vec![Block { label: label(bytes), name: String::new(), der: Ok(bytes.to_vec()) }])
}

/// The error of an input without a block of this kind. It names the labels that were found, if they are valid.
fn none_of(what: &'static str, others: &[String]) -> Error {
    let is_label = |name: &&String| {
        let is_of_one =
            |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" .".contains(&byte);
        (1..=MAX_LABEL).contains(&name.len()) && name.bytes().all(is_of_one)
    };
    let labels: Vec<&str> = others.iter().filter(is_label).take(MAX_LABELS).map(String::as_str).collect();
    match labels.as_slice() {
        [] => Error::invalid(what, "holds none"),
        labels => Error::invalid(what, format_args!("holds none, but {}", labels.join(", "))),
    }
}

/// The longest label that is shown. The longest registered label is shorter.
const MAX_LABEL: usize = 40;
/// The most labels that are shown.
const MAX_LABELS: usize = 4;

fn encode(
    text: &mut String,
    what: &'static str,
    label: Label,
    der: std::result::Result<Vec<u8>, PemError>,
) -> Result<()> {
    let der = Secret::new(der.map_err(|why| Error::invalid(what, why))?);
    if !der::fits(label, &der) {
        return Err(Error::invalid(what, "is damaged or something else"));
    }
    pem::write(text, label, &der);
    Ok(())
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({:?})", self.0)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

/// Shows name and length, never the content.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} bytes", self.name, self.content.len())
    }
}
