//! Datagrams with their senders and receivers.

use std::net::SocketAddr;

use super::Socket;
use super::transport::Udp;
use crate::error::Result;

impl Socket<Udp> {
    /// Waits for a datagram and copies it into `buf`: how many bytes, and its sender where the firmware says so
    /// ([`Config::report_senders`](crate::Config::report_senders)). What does not fit into `buf` is lost, as with
    /// [`UdpSocket::recv_from`](std::net::UdpSocket::recv_from). Zero bytes mean that the association has ended, so an
    /// empty datagram is given to no reader. It counts in [`SocketStatistics::receives`](crate::statistics::SocketStatistics::receives) and
    /// answers a heartbeat.
    ///
    /// # Errors
    /// [`Error::Timeout`](crate::Error::Timeout) after the [read time-out](Self::set_read_timeout); how the socket ended.
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
