//! Datagrams with their senders and receivers.

use std::net::SocketAddr;

use super::transport::Udp;
use super::{Socket, ToRemote};
use crate::error::{Error, Result};

impl Socket<Udp> {
    /// Sends a datagram to the peer, by its name or its address, as [`send`](Self::send) does. A channel of the module
    /// has one peer, that of the connect (`AT+CIPSTART`), so each other peer needs a socket of its own.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] before a byte is written if it is not the name and the port that were given to the
    /// connect; nothing is resolved. As for [`send`](Self::send).
    pub fn send_to(&self, data: &[u8], peer: impl ToRemote) -> Result<()> {
        self.check_peer(peer)?;
        self.send(data)
    }

    pub(super) fn check_peer(&self, peer: impl ToRemote) -> Result<()> {
        let (peer, own) = (peer.to_remote()?, &self.shared.remote);
        if peer.port() == own.port() && peer.host().eq_ignore_ascii_case(own.host()) {
            return Ok(());
        }
        let why =
            format!("is not that of the connect, {}:{}: a channel has one peer", own.host(), own.port());
        Err(Error::invalid("peer", why))
    }

    /// Waits for a datagram and copies it into `buf`. Returns the number of bytes, and the sender if the firmware
    /// reports it ([`Config::report_senders`](crate::Config::report_senders)). Bytes that don't fit into `buf` are
    /// lost, as with [`UdpSocket::recv_from`](std::net::UdpSocket::recv_from). Zero bytes mean that the socket has
    /// ended, so empty datagrams are not returned. They count in
    /// [`SocketStatistics::receives`](crate::statistics::SocketStatistics::receives) and answer a heartbeat.
    ///
    /// # Errors
    /// [`Error::Timeout`](crate::Error::Timeout) after the [read time-out](Self::set_read_timeout). The reason why the
    /// socket ended.
    pub fn recv_from(&self, buf: &mut [u8]) -> Result<(usize, Option<SocketAddr>)> {
        let id = self.shared.id;
        let mut from = None;
        let count = self.blocking_read(|| {
            self.look(|engine, now| {
                from = engine.sender(id);
                engine.read(now, id, buf)
            })
        })?;
        Ok((count, from))
    }
}
