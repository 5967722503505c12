//! The addresses and the state of a socket.

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
    /// The peer's address. If the socket was opened with a name, the module resolves it again
    /// ([`Modem::resolve`](crate::Modem::resolve)), which takes a moment. If the name has several addresses, the module
    /// does not report which one it uses.
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

    /// The name or address, and the port, that were given to the connect.
    pub fn peer_name(&self) -> (&str, u16) {
        (self.shared.remote.host(), self.shared.remote.port())
    }

    /// The module's own address on the network. The port is 0, because the module does not report the port that it
    /// uses.
    ///
    /// # Errors
    /// [`io::ErrorKind::AddrNotAvailable`] while the module has no address, or has not reported it.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let address: Option<Ipv4Addr> =
            self.shared.modem.driver.with_engine(|engine, _| engine.local_address());
        let none = || io::Error::new(io::ErrorKind::AddrNotAvailable, "the module has no address");
        Ok(SocketAddr::new(address.ok_or_else(none)?.into(), 0))
    }

    /// True if the connection is open, as far as the module has reported. Received data can be read in any case.
    pub fn is_open(&self) -> bool {
        self.shared.modem.driver.with_engine(|engine, _| engine.is_open(self.shared.id))
    }

    /// The error of the socket that no call has returned yet, like [`std::net::TcpStream::take_error`]: the reason why
    /// it has ended, other than a close by either side, or the reason why written data were lost.
    ///
    /// # Errors
    /// None today.
    pub fn take_error(&self) -> Result<Option<Error>> {
        Ok(self.shared.modem.driver.with_engine(|engine, _| engine.take_error(self.shared.id)))
    }

    /// Sets whether reads, writes and flushes wait. In nonblocking mode they return
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) instead of waiting; [`readable`](Self::readable) and
    /// [`writable`](Socket::writable) signal when to try again. The mode applies to every handle of the socket.
    /// [`recv`](Self::recv) and [`send`](Self::send) are not affected: the first has its own time-out, the second waits
    /// until the module has accepted the data.
    ///
    /// # Errors
    /// None today; as [`std::net::TcpStream::set_nonblocking`].
    pub fn set_nonblocking(&self, nonblocking: bool) -> Result<()> {
        self.shared.is_nonblocking.store(nonblocking, Ordering::SeqCst);
        Ok(())
    }

    /// The time since the end of the socket, if known.
    pub(super) fn ended_for(&self) -> Duration {
        self.shared.modem.driver.ended_for(self.shared.id).unwrap_or_default()
    }

    /// Releases the channel, although there may be other handles.
    pub(super) fn abandon(&self) {
        self.shared.modem.driver.submit(Request::Forget { socket: self.shared.id });
    }

    /// Sends the signals for readers to this channel, too. If `follows` is true, the driver asks the module for
    /// acknowledgements.
    pub(super) fn also_signals(&self, channel: &Sender<()>, follows: bool) {
        self.shared.modem.driver.also_signal(self.shared.id, channel.clone());
        if follows {
            self.shared.modem.driver.with_engine(|engine, _| engine.follow_delivery(self.shared.id));
        }
    }

    pub(super) fn is_nonblocking(&self) -> bool {
        self.shared.is_nonblocking.load(Ordering::SeqCst)
    }
}
