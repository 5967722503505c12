//! The transport of a socket, as a type: a call that a transport can't do does not compile.

/// Over which protocol a [`Socket`](crate::Socket) runs: [`Tcp`], [`Tls`] or [`Udp`].
pub trait Transport: sealed::Sealed {}

/// A transport that carries a stream of bytes: its sockets are [`Read`](std::io::Read) and [`Write`](std::io::Write).
pub trait Stream: Transport {}

/// Plain TCP. The module can say what the peer has acknowledged.
#[derive(Debug)]
pub enum Tcp {}

/// TLS that the module speaks. What the peer has acknowledged can't be known.
#[derive(Debug)]
pub enum Tls {}

/// UDP: each send is a datagram, and each receive gives one.
#[derive(Debug)]
pub enum Udp {}

/// Any of them, where it makes no difference.
#[derive(Debug)]
pub(super) enum Any {}

impl Transport for Tcp {}
impl Transport for Tls {}
impl Transport for Udp {}
impl Transport for Any {}
impl Stream for Tcp {}
impl Stream for Tls {}
// Those that carry datagrams are sent to, not written.
impl Stream for Any {}

impl sealed::Sealed for Tcp {}
impl sealed::Sealed for Tls {}
impl sealed::Sealed for Udp {}
impl sealed::Sealed for Any {}

mod sealed {
    pub trait Sealed {}
}
