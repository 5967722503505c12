//! The settings of a TLS connection that an application chooses.

use std::net::IpAddr;
use std::time::Duration;

use crate::at::Quotable;
use crate::error::{Error, Result};

use super::material::{Certificate, PrivateKey};
use super::parameters::{CipherSuite, SecurityLevel, TlsVersion};
use super::settings::TlsSettings;

/// The TLS settings of the module, for [`Modem::tls`](crate::Modem::tls).
///
/// ```
/// use air724ug::{Certificate, TlsConfig};
///
/// # let der = &[0x30, 7, 0x30, 0, 0x30, 0, 3, 1, 0][..];
/// # /*
/// let der = std::fs::read("ca.der")?;
/// # */
/// let config = TlsConfig::verified(Certificate::from_bytes(&der)?).server_name("example.com");
/// assert!(config.is_verified());
/// # Ok::<(), air724ug::Error>(())
/// ```
///
/// The module checks dates against its own clock, which the network sets some seconds after registration. Until then
/// every certificate is invalid, unless [`ignore_local_time`](Self::ignore_local_time) is set. The module supports TLS
/// 1.2 at best, and by its manual only RSA key exchange.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct TlsConfig {
    ca: Option<Certificate>,
    client: Option<(Certificate, PrivateKey)>,
    server_name: ServerName,
    version: TlsVersion,
    cipher_suite: Option<CipherSuite>,
    ignore_local_time: bool,
    negotiate_timeout: Option<Duration>,
    plain_beside: bool,
}

/// The name of the server.
#[derive(Clone, PartialEq, Eq, Debug)]
enum ServerName {
    /// The name that is connected to; none if it is an address.
    OfHost,
    Given(String),
    None,
}

/// The range of `negotiatetimeout` (protocol section 14).
const NEGOTIATE: std::ops::RangeInclusive<u64> = 10..=300;

impl TlsConfig {
    /// A configuration that accepts only servers with a certificate from this authority.
    pub fn verified(ca: Certificate) -> Self {
        Self { ca: Some(ca), ..Self::unverified() }
    }

    /// A configuration that does **not** verify the server: any server is accepted, and another host on the path can
    /// read and change the data. For tests, and for data that need no protection. Each use is logged as a warning.
    pub fn unverified() -> Self {
        Self {
            ca: None,
            client: None,
            server_name: ServerName::OfHost,
            version: TlsVersion::default(),
            cipher_suite: None,
            ignore_local_time: false,
            negotiate_timeout: None,
            plain_beside: false,
        }
    }

    /// Sets the certificate of the client, with its key, for servers that request one. No source says whether the
    /// module sends it to a server that is not verified.
    pub fn client_identity(self, certificate: Certificate, key: PrivateKey) -> Self {
        Self { client: Some((certificate, key)), ..self }
    }

    /// Sets the name of the server. The module sends it (SNI) and compares it with the server's certificate. Default:
    /// the name that is connected to. For an address there is no name by default, and any certificate from the
    /// authority is accepted.
    pub fn server_name(self, name: impl Into<String>) -> Self {
        Self { server_name: ServerName::Given(name.into()), ..self }
    }

    /// No name is sent or compared with the certificate: any server with a certificate from the authority is accepted.
    pub fn any_server_name(self) -> Self {
        Self { server_name: ServerName::None, ..self }
    }

    /// Sets the version. Default [`TlsVersion::Any`].
    pub fn version(self, version: TlsVersion) -> Self {
        Self { version, ..self }
    }

    /// Requires a cipher suite. Default: the module's own choice.
    pub fn cipher_suite(self, suite: CipherSuite) -> Self {
        Self { cipher_suite: Some(suite), ..self }
    }

    /// Sets whether the dates of certificates are ignored, for a module that does not know the time. Default false.
    pub fn ignore_local_time(self, ignore: bool) -> Self {
        Self { ignore_local_time: ignore, ..self }
    }

    /// Sets the time-out of the handshake: whole seconds, 10 to 300. Default: the module's own.
    pub fn negotiate_timeout(self, timeout: Duration) -> Self {
        Self { negotiate_timeout: Some(timeout), ..self }
    }

    /// Sets whether plain connections may be opened while one of these is open. Default false: they are refused.
    ///
    /// The module has one switch between TLS and plain, and no source describes its effect on open connections. Opening
    /// a TLS connection beside plain ones is safe. In the reverse case, firmware might send the rest of a TLS
    /// connection unencrypted: allow it only for firmware that you have observed on the network.
    pub fn plain_beside(self, allowed: bool) -> Self {
        Self { plain_beside: allowed, ..self }
    }

    /// True if the server is verified.
    pub fn is_verified(&self) -> bool {
        self.ca.is_some()
    }

    /// True if the dates of certificates are ignored.
    #[cfg(feature = "diagnosis")]
    pub(crate) fn ignores_local_time(&self) -> bool {
        self.ignore_local_time
    }

    /// True if the server's certificate must have a name. `is_address` is true if the host is an address.
    #[cfg(feature = "diagnosis")]
    pub(crate) fn has_name(&self, is_address: bool) -> bool {
        match self.server_name {
            ServerName::OfHost => !is_address,
            ServerName::Given(_) => true,
            ServerName::None => false,
        }
    }

    /// The configuration that accepts any server and sends no client certificate.
    #[cfg(feature = "diagnosis")]
    pub(crate) fn accepting_any_server(self) -> Self {
        Self { ca: None, client: None, ..self }
    }

    /// The authenticated sides, which follow from the given certificates.
    pub fn security_level(&self) -> SecurityLevel {
        match (&self.ca, &self.client) {
            (None, _) => SecurityLevel::None,
            (Some(_), None) => SecurityLevel::Server,
            (Some(_), Some(_)) => SecurityLevel::Mutual,
        }
    }

    /// Checks all values that become part of a command, for a connection to this host.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] with the name of the setting.
    pub fn settings(&self, host: &str) -> Result<TlsSettings> {
        let host = Quotable::host(host).map_err(|why| Error::invalid("host", why))?;
        let name = match &self.server_name {
            ServerName::OfHost => Some(host).filter(|host| host.as_str().parse::<IpAddr>().is_err()),
            ServerName::Given(name) => {
                Some(Quotable::host(name).map_err(|why| Error::invalid("server name", why))?)
            }
            ServerName::None => None,
        };
        let seconds = self.negotiate_timeout.map(whole_seconds).transpose()?;
        let files = [
            self.ca.as_ref().map(|ca| ca.file().clone()),
            self.client.as_ref().map(|(certificate, _)| certificate.file().clone()),
            self.client.as_ref().map(|(_, key)| key.file().clone()),
        ];
        Ok(TlsSettings {
            files,
            level: self.security_level(),
            version: self.version,
            cipher_suite: self.cipher_suite,
            name,
            name_matters: self.is_verified() || matches!(self.server_name, ServerName::Given(_)),
            ignore_local_time: self.ignore_local_time,
            negotiate_seconds: seconds,
            plain_beside: self.plain_beside,
        })
    }

    /// The names of the files on the module.
    pub(crate) fn file_names(&self) -> Vec<Quotable> {
        let client = self.client.iter().flat_map(|(certificate, key)| [certificate.file(), key.file()]);
        let files = self.ca.iter().map(Certificate::file).chain(client);
        let mut names: Vec<Quotable> = files.map(|file| file.name().clone()).collect();
        names.dedup();
        names
    }
}

fn whole_seconds(timeout: Duration) -> Result<u32> {
    let seconds = timeout.as_secs();
    if timeout.subsec_nanos() != 0 || !NEGOTIATE.contains(&seconds) {
        return Err(Error::invalid("negotiate time-out", "is not a whole number of seconds from 10 to 300"));
    }
    u32::try_from(seconds).map_err(|why| Error::invalid("negotiate time-out", why))
}
