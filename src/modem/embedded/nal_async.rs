//! A modem as the crate `embedded-nal-async` sees it.

use std::net::{IpAddr, SocketAddr};

use embedded_nal_async::{AddrType, ConnectedUdp, Dns, TcpConnect};

use super::{first, no_names};
use crate::error::{Error, Result};
use crate::modem::{AsyncModem, AsyncSocket, AsyncUdpSocket};
use crate::query::Resolve;

impl TcpConnect for AsyncModem {
    type Error = Error;
    type Connection<'a> = AsyncSocket;

    /// Dropped before it is ready, the connection is given up.
    async fn connect(&self, remote: SocketAddr) -> Result<AsyncSocket> {
        self.tcp().connect(remote).await
    }
}

impl Dns for AsyncModem {
    type Error = Error;

    async fn get_host_by_name(&self, host: &str, addr_type: AddrType) -> Result<IpAddr> {
        let question = Resolve::new(host).map_err(|why| Error::invalid_text("host", why))?;
        first(&self.query(&question).await?.map_err(Error::ResolveFailed)?, &addr_type)
    }

    async fn get_host_by_address(&self, _: IpAddr, _: &mut [u8]) -> Result<usize> {
        Err(no_names())
    }
}

impl ConnectedUdp for AsyncUdpSocket {
    type Error = Error;

    async fn send(&mut self, data: &[u8]) -> Result<()> {
        Self::send(self, data).await
    }

    /// What does not fit into the buffer is lost.
    async fn receive_into(&mut self, buffer: &mut [u8]) -> Result<usize> {
        Ok(self.recv_from(buffer).await?.0)
    }
}
