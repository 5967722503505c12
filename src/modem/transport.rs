//! The transport of a socket as a type. A call that is impossible on a transport does not compile.

/// The protocol of a [`Socket`](crate::Socket): [`Tcp`], [`Tls`] or [`Udp`].
pub trait Transport: sealed::Sealed {}

/// A transport that carries a stream of bytes. Its sockets implement [`Read`](std::io::Read) and
/// [`Write`](std::io::Write).
pub trait Stream: Transport {}

/// Plain TCP. The module reports the number of bytes that the peer has acknowledged.
#[derive(Debug)]
pub enum Tcp {}

/// TLS of the module. The number of bytes that the peer has acknowledged is unknown.
#[derive(Debug)]
pub enum Tls {}

/// UDP: each send is one datagram, and each receive returns one.
#[derive(Debug)]
pub enum Udp {}

/// Any of these, for code that treats them alike.
#[derive(Debug)]
pub(super) enum Any {}

impl Transport for Tcp {}
impl Transport for Tls {}
impl Transport for Udp {}
impl Transport for Any {}
impl Stream for Tcp {}
impl Stream for Tls {}
// A `Socket<Any>` that carries datagrams is sent to and never written.
impl Stream for Any {}

impl sealed::Sealed for Tcp {}
impl sealed::Sealed for Tls {}
impl sealed::Sealed for Udp {}
impl sealed::Sealed for Any {}

mod sealed {
    pub trait Sealed {}
}
