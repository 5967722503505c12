//! A TLS configuration, checked, and what it asks of the module.

use std::fmt;

use crate::at::{Quotable, TlsKey, TlsValue};

use super::config::{CipherSuite, SecurityLevel, TlsVersion};
use super::material::File;
use super::step::TlsPart;

/// What a TLS connection needs, checked by [`TlsConfig::settings`](super::TlsConfig::settings).
#[derive(Clone)]
pub struct TlsSettings {
    /// In the order of [`PARTS`].
    pub(super) files: [Option<File>; 3],
    pub(super) level: SecurityLevel,
    pub(super) version: TlsVersion,
    pub(super) cipher_suite: Option<CipherSuite>,
    pub(super) name: Option<Quotable>,
    /// Whether a module that can't take the name can't be used.
    pub(super) name_matters: bool,
    pub(super) ignore_local_time: bool,
    pub(super) negotiate_seconds: Option<u32>,
    pub(super) plain_beside: bool,
}

/// One line of the context.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) key: TlsKey,
    /// `None`: as if it had never been set.
    pub(super) value: Option<TlsValue>,
    /// Whether a refusal ends the connection. Firmware that does not know a key has what the key's default says.
    pub(super) required: bool,
}

pub(super) const PARTS: [TlsPart; 3] = [TlsPart::Ca, TlsPart::ClientCertificate, TlsPart::ClientKey];
const FILE_KEYS: [TlsKey; 3] = [TlsKey::CaCertificate, TlsKey::ClientCertificate, TlsKey::ClientKey];

impl TlsSettings {
    /// Every setting that there is, in the order of the manual's examples (capture d01).
    pub(super) fn settings(&self) -> Vec<Setting> {
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

    /// Whether plain connections may be opened beside it.
    pub(super) fn plain_beside(&self) -> bool {
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
