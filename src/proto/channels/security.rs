//! The security of a connection: plain, or TLS of the module.

/// The security of a channel's connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Security {
    Plain,
    Tls {
        /// Whether plain connections may be opened beside it.
        plain_beside: bool,
    },
}
