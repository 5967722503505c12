use std::convert::Infallible;

/// The result of a receive.
///
/// | call | possible results |
/// |---|---|
/// | [`Socket::recv`](crate::Socket::recv) | `Data`, `Timeout` |
/// | [`Socket::recv_or`](crate::Socket::recv_or) | `Data`, `Message`, `Timeout` |
/// | [`ReconnectingSocket::recv`](crate::supervisor::ReconnectingSocket::recv) | `Data`, `Gap`, `Timeout` |
///
/// Results that a call can't return need not be matched, because their type has no value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Received<M = Infallible, G = Infallible> {
    /// Data, at least one byte.
    Data(Vec<u8>),
    /// A message from another thread.
    Message(M),
    /// The connection ended. A new one was made, unless the time-out passed before; then the next call continues.
    Gap(G),
    /// Nothing came before the time-out.
    Timeout,
}

impl<M, G> Received<M, G> {
    /// The data, if there are any.
    pub fn data(self) -> Option<Vec<u8>> {
        match self {
            Self::Data(data) => Some(data),
            Self::Message(_) | Self::Gap(_) | Self::Timeout => None,
        }
    }
}
