//! TLS on the modem: `AT+CIPSSL=1` puts a session between a channel and its link.
//!
//! The session has no I/O: it works on every [`Network`](super::Network), also in virtual time. Its keys come from the
//! system's random numbers, not from the seed: the bytes of a handshake differ from run to run, the bytes for the host
//! do not.

#[cfg(not(feature = "sim-tls"))]
mod absent;
mod handshake;
#[cfg(feature = "sim-tls")]
mod session;
mod settings;
#[cfg(feature = "sim-tls")]
mod verifier;

#[cfg(not(feature = "sim-tls"))]
pub(super) use absent::{AVAILABLE, NoTls as TlsSession};
pub(super) use handshake::{Progress, Wanted};
#[cfg(feature = "sim-tls")]
pub(super) use session::{AVAILABLE, TlsSession};
pub(super) use settings::{KEYS, Key, SslContexts};

/// TLS on a channel.
#[derive(Debug)]
pub(in crate::sim) enum Tls {
    Off,
    /// `AT+CIPSSL=1` at the connect: the session begins when the link is open.
    Wanted,
    On(Box<TlsSession>),
}
