//! Sending without waiting, what became of it, and a close that waits for that.

use std::io;
use std::time::{Duration, Instant};

use super::deadline::Deadline;
use super::{Socket, unexpected};
use crate::error::{DeliveryUnknown, Error, Result};
use crate::proto::{Request, Response};

/// How long one question about delivery may take.
const COUNT_TIMEOUT: Duration = Duration::from_secs(20);

impl Socket {
    /// Sends data without waiting (`c:asyncSend(data)`): they go out behind those sent and queued before, in order. What
    /// becomes of them is told by [`Event::Sent`](crate::Event::Sent) and, if the socket ends first,
    /// [`Event::Unsent`](crate::Event::Unsent).
    ///
    /// # Errors
    /// [`Error::QueueFull`] if so much waits already ([`Config::send_queue`](crate::Config::send_queue)):
    /// nothing of the data is taken then. How the socket ended, if it did; [`Error::InvalidInput`] for a datagram that
    /// is empty or longer than 1460 bytes.
    pub fn queue(&self, data: &[u8]) -> Result<()> {
        self.check_write(data)?;
        let request = Request::Queue { socket: self.socket_id(), data: data.to_vec() };
        self.modem().driver.call(request).map(drop)
    }

    /// Waits until the module has accepted, or refused, all that was sent and queued.
    pub(super) fn drained_within(&self, timeout: Duration) -> Result<()> {
        self.modem().driver.call(Request::Drain { socket: self.socket_id(), timeout }).map(drop)
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
    /// [`Error::Timeout`]; how the socket ended; [`Error::DeliveryUnknown`] at once for UDP and TLS, where nobody can say;
    /// [`Error::Refused`] by firmware that never does.
    pub fn flush(&self) -> Result<()> {
        let timeout = self.write_timeout().unwrap_or(Duration::MAX);
        self.modem().driver.call(Request::Flush { socket: self.socket_id(), timeout }).map(drop)
    }

    /// How many bytes that the module has accepted the peer has not acknowledged (`AT+CIPACK`).
    ///
    /// # Errors
    /// As for [`flush`](Self::flush).
    pub fn unacknowledged(&self) -> Result<u32> {
        self.unacknowledged_within(COUNT_TIMEOUT)
    }

    pub(super) fn unacknowledged_within(&self, timeout: Duration) -> Result<u32> {
        let timeout = timeout.min(COUNT_TIMEOUT);
        let request = Request::Unacknowledged { socket: self.socket_id(), timeout };
        match self.modem().driver.call(request)? {
            Response::Unacknowledged(count) => Ok(count),
            other => Err(unexpected(&other)),
        }
    }

    /// Waits as [`flush`](Self::flush) until the peer has acknowledged everything, then closes the socket for every handle
    /// as [`close`](Self::close) does; both within `timeout`.
    ///
    /// The socket is closed whatever happens: when time is up before, the module closes it a moment after this has
    /// returned. Of UDP and TLS, where nobody can say what the peer has, it is closed once the module has accepted
    /// everything, and [`Unacknowledged::Unknown`] says so.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// use air724ug::Unacknowledged;
    ///
    /// # let modem = air724ug::Modem::open("/dev/ttyUSB0", Default::default())?;
    /// # let socket = modem.tcp().connect("example.com", 7)?;
    /// socket.send(b"the last words")?;
    /// if let Err(error) = socket.close_flushed(Duration::from_secs(30)) {
    ///     match error.unacknowledged {
    ///         Unacknowledged::AtMost(bytes) => println!("the last {bytes} bytes may be lost: {}", error.why),
    ///         Unacknowledged::Unknown(why) => println!("nobody knows: {why}"),
    ///     }
    /// }
    /// # Ok::<(), air724ug::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`CloseError`]: what the peer may lack, and why.
    pub fn close_flushed(self, timeout: Duration) -> std::result::Result<(), CloseError> {
        let (socket, deadline) = (self.socket_id(), Deadline::after(Some(timeout)));
        let began = Instant::now();
        let call = |request| self.modem().driver.call(request);
        let mut unknown = None;
        let mut delivered = call(Request::Flush { socket, timeout });
        if let Err(Error::DeliveryUnknown(why)) = delivered {
            unknown = Some(Unacknowledged::Unknown(why));
            delivered = call(Request::Drain { socket, timeout: deadline.left() });
            delivered = delivered.and(Err(Error::DeliveryUnknown(why)));
        }
        let unacknowledged = unknown.unwrap_or_else(|| match delivered {
            Ok(_) => Unacknowledged::AtMost(0),
            Err(_) => Unacknowledged::AtMost(self.statistics().unacknowledged()),
        });
        // Without any time left it is begun all the same.
        let closed = call(Request::Close { socket, timeout: deadline.left() });
        match delivered.and(closed) {
            Ok(_) => Ok(()),
            Err(Error::Timeout { command, .. }) => {
                // A datagram that was not confirmed does not take all of the time.
                let after = if deadline.left().is_zero() { timeout } else { began.elapsed() };
                Err(CloseError { unacknowledged, why: Error::timeout(command, after) })
            }
            Err(why) => Err(CloseError { unacknowledged, why }),
        }
    }
}

/// What a [close that waits for the peer](Socket::close_flushed) can't promise. The socket is closed all the same.
#[derive(Debug, thiserror::Error)]
#[error("closed, but {unacknowledged}: {why}")]
#[non_exhaustive]
pub struct CloseError {
    /// What the peer may not have received.
    pub unacknowledged: Unacknowledged,
    /// Why: [`Error::Timeout`], how the socket had ended before, or [`Error::DeliveryUnknown`]. With nothing
    /// unacknowledged it was the close itself that the module did not confirm.
    #[source]
    pub why: Error,
}

/// What a peer may not have received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unacknowledged {
    /// So many of the last bytes, sent or queued, are not known to be acknowledged; everything before them is.
    AtMost(u64),
    /// Anything: nobody can say.
    Unknown(DeliveryUnknown),
}

impl std::fmt::Display for Unacknowledged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtMost(0) => f.write_str("everything is acknowledged"),
            Self::AtMost(bytes) => write!(f, "{bytes} bytes are not acknowledged"),
            Self::Unknown(_) => f.write_str("nobody knows what was received"),
        }
    }
}

/// The reason alone.
impl From<CloseError> for Error {
    fn from(error: CloseError) -> Self {
        error.why
    }
}

/// Keeps the error as the source, with the kind of its reason.
impl From<CloseError> for io::Error {
    fn from(error: CloseError) -> Self {
        Self::new(error.why.kind(), error)
    }
}
