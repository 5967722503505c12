use std::time::Duration;

use crate::error::{Error, Result};
use crate::proto::{Protocol, Quotable, Request, Response};
use crate::tls::TlsConfig;

use super::deadline::DEFAULT_TIMEOUT;
use super::{Modem, Socket, TransparentStream, unexpected};

/// A connection to be made.
///
/// ```no_run
/// # let modem = air724ug::Modem::open("/dev/ttyUSB0", Default::default())?;
/// let socket = modem.tcp().timeout(std::time::Duration::from_secs(30)).connect("example.com", 80)?;
/// # Ok::<(), air724ug::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `connect`"]
pub struct Connector {
    modem: Modem,
    protocol: Protocol,
    timeout: Duration,
    tls: Option<TlsConfig>,
}

impl Connector {
    pub(super) fn new(modem: Modem, protocol: Protocol) -> Self {
        Self { modem, protocol, timeout: DEFAULT_TIMEOUT, tls: None }
    }

    pub(super) fn with_tls(self, config: TlsConfig) -> Self {
        Self { tls: Some(config), ..self }
    }

    /// How long [`connect`](Self::connect) may take. Default 120 s.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Connects (`c:connect(address, port, timeout)`): name or address, port 1 to 65535. If the module is not ready, it
    /// is waited for within the time-out; so is a channel that is being released, if no other is free.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] before a byte is written; [`Error::NoFreeChannel`] at once with all channels in use, none of
    /// which is being released for this connection;
    /// [`Error::ConnectFailed`], with TLS [`Error::Tls`]; [`Error::NotReady`] or [`Error::Timeout`] when time is up; [`Error::ModemRestarted`],
    /// [`Error::PortLost`].
    pub fn connect(&self, host: &str, port: u16) -> Result<Socket> {
        match self.modem.driver.call(self.request(checked(host, port)?, port)?)? {
            Response::Connected(id) => Ok(Socket::new(self.modem.clone(), id, self.protocol, host, port)),
            other => Err(unexpected(&other)),
        }
    }

    /// Connects transparently ([`Modem::transparent`]). No socket may be open; the module is switched to a single connection
    /// and back when the stream is closed, which takes some seconds each time.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] before a byte is written, also for UDP and TLS, which no source shows in this mode;
    /// [`Error::InUse`] while sockets are open or another stream lasts; [`Error::Refused`] if the module has no transparent
    /// mode; [`Error::ConnectFailed`]; [`Error::NotReady`] or [`Error::Timeout`] when time is up;
    /// [`Error::ModemRestarted`], [`Error::PortLost`].
    pub fn connect_transparent(&self, host: &str, port: u16) -> Result<TransparentStream> {
        if self.protocol != Protocol::Tcp || self.tls.is_some() {
            return Err(Error::invalid("connection", "is not plain TCP, as a transparent stream has to be"));
        }
        let quotable = checked(host, port)?;
        let request = Request::Transparent { host: quotable, port, timeout: self.timeout };
        match self.modem.driver.call(request)? {
            Response::Connected(id) => {
                let socket = Socket::new(self.modem.clone(), id, self.protocol, host, port);
                Ok(TransparentStream::new(socket))
            }
            other => Err(unexpected(&other)),
        }
    }

    fn request(&self, host: Quotable, port: u16) -> Result<Request> {
        let timeout = self.timeout;
        let Some(config) = &self.tls else {
            return Ok(Request::Connect { protocol: self.protocol, host, port, timeout });
        };
        if !config.is_verified() {
            log::warn!("TLS to {host}:{port} without verifying the server: it may be anybody");
        }
        Ok(Request::ConnectTls { tls: config.settings(host.as_str())?, host, port, timeout })
    }
}

fn checked(host: &str, port: u16) -> Result<Quotable> {
    if port == 0 {
        return Err(Error::invalid("port", "is zero"));
    }
    Quotable::host(host).map_err(|why| Error::invalid("host", why))
}
