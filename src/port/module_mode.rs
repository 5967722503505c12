//! The mode in which a module lost its port.

/// The mode of a module: what it takes the next bytes for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ModuleMode {
    /// Commands.
    Command,
    /// Perhaps this number of bytes of a send, then commands.
    Send(usize),
    /// Perhaps data for a peer.
    Data,
}
