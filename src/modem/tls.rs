//! TLS on the module: connections, and the upload and removal of files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::transport::Tls;
use super::{Connector, Modem};
use crate::error::{Error, Result};
use crate::proto::{Protocol, Request};
use crate::tls::{Certificate, MAX_INPUT, PrivateKey, TlsConfig};

impl Modem {
    /// Returns a connector for TCP with TLS on the module (`socket.tcp(true, {caCert, ...})`). Data are unencrypted on
    /// the serial line only.
    ///
    /// The files of the configuration are uploaded once. Their names are made of their content
    /// (`c0ffee0123456789.crt`), and existing files are used. [`Error::Tls`] names the step at which a connect failed.
    /// A wrong certificate is a refusal at [`TlsStep::Connect`](crate::error::TlsStep::Connect), because the module
    /// reports no details.
    ///
    /// The module has one switch between TLS and plain. TLS connections can be opened beside plain ones, if the
    /// firmware accepts a change of the switch then. Plain connections beside TLS are refused, unless
    /// [`TlsConfig::plain_beside`] allows them.
    ///
    /// ```no_run
    /// use air724ug::{Certificate, TlsConfig};
    ///
    /// # let modem = air724ug::Modem::open("/dev/ttyUSB0", Default::default())?;
    /// let config = TlsConfig::verified(Certificate::from_file("ca.crt")?);
    /// let socket = modem.tls(config).connect(("example.com", 443))?;
    /// # Ok::<(), air724ug::Error>(())
    /// ```
    pub fn tls(&self, config: TlsConfig) -> Connector<Tls> {
        Connector::new(self.clone(), Protocol::Tcp).with_tls(config)
    }

    /// Removes the files of a configuration from the module. Returns their number. The next connect that needs them
    /// uploads them again. Open connections have read their files already (an assumption).
    ///
    /// # Errors
    /// [`Error::Timeout`] after 9 s for each file; [`Error::PortLost`]. A refusal is no error: it means that the file
    /// does not exist.
    pub fn remove_tls_files(&self, config: &TlsConfig) -> Result<usize> {
        let mut removed = 0;
        for name in config.file_names() {
            match self.driver.call(Request::RemoveFile(name)) {
                Ok(_) => removed += 1,
                Err(Error::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(removed)
    }
}

impl Certificate {
    /// Reads a PEM or DER file, like [`from_bytes`](Self::from_bytes).
    ///
    /// # Errors
    /// [`Error::Io`] if it can't be read, [`Error::InvalidInput`] if there is no certificate in it.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_bytes(&read(path.as_ref())?)
    }
}

impl PrivateKey {
    /// Reads a PEM or DER file, like [`from_bytes`](Self::from_bytes).
    ///
    /// # Errors
    /// [`Error::Io`] if it can't be read, [`Error::InvalidInput`] if there is no usable key in it.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_bytes(&read(path.as_ref())?)
    }

    /// Reads a file of PEM or DER with a password, as [`from_bytes_encrypted`](Self::from_bytes_encrypted). Feature
    /// `encrypted-keys`.
    ///
    /// # Errors
    /// [`Error::Io`] if it can't be read; [`Error::WrongPassword`]; [`Error::InvalidInput`] if there is no usable key
    /// in it.
    #[cfg(feature = "encrypted-keys")]
    pub fn from_file_encrypted(path: impl AsRef<Path>, password: impl AsRef<[u8]>) -> Result<Self> {
        Self::from_bytes_encrypted(&read(path.as_ref())?, password)
    }
}

/// Reads no more than is looked at, whatever the file is.
fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_INPUT as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
