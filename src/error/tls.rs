//! The step at which TLS on the module failed, and the reason.

use std::fmt;
use std::time::Duration;

use crate::at::{CmeError, Refusal, TlsKey};

/// A step of making a TLS connection, or of removing its files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TlsStep {
    /// The wait for its turn while another connection is being prepared or made.
    Turn,
    /// The creation, check or writing of a file.
    Upload(TlsPart),
    /// A setting of the context.
    Configure(TlsKey),
    /// The module's one switch between TLS and plain.
    Switch,
    /// The connection itself. The module does not report the cause: an unreachable server, a wrong certificate of the
    /// server, a refused certificate of the client, or no common version or cipher.
    Connect,
}

/// A file of a TLS connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TlsPart {
    /// The certificates that the server's certificate is verified with.
    Ca,
    /// The client's own certificate.
    ClientCertificate,
    /// The client's private key.
    ClientKey,
}

/// The reason why a step failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TlsFailure {
    /// The module refused the command.
    Refused(Refusal),
    /// The module did not answer, or the time-out passed in this step.
    Timeout(Duration),
    /// A plain connection was requested while TLS connections are open. The module has one switch for all connections.
    TlsOpen,
    /// The module accepted the command that changes its switch, and reports the old state afterwards. The connection
    /// would be unencrypted.
    NotSwitched,
}

/// 3GPP TS 27.007 section 9.2.1.
const MEMORY_FAILURE: CmeError = CmeError::new(23);

impl TlsFailure {
    /// True if the module reported a failed connection without details.
    #[cfg(feature = "diagnosis")]
    pub(crate) fn is_no_connection(self) -> bool {
        self == Self::Refused(Refusal::ConnectFail)
    }

    /// True if the error number means that the module has no memory; fewer TLS connections may be possible. A handshake
    /// that fails for this reason has no such number.
    pub fn is_out_of_memory(self) -> bool {
        matches!(
            self,
            Self::Refused(Refusal::Cme(CmeError::MEMORY_FULL | MEMORY_FAILURE | CmeError::NO_MEMORY))
        )
    }
}

impl TlsFailure {
    /// The module says `ERROR`.
    #[cfg(test)]
    pub(crate) const REFUSED: Self = Self::Refused(Refusal::Error);

    /// True if the request of the application is the cause, and not the module.
    pub(crate) fn is_of_the_application(self) -> bool {
        match self {
            Self::TlsOpen => true,
            Self::Refused(_) | Self::Timeout(_) | Self::NotSwitched => false,
        }
    }

    /// True if the module has refused it permanently.
    pub(crate) fn is_certain(self) -> bool {
        match self {
            Self::Refused(Refusal::Empty | Refusal::Ambiguous) | Self::Timeout(_) => false,
            Self::Refused(_) => !self.is_out_of_memory(),
            Self::TlsOpen | Self::NotSwitched => true,
        }
    }
}

impl fmt::Display for TlsStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Turn => f.write_str("waiting for other connections"),
            Self::Upload(TlsPart::Ca) => f.write_str("uploading the CA certificate"),
            Self::Upload(TlsPart::ClientCertificate) => f.write_str("uploading the client's certificate"),
            Self::Upload(TlsPart::ClientKey) => f.write_str("uploading the client's key"),
            Self::Configure(key) => write!(f, "setting {}", key.as_str()),
            Self::Switch => f.write_str("switching between TLS and plain"),
            Self::Connect => f.write_str("connection or handshake"),
        }
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "refused: {refusal}"),
            Self::Timeout(after) => write!(f, "no answer within {after:?}"),
            Self::NotSwitched => {
                f.write_str("the module accepted the command, but its TLS switch did not change")
            }
            Self::TlsOpen => f.write_str("TLS connections are open, and one switch holds for all of them"),
        }
    }
}
