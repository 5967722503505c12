//! The mode in which a module lost its port.

/// The mode of a module: what it takes the next bytes for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum ModuleMode {
    /// Commands.
    Command,
    /// Perhaps the bytes of a send, then commands. These bytes end the send: its payload, which was meant for the peer,
    /// or CR if a module that does not wait would find a command in the payload.
    Send(Vec<u8>),
    /// Perhaps data for a peer.
    Data,
}
