//! The labels of PEM blocks (RFC 7468).

/// The words after `-----BEGIN`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Label {
    Certificate,
    PrivateKey,
    RsaPrivateKey,
    EcPrivateKey,
    EncryptedPrivateKey,
    /// A certificate followed by OpenSSL's own trust settings.
    TrustedCertificate,
}

impl Label {
    const ALL: [Self; 6] = [
        Self::Certificate,
        Self::PrivateKey,
        Self::RsaPrivateKey,
        Self::EcPrivateKey,
        Self::EncryptedPrivateKey,
        Self::TrustedCertificate,
    ];

    /// The kind of block with this label. `X509 CERTIFICATE` and `X.509 CERTIFICATE` are older names (RFC 7468 section
    /// 5.1).
    pub(super) fn of_name(name: &str) -> Option<Self> {
        match name {
            "X509 CERTIFICATE" | "X.509 CERTIFICATE" => Some(Self::Certificate),
            name => Self::ALL.into_iter().find(|label| label.as_str() == name),
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "CERTIFICATE",
            Self::PrivateKey => "PRIVATE KEY",
            Self::RsaPrivateKey => "RSA PRIVATE KEY",
            Self::EcPrivateKey => "EC PRIVATE KEY",
            Self::EncryptedPrivateKey => "ENCRYPTED PRIVATE KEY",
            Self::TrustedCertificate => "TRUSTED CERTIFICATE",
        }
    }
}
