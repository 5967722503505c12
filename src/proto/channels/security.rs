//! What a connection is: plain, or TLS of the module.

/// What a channel's connection is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum Security {
    Plain,
    Tls {
        /// Whether plain connections may be opened beside it.
        plain_beside: bool,
    },
}
