use std::path::Path;
use std::time::Duration;

use super::events::Events;
use super::pending::Pending;
use super::{AsyncConnector, transport};
use crate::config::Config;
use crate::error::Result;
use crate::modem::{Modem, command_reply, query_answer};
use crate::proto::{Command, Request};
use crate::query::Query;
use crate::tls::TlsConfig;

/// A [`Modem`] for code that is `async`. Feature `async`.
///
/// It works with any executor. The modem's one thread wakes the tasks; sockets have no threads. The driver serves all
/// time-outs, so no timer of a runtime is needed.
///
/// ```no_run
/// use air724ug::{AsyncModem, Config};
/// use std::time::Duration;
///
/// # async fn run() -> air724ug::Result<()> {
/// let modem = AsyncModem::open("/dev/ttyUSB0", Config::default())?;
/// modem.wait_ready(Duration::from_secs(90)).await?;
/// let socket = modem.tcp().connect(("example.com", 80)).await?;
/// socket.send(b"GET / HTTP/1.0\r\n\r\n").await?;
/// while let Ok(data) = socket.recv().await {
///     println!("{} bytes", data.len());
/// }
/// # Ok(())
/// # }
/// ```
///
/// A future that is dropped before it is ready loses no data:
///
/// | dropped | effect |
/// |---|---|
/// | [`connect`](AsyncConnector::connect) | the connect is cancelled; its channel is free after the module has closed a connection that was begun |
/// | [`recv`](crate::AsyncSocket::recv), `recv_from`, a read | no data were taken; the next call returns them |
/// | [`send`](crate::AsyncSocket::send) | the data that the driver has accepted, at most 64 KiB, are still sent; the rest is not |
/// | a write of a trait | no data were accepted |
/// | a flush, [`wait_accepted`](crate::AsyncSocket::wait_accepted) | the data are still sent |
/// | [`close`](crate::AsyncSocket::close) | the module closes the socket nevertheless |
/// | [`wait_ready`](Self::wait_ready), `events().next()` | none |
/// | [`command`](Self::command), [`query`](Self::query) | the command may still run; its answer is dropped |
///
/// Dropping the last handle closes the port. It waits up to 2 s for data that were written on sockets. A task that must
/// not block flushes or [closes](crate::AsyncSocket::close) the sockets before.
#[derive(Clone, Debug)]
pub struct AsyncModem {
    modem: Modem,
}

impl AsyncModem {
    /// Opens a port and starts bring-up ([`Modem::open`]). The call blocks for some milliseconds; a search for a module
    /// (`auto`) takes longer.
    ///
    /// # Errors
    /// As for [`Modem::open`].
    pub fn open(path: impl AsRef<Path>, config: Config) -> Result<Self> {
        Modem::open(path, config).map(Self::from)
    }

    /// The same modem for code that blocks. It has the methods without a future.
    pub fn blocking(&self) -> &Modem {
        &self.modem
    }

    /// Waits until sockets can be opened ([`Modem::wait_ready`]).
    ///
    /// # Errors
    /// As for [`Modem::wait_ready`].
    pub async fn wait_ready(&self, timeout: Duration) -> Result<()> {
        Pending::ask(&self.modem, Request::WaitReady { timeout }).await.map(drop)
    }

    /// Begins a TCP connection ([`Modem::tcp`]).
    pub fn tcp(&self) -> AsyncConnector<transport::Tcp> {
        self.modem.tcp().into()
    }

    /// Begins a TCP connection over which the module speaks TLS ([`Modem::tls`]).
    pub fn tls(&self, config: TlsConfig) -> AsyncConnector<transport::Tls> {
        self.modem.tls(config).into()
    }

    /// Begins a UDP association with one peer ([`Modem::udp`]).
    pub fn udp(&self) -> AsyncConnector<transport::Udp> {
        self.modem.udp().into()
    }

    /// Asks a [question](crate::query) ([`Modem::query`]).
    ///
    /// # Errors
    /// As for [`Modem::query`].
    pub async fn query<Q: Query>(&self, query: &Q) -> Result<Q::Answer> {
        query_answer(query, Pending::ask(&self.modem, Request::query(query)).await?)
    }

    /// Runs a command that this crate has no method for ([`Modem::command`]).
    ///
    /// # Errors
    /// As for [`Modem::command`].
    pub async fn command(&self, text: &str, timeout: Duration) -> Result<Vec<String>> {
        let command = Command::of_user(text, timeout)?;
        command_reply(Pending::ask(&self.modem, Request::Run(command)).await?)
    }

    /// Events from now on, as a stream ([`Modem::events`]).
    pub fn events(&self) -> Events {
        Events::of(self.modem.clone())
    }
}

impl From<Modem> for AsyncModem {
    fn from(modem: Modem) -> Self {
        Self { modem }
    }
}
