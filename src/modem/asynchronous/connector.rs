use std::time::Duration;

use super::AsyncSocket;
use super::pending::Pending;
use crate::error::Result;
use crate::modem::transport::{Tcp, Transport};
use crate::modem::{Connector, ToRemote};

/// A connection to be made; the future form of [`Connector`]. Feature `async`.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `connect`"]
pub struct AsyncConnector<T: Transport = Tcp> {
    connector: Connector<T>,
}

impl<T: Transport> AsyncConnector<T> {
    /// Sets the longest time that [`connect`](Self::connect) may take. Default 120 s.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { connector: self.connector.timeout(timeout) }
    }

    /// Connects ([`Connector::connect`]). If the future is dropped before it is ready, the connect is cancelled; its
    /// channel is free after the module has closed a connection that was begun.
    ///
    /// # Errors
    /// As for [`Connector::connect`].
    pub async fn connect(&self, remote: impl ToRemote) -> Result<AsyncSocket<T>> {
        let remote = remote.to_remote()?;
        let answer = Pending::ask(self.connector.modem(), self.connector.request(&remote)?).await?;
        self.connector.connected(answer, remote).map(AsyncSocket::from)
    }
}

impl<T: Transport> From<Connector<T>> for AsyncConnector<T> {
    fn from(connector: Connector<T>) -> Self {
        Self { connector }
    }
}
