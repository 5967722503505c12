//! The port, as the core knows it.

use crate::proto::session::OpenSend;

/// The port, as the core knows it.
#[derive(Debug)]
pub(super) enum Port {
    There,
    /// Gone, but expected back: the reason, and for what the module may take the next bytes.
    Away(Box<str>, Unfinished),
    /// Gone for good: the reason, and for what the module may take the next bytes.
    Lost(Box<str>, Unfinished),
}

/// The bytes that the module may wait for.
#[derive(Debug)]
pub(super) enum Unfinished {
    /// A send, or `None` for commands.
    Send(Option<OpenSend>),
    /// Transparent data.
    DataMode,
}
