use std::marker::PhantomData;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::proto::{Protocol, Quotable, Request, Response};
use crate::tls::TlsConfig;

use super::deadline::DEFAULT_TIMEOUT;
use super::remote::{Remote, ToRemote};
use super::transport::{Any, Tcp, Transport};
use super::{Modem, Socket, TransparentStream, unexpected};

/// A connection to be made.
///
/// ```no_run
/// # let modem = air724ug::Modem::open("/dev/ttyUSB0", Default::default())?;
/// let socket = modem.tcp().timeout(std::time::Duration::from_secs(30)).connect(("example.com", 80))?;
/// # Ok::<(), air724ug::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing happens before `connect`"]
pub struct Connector<T: Transport = Tcp> {
    modem: Modem,
    protocol: Protocol,
    timeout: Duration,
    tls: Option<TlsConfig>,
    transport: PhantomData<fn() -> T>,
}

impl<T: Transport> Connector<T> {
    pub(super) fn new(modem: Modem, protocol: Protocol) -> Self {
        Self { modem, protocol, timeout: DEFAULT_TIMEOUT, tls: None, transport: PhantomData }
    }

    pub(super) fn with_tls(self, config: TlsConfig) -> Self {
        Self { tls: Some(config), ..self }
    }

    /// Sets the longest time that [`connect`](Self::connect) may take. Default 120 s.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Connects to `("example.com", 80)`, `"example.com:80"` or a [`SocketAddr`](std::net::SocketAddr) of IPv4
    /// (`c:connect(address, port, timeout)`). Within the time-out the call waits for a module that is not ready, and
    /// for a channel that is being released if no other is free.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] before a byte is written. [`Error::NoFreeChannel`] at once if all channels are in use
    /// and none is being released for this connection. [`Error::ConnectFailed`], with TLS [`Error::Tls`].
    /// [`Error::NotReady`] or [`Error::Timeout`] after the time-out. [`Error::ModemRestarted`]; [`Error::PortLost`].
    pub fn connect(&self, remote: impl ToRemote) -> Result<Socket<T>> {
        let remote = remote.to_remote()?;
        let answer = self.modem.driver.call(self.request(&remote)?)?;
        self.connected(answer, remote)
    }

    /// The socket of the answer.
    pub(super) fn connected(&self, answer: Response, remote: Remote) -> Result<Socket<T>> {
        match answer {
            Response::Connected(id) => Ok(Socket::new(self.modem.clone(), id, self.protocol, remote)),
            other => Err(unexpected(&other)),
        }
    }

    #[cfg(feature = "async")]
    pub(super) fn modem(&self) -> &Modem {
        &self.modem
    }

    /// The same connector for sockets of any transport.
    pub(super) fn any(self) -> Connector<Any> {
        let Self { modem, protocol, timeout, tls, .. } = self;
        Connector { modem, protocol, timeout, tls, transport: PhantomData }
    }

    pub(super) fn carries_datagrams(&self) -> bool {
        self.protocol == Protocol::Udp
    }

    pub(super) fn request(&self, remote: &Remote) -> Result<Request> {
        let (host, port, timeout) = (quotable(remote)?, remote.port(), self.timeout);
        let Some(config) = &self.tls else {
            return Ok(Request::Connect { protocol: self.protocol, host, port, timeout });
        };
        if !config.is_verified() {
            log::warn!("TLS to {host}:{port} without verifying the server: it may be a false one");
        }
        Ok(Request::ConnectTls { tls: config.settings(host.as_str())?, host, port, timeout })
    }
}

impl Connector<Tcp> {
    /// Opens a transparent stream ([`Modem::connect_transparent`]). No socket may be open. The module is switched to
    /// single connection mode, and back when the stream is closed; each switch takes some seconds.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] before a byte is written; [`Error::InUse`] while sockets or another stream are open;
    /// [`Error::Refused`] if the module has no transparent mode; [`Error::ConnectFailed`]; [`Error::NotReady`] or
    /// [`Error::Timeout`] after the time-out; [`Error::ModemRestarted`]; [`Error::PortLost`].
    pub fn connect_transparent(&self, remote: impl ToRemote) -> Result<TransparentStream> {
        let remote = remote.to_remote()?;
        let request =
            Request::Transparent { host: quotable(&remote)?, port: remote.port(), timeout: self.timeout };
        match self.modem.driver.call(request)? {
            Response::Connected(id) => {
                let socket = Socket::new(self.modem.clone(), id, self.protocol, remote);
                Ok(TransparentStream::new(socket))
            }
            other => Err(unexpected(&other)),
        }
    }
}

impl<T: Transport> Clone for Connector<T> {
    fn clone(&self) -> Self {
        let Self { modem, protocol, timeout, tls, .. } = self;
        let (modem, tls) = (modem.clone(), tls.clone());
        Self { modem, protocol: *protocol, timeout: *timeout, tls, transport: PhantomData }
    }
}

fn quotable(remote: &Remote) -> Result<Quotable> {
    Quotable::host(remote.host()).map_err(|why| Error::invalid("host", why))
}
