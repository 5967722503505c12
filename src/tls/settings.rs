//! A checked TLS configuration, and the settings for the module.

use std::fmt;

use crate::at::{Quotable, TlsKey, TlsValue};

use super::material::File;
use super::parameters::{CipherSuite, SecurityLevel, TlsVersion};
use crate::error::TlsPart;

/// The settings of a TLS connection, checked by [`TlsConfig::settings`](super::TlsConfig::settings).
#[derive(Clone)]
pub struct TlsSettings {
    /// In the order of [`PARTS`].
    pub(crate) files: [Option<File>; 3],
    pub(crate) level: SecurityLevel,
    pub(crate) version: TlsVersion,
    pub(crate) cipher_suite: Option<CipherSuite>,
    pub(crate) name: Option<Quotable>,
    /// True if a module that refuses the name can't be used.
    pub(crate) name_matters: bool,
    pub(crate) ignore_local_time: bool,
    pub(crate) negotiate_seconds: Option<u32>,
    pub(crate) plain_beside: bool,
}

/// One line of the context.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) key: TlsKey,
    /// `None`: the default, as if it had never been set.
    pub(crate) value: Option<TlsValue>,
    /// True if a refusal ends the connection. Firmware that does not know a key behaves as with the key's default.
    pub(crate) required: bool,
}

pub(crate) const PARTS: [TlsPart; 3] = [TlsPart::Ca, TlsPart::ClientCertificate, TlsPart::ClientKey];
const FILE_KEYS: [TlsKey; 3] = [TlsKey::CaCertificate, TlsKey::ClientCertificate, TlsKey::ClientKey];

impl TlsSettings {
    /// Every setting, in the order of the manual's examples (capture d01).
    pub(crate) fn settings(&self) -> Vec<Setting> {
        let number = |key, number, required| Setting { key, value: Some(TlsValue::Number(number)), required };
        let optional = |key, value| Setting { key, value, required: true };
        let mut settings: Vec<Setting> = FILE_KEYS
            .into_iter()
            .zip(&self.files)
            .map(|(key, file)| optional(key, file.as_ref().map(|file| TlsValue::Text(file.name().clone()))))
            .collect();
        settings.extend([
            number(TlsKey::SecurityLevel, self.level.number(), true),
            number(TlsKey::Version, self.version.number(), self.version != TlsVersion::Any),
            optional(TlsKey::CipherSuite, self.cipher_suite.map(|suite| TlsValue::Hex(suite.number()))),
            Setting {
                key: TlsKey::HostName,
                value: self.name.clone().map(TlsValue::Text),
                required: self.name_matters || self.name.is_none(),
            },
            number(TlsKey::IgnoreLocalTime, self.ignore_local_time.into(), self.ignore_local_time),
            optional(TlsKey::NegotiateTimeout, self.negotiate_seconds.map(TlsValue::Number)),
        ]);
        settings
    }

    /// True if plain connections may be opened beside it.
    pub(crate) fn plain_beside(&self) -> bool {
        self.plain_beside
    }
}

/// Shows the names of files, never their contents.
impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings")
            .field("level", &self.level)
            .field("files", &self.files)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
