//! The inputs of a TLS session, and its progress.

use super::settings::SslContexts;
use crate::sim::files::Files;

/// The inputs of a session.
#[cfg_attr(not(feature = "sim-tls"), expect(dead_code, reason = "nothing makes a session"))]
#[derive(Debug)]
pub(in crate::sim) struct Wanted<'a> {
    pub(in crate::sim) contexts: &'a SslContexts,
    pub(in crate::sim) context: u16,
    pub(in crate::sim) files: &'a Files,
    /// The host of `AT+CIPSTART`.
    pub(in crate::sim) host: &'a str,
    /// True if version 1.2 replaces earlier versions.
    pub(in crate::sim) upgraded: bool,
    /// The module's clock: seconds since 1970.
    pub(in crate::sim) time: u64,
}

/// The progress of a session.
#[cfg_attr(not(feature = "sim-tls"), expect(dead_code, reason = "there is no session"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Progress {
    Handshaking,
    Established,
    /// The peer has announced the end of its data.
    Closed,
    Failed,
}
