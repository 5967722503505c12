//! Sends without waiting, their acceptance and acknowledgement, and a close that waits for the acknowledgement.

use std::io;
use std::time::{Duration, Instant};

use super::deadline::Deadline;
use super::transport::{Tcp, Transport};
use super::{Socket, unexpected};
use crate::error::{Error, Result};
use crate::proto::{Request, Response};

/// The time-out of one question about acknowledgements.
const COUNT_TIMEOUT: Duration = Duration::from_secs(20);

impl<T: Transport> Socket<T> {
    /// Queues data without waiting (`c:asyncSend(data)`). They are sent in order, after those that were sent and queued
    /// before. [`Event::Sent`](crate::Event::Sent) reports their acceptance, [`Event::Unsent`](crate::Event::Unsent)
    /// their loss if the socket ends first.
    ///
    /// # Errors
    /// [`Error::QueueFull`] if the queue has no room for all of the data
    /// ([`Config::send_queue`](crate::Config::send_queue)); then none of the data is queued. The reason why the socket
    /// ended, if it has. [`Error::InvalidInput`] for a datagram that is empty or longer than 1460 bytes.
    pub fn queue(&self, data: &[u8]) -> Result<()> {
        self.check_write(data)?;
        let request = Request::Queue { socket: self.socket_id(), data: data.to_vec() };
        self.modem().driver.call(request).map(drop)
    }

    /// Waits until the module has accepted or refused all data that were sent, written and queued so far, at most for
    /// the [write time-out](Self::set_write_timeout). They may not have reached the peer yet.
    ///
    /// # Errors
    /// [`Error::Timeout`]; the reason why the socket ended, if it has.
    pub fn wait_accepted(&self) -> Result<()> {
        self.drained_within(self.write_span().unwrap_or(Duration::MAX))
    }

    pub(super) fn drained_within(&self, timeout: Duration) -> Result<()> {
        self.modem().driver.call(Request::Drain { socket: self.socket_id(), timeout }).map(drop)
    }

    /// The number of sent or queued bytes that the module has not accepted yet.
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
    /// Waits until the peer has acknowledged all data that were sent (`AT+CIPACK`), at most for the [write
    /// time-out](Self::set_write_timeout). The module is asked at growing intervals, up to 2 s.
    ///
    /// [`Write::flush`](std::io::Write::flush) does *not* wait for the peer, only for the module. Otherwise a program
    /// that flushes after every message would wait for a round trip of the network each time.
    ///
    /// # Errors
    /// [`Error::Timeout`]; the reason why the socket ended; [`Error::Refused`] by firmware without `AT+CIPACK`.
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

    /// Waits like [`wait_acknowledged`](Self::wait_acknowledged) until the peer has acknowledged all data, then closes
    /// the socket for every handle like [`close`](Self::close). `timeout` is the limit for both.
    ///
    /// The socket is closed in any case. After a time-out the module closes it shortly after the call has returned.
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
    /// [`CloseError`] with the number of bytes that the peer may lack, and the reason.
    pub fn close_acknowledged(self, timeout: Duration) -> std::result::Result<(), CloseError> {
        let (socket, deadline) = (self.socket_id(), Deadline::after(Some(timeout)));
        let began = Instant::now();
        let call = |request| self.modem().driver.call(request);
        let delivered = call(Request::Flush { socket, timeout });
        let unacknowledged = delivered.as_ref().map_or_else(|_| self.statistics().unacknowledged(), |_| 0);
        // The close is begun even if no time is left.
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

/// The error of a [close that waits for the peer](Socket::close_acknowledged). The socket is closed nevertheless.
#[derive(Debug, thiserror::Error)]
#[error("closed, but {}: {why}", acknowledged(*unacknowledged))]
#[non_exhaustive]
pub struct CloseError {
    /// The number of the last sent or queued bytes without an acknowledgement. All bytes before them are acknowledged.
    pub unacknowledged: u64,
    /// The reason: [`Error::Timeout`], or the one why the socket had ended before. If all bytes are acknowledged, the
    /// module has not confirmed the close.
    #[source]
    pub why: Error,
}

fn acknowledged(unacknowledged: u64) -> String {
    match unacknowledged {
        0 => "everything is acknowledged".to_owned(),
        bytes => format!("{bytes} bytes are not acknowledged"),
    }
}

/// Keeps the reason only.
impl From<CloseError> for Error {
    fn from(error: CloseError) -> Self {
        error.why
    }
}

/// The error is the source; the kind is that of its reason.
impl From<CloseError> for io::Error {
    fn from(error: CloseError) -> Self {
        Self::new(error.why.kind(), error)
    }
}
