//! The names and the state of a socket, beside what it carries.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::Sender;

use super::Socket;
use super::transport::Transport;
use crate::error::{Error, Result};
use crate::proto::Request;

impl<T: Transport> Socket<T> {
    /// The peer's address. For a socket that was opened with a name, the module is asked for the name's address
    /// ([`Modem::resolve`](crate::Modem::resolve)), which takes a moment. Of several addresses the module does not say which one it
    /// has connected to.
    ///
    /// # Errors
    /// As for [`Modem::resolve`](crate::Modem::resolve), for a name.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        let (host, port) = self.peer_name();
        let address = match host.parse::<IpAddr>() {
            Ok(address) => address,
            Err(_) => {
                let first = self.shared.modem.resolve(host)?.into_iter().next();
                let none = || io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address");
                first.ok_or_else(none)?.into()
            }
        };
        Ok(SocketAddr::new(address, port))
    }

    /// Name or address, and port, as the connection was asked for.
    pub fn peer_name(&self) -> (&str, u16) {
        (self.shared.remote.host(), self.shared.remote.port())
    }

    /// The module's own address on the network. Its port is 0: the module chooses one and does not tell it.
    ///
    /// # Errors
    /// [`io::ErrorKind::AddrNotAvailable`] while the module has no address, or has not told it.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let address: Option<Ipv4Addr> =
            self.shared.modem.driver.with_engine(|engine, _| engine.local_address());
        let none = || io::Error::new(io::ErrorKind::AddrNotAvailable, "the module has no address");
        Ok(SocketAddr::new(address.ok_or_else(none)?.into(), 0))
    }

    /// Whether the connection stands, as far as the module has said by now. What has come can be read also when it does not.
    pub fn is_open(&self) -> bool {
        self.shared.modem.driver.with_engine(|engine, _| engine.is_open(self.shared.id))
    }

    /// The error of the socket that no call has returned yet, as [`std::net::TcpStream::take_error`]: why it has ended, unless
    /// by a close of either side, or why written data are lost.
    ///
    /// # Errors
    /// None today.
    pub fn take_error(&self) -> Result<Option<Error>> {
        Ok(self.shared.modem.driver.with_engine(|engine, _| engine.take_error(self.shared.id)))
    }

    /// Sets whether reads, writes and flushes wait. Without waiting they fail with
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) where they would wait; [`readable`](Self::readable) and
    /// [`writable`](Socket::writable) tell when to try again. Holds for every handle of the socket. [`recv`](Self::recv) and
    /// [`send`](Self::send) wait as before: the first by its own time-out, the second until the module has the data.
    ///
    /// # Errors
    /// None today; as [`std::net::TcpStream::set_nonblocking`].
    pub fn set_nonblocking(&self, nonblocking: bool) -> Result<()> {
        self.shared.is_nonblocking.store(nonblocking, Ordering::SeqCst);
        Ok(())
    }

    /// How long ago the socket has ended, as far as that is known.
    pub(super) fn ended_for(&self) -> Duration {
        self.shared.modem.driver.ended_for(self.shared.id).unwrap_or_default()
    }

    /// Gives the channel back, whatever handles are left.
    pub(super) fn abandon(&self) {
        self.shared.modem.driver.tell(Request::Forget { socket: self.shared.id });
    }

    /// Lets the signals for readers reach this channel, too; where `follows`, the module is asked what the peer has
    /// acknowledged.
    pub(super) fn also_signals(&self, tell: &Sender<()>, follows: bool) {
        self.shared.modem.driver.also_tell(self.shared.id, tell.clone());
        if follows {
            self.shared.modem.driver.with_engine(|engine, _| engine.follow_delivery(self.shared.id));
        }
    }

    pub(super) fn is_nonblocking(&self) -> bool {
        self.shared.is_nonblocking.load(Ordering::SeqCst)
    }
}
