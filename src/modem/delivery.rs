//! Sending without waiting, and what became of it.

use std::time::Duration;

use super::{Socket, unexpected};
use crate::error::Result;
use crate::proto::{Request, Response};

/// How long one question about delivery may take.
const COUNT_TIMEOUT: Duration = Duration::from_secs(20);

impl Socket {
    /// Sends data without waiting (`c:asyncSend(data)`): they go out behind those sent and queued before, in order. What
    /// becomes of them is told by [`Event::Sent`](crate::Event::Sent) and, if the socket ends first,
    /// [`Event::Unsent`](crate::Event::Unsent).
    ///
    /// # Errors
    /// [`Error::QueueFull`](crate::Error::QueueFull) if so much waits already ([`Config::send_queue`](crate::Config::send_queue)):
    /// nothing of the data is taken then. How the socket ended, if it did; [`Error::InvalidInput`](crate::Error::InvalidInput)
    /// for a datagram longer than 1460 bytes.
    pub fn queue(&self, data: &[u8]) -> Result<()> {
        self.check_write(data)?;
        let request = Request::Queue { socket: self.socket_id(), data: data.to_vec() };
        self.modem().driver.call(request).map(drop)
    }

    /// How many bytes the module does not have yet, sent or queued.
    pub fn queued(&self) -> usize {
        self.modem().driver.with_engine(|engine, _| engine.queued(self.socket_id()))
    }

    /// Waits until the peer has acknowledged everything that was sent (`AT+CIPACK`), at most the
    /// [write time-out](Self::set_write_timeout). It is asked again and again, more and more seldom, up to every 2 s.
    ///
    /// [`Write::flush`](std::io::Write::flush) does *not* wait for that, as with [`std::net::TcpStream`]: whoever
    /// flushes after every message would wait for a round trip each time.
    ///
    /// # Errors
    /// [`Error::Timeout`](crate::Error::Timeout); how the socket ended; [`Error::InvalidInput`](crate::Error::InvalidInput)
    /// for UDP, where nobody acknowledges anything.
    pub fn flush(&self) -> Result<()> {
        let timeout = self.write_timeout().unwrap_or(Duration::MAX);
        self.modem().driver.call(Request::Flush { socket: self.socket_id(), timeout }).map(drop)
    }

    /// How many bytes that the module has accepted the peer has not acknowledged (`AT+CIPACK`).
    ///
    /// # Errors
    /// As for [`flush`](Self::flush).
    pub fn unacknowledged(&self) -> Result<u32> {
        let request = Request::Unacknowledged { socket: self.socket_id(), timeout: COUNT_TIMEOUT };
        match self.modem().driver.call(request)? {
            Response::Unacknowledged(count) => Ok(count),
            other => Err(unexpected(&other)),
        }
    }
}
