use std::convert::Infallible;

/// The result of a receive.
///
/// | call | can give |
/// |---|---|
/// | [`Socket::recv`](crate::Socket::recv) | `Data`, `Timeout` |
/// | [`Socket::recv_or`](crate::Socket::recv_or) | `Data`, `Message`, `Timeout` |
/// | [`ReconnectingSocket::recv`](crate::supervisor::ReconnectingSocket::recv) | `Data`, `Gap`, `Timeout` |
///
/// What a call can't give need not be matched: its type has no value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Received<M = Infallible, G = Infallible> {
    /// Data, at least one byte.
    Data(Vec<u8>),
    /// A message from another thread.
    Message(M),
    /// The connection had ended. A new one stands, unless none could be made in time: then the next call goes on trying.
    Gap(G),
    /// Nothing came in time.
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
