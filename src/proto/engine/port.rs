//! The state of the port in the core.

use crate::proto::session::OpenSend;

/// The state of the port in the core.
#[derive(Debug)]
pub(super) enum Port {
    There,
    /// Gone, but expected back: the reason, and how the module may interpret the next bytes.
    Away(Box<str>, Unfinished),
    /// Gone for good: the reason, and how the module may interpret the next bytes.
    Lost(Box<str>, Unfinished),
}

/// The bytes that the module may still wait for.
#[derive(Debug)]
pub(super) enum Unfinished {
    /// A send, or `None` for commands.
    Send(Option<OpenSend>),
    /// Transparent data.
    DataMode,
}
