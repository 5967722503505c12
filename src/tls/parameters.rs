//! The choices of a connection, by the numbers of `AT+SSLCFG`.

/// The sides that are authenticated (`seclevel`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SecurityLevel {
    /// Neither side: any server is accepted.
    None,
    /// The server.
    Server,
    /// The server, and the client if the server requests it.
    Mutual,
}

/// TLS versions of the module (`sslversion`).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub enum TlsVersion {
    /// SSL 3.0, broken since 2014.
    Ssl3,
    /// TLS 1.0.
    Tls1_0,
    /// TLS 1.1.
    Tls1_1,
    /// TLS 1.2.
    Tls1_2,
    /// Any of these, by the server's choice. This is the only value with which a related module is known to have
    /// connected.
    #[default]
    Any,
}

/// Cipher suites that can be required (`ciphersuite`), with their names in the IANA registry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
#[allow(non_camel_case_types, reason = "the names of the registry")]
pub enum CipherSuite {
    /// 0x0035.
    TLS_RSA_WITH_AES_256_CBC_SHA,
    /// 0x002F.
    TLS_RSA_WITH_AES_128_CBC_SHA,
    /// 0x003D.
    TLS_RSA_WITH_AES_256_CBC_SHA256,
    /// 0x000A: for old servers only.
    TLS_RSA_WITH_3DES_EDE_CBC_SHA,
    /// 0x0005: broken.
    TLS_RSA_WITH_RC4_128_SHA,
    /// 0x0004: broken.
    TLS_RSA_WITH_RC4_128_MD5,
    /// 0xFFFF: all of these, set explicitly.
    All,
}

impl SecurityLevel {
    pub(super) fn number(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Server => 1,
            Self::Mutual => 2,
        }
    }
}

impl TlsVersion {
    pub(super) fn number(self) -> u32 {
        match self {
            Self::Ssl3 => 0,
            Self::Tls1_0 => 1,
            Self::Tls1_1 => 2,
            Self::Tls1_2 => 3,
            Self::Any => 4,
        }
    }
}

impl CipherSuite {
    pub(super) fn number(self) -> u16 {
        match self {
            Self::TLS_RSA_WITH_AES_256_CBC_SHA => 0x0035,
            Self::TLS_RSA_WITH_AES_128_CBC_SHA => 0x002F,
            Self::TLS_RSA_WITH_AES_256_CBC_SHA256 => 0x003D,
            Self::TLS_RSA_WITH_3DES_EDE_CBC_SHA => 0x000A,
            Self::TLS_RSA_WITH_RC4_128_SHA => 0x0005,
            Self::TLS_RSA_WITH_RC4_128_MD5 => 0x0004,
            Self::All => 0xFFFF,
        }
    }
}
