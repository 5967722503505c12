//! Sending without waiting, what became of it, and a close that waits for that.

use std::io;
use std::time::{Duration, Instant};

use super::deadline::Deadline;
use super::transport::{Tcp, Transport};
use super::{Socket, unexpected};
use crate::error::{Error, Result};
use crate::proto::{Request, Response};

/// How long one question about delivery may take.
const COUNT_TIMEOUT: Duration = Duration::from_secs(20);

impl<T: Transport> Socket<T> {
    /// Sends data without waiting (`c:asyncSend(data)`): they go out behind those sent and queued before, in order. What
    /// becomes of them is told by [`Event::Sent`](crate::Event::Sent) and, if the socket ends first,
    /// [`Event::Unsent`](crate::Event::Unsent).
    ///
    /// # Errors
    /// [`Error::QueueFull`] if the queue has no room for all of the data ([`Config::send_queue`](crate::Config::send_queue)):
    /// nothing of the data is taken then. How the socket ended, if it did; [`Error::InvalidInput`] for a datagram that
    /// is empty or longer than 1460 bytes.
    pub fn queue(&self, data: &[u8]) -> Result<()> {
        self.check_write(data)?;
        let request = Request::Queue { socket: self.socket_id(), data: data.to_vec() };
        self.modem().driver.call(request).map(drop)
    }

    /// Waits until the module has accepted, or refused, all that was sent, written and queued by now, at most the
    /// [write time-out](Self::set_write_timeout). It may not have reached the peer then.
    ///
    /// # Errors
    /// [`Error::Timeout`]; how the socket ended, if it did.
    pub fn wait_accepted(&self) -> Result<()> {
        self.drained_within(self.write_span().unwrap_or(Duration::MAX))
    }

    pub(super) fn drained_within(&self, timeout: Duration) -> Result<()> {
        self.modem().driver.call(Request::Drain { socket: self.socket_id(), timeout }).map(drop)
    }

    /// The number of bytes, sent or queued, that the module does not have yet.
    pub fn queued(&self) -> usize {
        self.modem().driver.with_engine(|engine, _| engine.queued(self.socket_id()))
    }

    pub(super) fn unacknowledged_within(&self, timeout: Duration) -> Result<u32> {
        let timeout = timeout.min(COUNT_TIMEOUT);
        let request = Request::Unacknowledged { socket: self.socket_id(), timeout };
        match self.modem().driver.call(request)? {
            Response::Unacknowledged(count) => Ok(count),
            other => Err(unexpected(&other)),
        }
    }
}

impl Socket<Tcp> {
    /// Waits until the peer has acknowledged everything that was sent (`AT+CIPACK`), at most the
    /// [write time-out](Self::set_write_timeout). The module is asked at growing intervals, up to 2 s.
    ///
    /// [`Write::flush`](std::io::Write::flush) does *not* wait for that but for the module: a program that flushes after every
    /// message would wait for a round trip of the network each time.
    ///
    /// # Errors
    /// [`Error::Timeout`]; how the socket ended; [`Error::Refused`] by firmware without `AT+CIPACK`.
    pub fn wait_acknowledged(&self) -> Result<()> {
        let timeout = self.write_span().unwrap_or(Duration::MAX);
        self.modem().driver.call(Request::Flush { socket: self.socket_id(), timeout }).map(drop)
    }

    /// The number of bytes that the module has accepted and the peer has not acknowledged (`AT+CIPACK`).
    ///
    /// # Errors
    /// As for [`wait_acknowledged`](Self::wait_acknowledged).
    pub fn unacknowledged(&self) -> Result<u32> {
        self.unacknowledged_within(COUNT_TIMEOUT)
    }

    /// Waits as [`wait_acknowledged`](Self::wait_acknowledged) until the peer has acknowledged everything, then closes the
    /// socket for every handle as [`close`](Self::close) does; both within `timeout`.
    ///
    /// The socket is closed whatever happens: when time is up before, the module closes it a moment after this has
    /// returned.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # let modem = air724ug::Modem::open("/dev/ttyUSB0", Default::default())?;
    /// # let socket = modem.tcp().connect(("example.com", 7))?;
    /// socket.send(b"the last words")?;
    /// if let Err(error) = socket.close_acknowledged(Duration::from_secs(30)) {
    ///     println!("the last {} bytes may be lost: {}", error.unacknowledged, error.why);
    /// }
    /// # Ok::<(), air724ug::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`CloseError`]: what the peer may lack, and why.
    pub fn close_acknowledged(self, timeout: Duration) -> std::result::Result<(), CloseError> {
        let (socket, deadline) = (self.socket_id(), Deadline::after(Some(timeout)));
        let began = Instant::now();
        let call = |request| self.modem().driver.call(request);
        let delivered = call(Request::Flush { socket, timeout });
        let unacknowledged = delivered.as_ref().map_or_else(|_| self.statistics().unacknowledged(), |_| 0);
        // Without any time left it is begun all the same.
        let closed = call(Request::Close { socket, timeout: deadline.left() });
        match delivered.and(closed) {
            Ok(_) => Ok(()),
            Err(Error::Timeout { command, .. }) => {
                let after = if deadline.left().is_zero() { timeout } else { began.elapsed() };
                Err(CloseError { unacknowledged, why: Error::timeout(command, after) })
            }
            Err(why) => Err(CloseError { unacknowledged, why }),
        }
    }
}

/// The failure of a [close that waits for the peer](Socket::close_acknowledged). The socket is closed all the same.
#[derive(Debug, thiserror::Error)]
#[error("closed, but {}: {why}", acknowledged(*unacknowledged))]
#[non_exhaustive]
pub struct CloseError {
    /// How many of the last bytes, sent or queued, are not known to be acknowledged; everything before them is.
    pub unacknowledged: u64,
    /// Why: [`Error::Timeout`], or how the socket had ended before. With nothing unacknowledged it was the close itself that
    /// the module did not confirm.
    #[source]
    pub why: Error,
}

fn acknowledged(unacknowledged: u64) -> String {
    match unacknowledged {
        0 => "everything is acknowledged".to_owned(),
        bytes => format!("{bytes} bytes are not acknowledged"),
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
