//! Datagrams with their senders and receivers.

use std::net::SocketAddr;

use super::Socket;
use super::transport::Udp;
use crate::error::Result;

impl Socket<Udp> {
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
