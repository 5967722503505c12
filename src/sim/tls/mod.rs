//! TLS on the modem: `AT+CIPSSL=1` puts a session between a channel and its link.
//!
//! The session has no io: it works on every [`Network`](super::Network), in virtual time too. Its keys come from the
//! system's chance, not from the seed: the bytes of a handshake differ from run to run, what the host sees does not.

mod settings;

#[cfg(not(feature = "sim-tls"))]
#[path = "absent.rs"]
mod session;
#[cfg(feature = "sim-tls")]
mod session;
#[cfg(feature = "sim-tls")]
mod verifier;

pub(super) use session::{AVAILABLE, Secure};
pub(super) use settings::{KEYS, Key, SslContexts};

use super::files::Files;

/// What a session is made from.
#[cfg_attr(not(feature = "sim-tls"), expect(dead_code, reason = "nothing makes a session"))]
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) contexts: &'a SslContexts,
    pub(super) context: u16,
    pub(super) files: &'a Files,
    /// The host of `AT+CIPSTART`.
    pub(super) host: &'a str,
    /// The module's clock: seconds since 1970.
    pub(super) time: u64,
}

/// How far a session is.
#[cfg_attr(not(feature = "sim-tls"), expect(dead_code, reason = "there is no session"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Handshaking,
    Established,
    /// The peer has said that it will send no more.
    Closed,
    Failed,
}
