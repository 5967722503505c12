//! The step at which TLS on the module failed, and the reason.

use std::fmt;
use std::time::Duration;

use crate::at::{CmeError, Refusal, TlsKey};

/// A step on the way to a TLS connection, or of tidying up after one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TlsStep {
    /// Waiting for its turn: another connection is being prepared or made.
    Turn,
    /// Making, finding or writing a file.
    Upload(TlsPart),
    /// A setting of the context.
    Configure(TlsKey),
    /// The module's one switch between TLS and plain.
    Switch,
    /// The connection itself. The module does not say whether the server could not be reached, its certificate was
    /// wrong, it refused the client's, or nothing in common could be agreed upon.
    Connect,
}

/// A file of a TLS connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TlsPart {
    /// The certificates that the server's is checked with.
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
    /// The module said no.
    Refused(Refusal),
    /// It said nothing, or time was up in this step.
    Timeout(Duration),
    /// A plain connection was asked for while TLS ones are open, and the module has one switch for all.
    TlsOpen,
    /// The module accepted the command that changes its switch, and reports the old position afterwards. The connection
    /// would be in the clear instead of TLS.
    NotSwitched,
}

/// 3GPP TS 27.007 section 9.2.1.
const MEMORY_FAILURE: CmeError = CmeError::new(23);

impl TlsFailure {
    /// Whether the module said that there is no connection, and no more.
    #[cfg(feature = "diagnosis")]
    pub(crate) fn is_no_connection(self) -> bool {
        self == Self::Refused(Refusal::ConnectFail)
    }

    /// Whether the module has no memory left for it: fewer TLS connections may fit. By the numbers alone; a handshake
    /// that fails for want of memory looks like any other.
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

    /// Whether it is not the module that failed, but what the application asked for.
    pub(crate) fn is_of_the_application(self) -> bool {
        match self {
            Self::TlsOpen => true,
            Self::Refused(_) | Self::Timeout(_) | Self::NotSwitched => false,
        }
    }

    /// Whether the module has said no, and not only for now.
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
            Self::NotSwitched => f.write_str("the module took the command, and its switch is where it was"),
            Self::TlsOpen => f.write_str("TLS connections are open, and one switch holds for all of them"),
        }
    }
}
