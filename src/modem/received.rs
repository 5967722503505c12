/// What [`Socket::recv`](crate::Socket::recv) came back with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Received {
    /// Data, at least one byte.
    Data(Vec<u8>),
    /// Nothing came in time.
    Timeout,
}

impl Received {
    /// The data, if there are any.
    pub fn data(self) -> Option<Vec<u8>> {
        match self {
            Self::Data(data) => Some(data),
            Self::Timeout => None,
        }
    }
}
