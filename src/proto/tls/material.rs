//! Certificates and keys, checked and in the form in which the module takes them.

use std::fmt;
use std::sync::Arc;

use crate::at::{Command, Quotable};
use crate::error::{Error, Result};

use super::der;
use super::pem::{self, Block, Label, PemError};
use super::sha256::sha256;

/// One certificate or several: of an authority, or a client's own with the chain behind it.
///
/// Given as PEM or DER; what is uploaded is PEM, at most 10240 bytes. Only the outer form is checked: dates and
/// signatures are the module's affair.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate(File);

/// A private key without a password: PKCS#8, RSA (PKCS#1) or EC (SEC 1).
///
/// Given as PEM or DER; uploaded as PEM. Shown nowhere: neither by `Debug`, nor in errors, logs and captures.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKey(File);

/// What is uploaded, under a name that its content determines: a file of that name on the module is this one.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::proto) struct File {
    name: Quotable,
    content: Arc<[u8]>,
}

/// The most that is looked at: far more than the module takes, so that a wrong file is refused for what it is. A longer
/// one is refused unread.
pub(crate) const MAX_INPUT: usize = 256 * 1024;

impl Certificate {
    /// Reads PEM, of which every certificate is taken and anything else is left out, or the DER of one certificate.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if there is no certificate in it, or more than the module takes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let what = "certificate";
        let mut text = String::new();
        for block in blocks(what, bytes, |_| Some(Label::Certificate))? {
            if let Block { label: Some(label @ Label::Certificate), der } = block {
                text.push_str(&encoded(what, label, der)?);
            }
        }
        File::new(what, text, "crt").map(Self)
    }

    pub(super) fn file(&self) -> &File {
        &self.0
    }
}

impl PrivateKey {
    /// Reads PEM with one private key, or its DER.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if there is no private key in it, more than one, or an encrypted one: no command of the
    /// module takes its password. Says nothing of the content.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let what = "private key";
        let mut text = String::new();
        for Block { label, der } in blocks(what, bytes, der::key_label)? {
            let Some(label) = label.filter(|label| *label != Label::Certificate) else { continue };
            if label == Label::EncryptedPrivateKey {
                return Err(Error::invalid(what, PemError::Encrypted));
            }
            if !text.is_empty() {
                return Err(Error::invalid(what, "is more than one"));
            }
            text = encoded(what, label, der)?;
        }
        File::new(what, text, "key").map(Self)
    }

    pub(super) fn file(&self) -> &File {
        &self.0
    }
}

impl File {
    fn new(what: &'static str, text: String, extension: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::invalid(what, "holds none"));
        }
        if text.len() > Command::MAX_FILE {
            let why = format_args!("has {} bytes, more than the {} of a file", text.len(), Command::MAX_FILE);
            return Err(Error::invalid(what, why));
        }
        let digest = sha256(text.as_bytes());
        let hash: String = digest[..HASH].iter().map(|byte| format!("{byte:02x}")).collect();
        let name = Quotable::new(&format!("{hash}.{extension}"), Command::MAX_FILE_NAME)
            .map_err(|why| Error::invalid_text("file name", why))?;
        Ok(Self { name, content: text.into_bytes().into() })
    }

    pub(in crate::proto) fn name(&self) -> &Quotable {
        &self.name
    }

    pub(in crate::proto) fn content(&self) -> &[u8] {
        &self.content
    }
}

/// Bytes of the digest that make the name. Eight, so that nobody makes a file that is taken for another.
const HASH: usize = 8;

/// The blocks of PEM, or the one that DER is.
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
    Ok(vec![Block { label: label(bytes), der: Ok(bytes.to_vec()) }])
}

fn encoded(what: &'static str, label: Label, der: std::result::Result<Vec<u8>, PemError>) -> Result<String> {
    let der = der.map_err(|why| Error::invalid(what, why))?;
    if !label.fits(&der) {
        return Err(Error::invalid(what, "is damaged or something else"));
    }
    Ok(pem::write(label, &der))
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
