//! Writing without waiting for the module.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::Socket;
use super::deadline::Deadline;
use super::socket::{timed_out, would_block};
use super::transport::{Stream, Transport};
use crate::error::{CloseReason, Error, Result, WRITE};
use crate::proto::Joining;

impl<T: Stream> Socket<T> {
    /// Sets whether each write is a send of its own. Default false: data that are written while a send is in flight are
    /// sent together, up to 1460 bytes at a time, as with a [`std::net::TcpStream`]. Data that are written while no
    /// send is in flight are sent at once in both cases. The setting applies to every handle of the socket.
    ///
    /// # Errors
    /// None today; as [`std::net::TcpStream::set_nodelay`].
    pub fn set_nodelay(&self, nodelay: bool) -> Result<()> {
        self.shared.has_no_delay.store(nodelay, Ordering::SeqCst);
        Ok(())
    }

    /// True if each write is a send of its own.
    ///
    /// # Errors
    /// None today.
    pub fn nodelay(&self) -> Result<bool> {
        Ok(self.shared.has_no_delay.load(Ordering::SeqCst))
    }

    /// A channel that gets a signal after a write for which there was no room, when there is room again or the socket
    /// has ended: for [`set_nonblocking`](Self::set_nonblocking). A write that waits takes the signal itself.
    pub fn writable(&self) -> &Receiver<()> {
        &self.shared.readable.room
    }

    /// Accepts the data of one write. Waits for room, and not for the module.
    pub(super) fn write_waiting<'a>(
        &self,
        parts: impl IntoIterator<Item = &'a [u8]> + Clone,
    ) -> Result<usize> {
        let timeout = if self.is_nonblocking() { Some(Duration::ZERO) } else { self.write_span() };
        self.write_within(parts, Deadline::after(timeout), timeout)
    }

    /// Like [`write_waiting`](Self::write_waiting), with a deadline of the caller. `timeout` is the span for the error.
    pub(super) fn write_within<'a>(
        &self,
        parts: impl IntoIterator<Item = &'a [u8]> + Clone,
        deadline: Deadline,
        timeout: Option<Duration>,
    ) -> Result<usize> {
        if parts.clone().into_iter().all(<[u8]>::is_empty) {
            return Ok(0);
        }
        self.check_writable()?;
        let nonblocking = self.is_nonblocking();
        // A send in another thread ends first.
        let turn = self.shared.turns.take(deadline);
        let late = || if nonblocking { would_block() } else { timed_out(WRITE, timeout) };
        let _turn = turn.ok_or_else(late)?;
        let joining = if self.nodelay()? { Joining::Apart } else { Joining::Joined };
        loop {
            if let Some(taken) = self.shared.modem.driver.write(self.shared.id, parts.clone(), joining)? {
                return Ok(taken);
            }
            if nonblocking || !wait(&self.shared.readable.room, deadline) {
                return Err(late());
            }
            self.check_writable()?;
        }
    }

    /// Waits until the module has accepted all written data.
    pub(super) fn flush_waiting(&self) -> Result<()> {
        if self.is_flushed()? {
            return Ok(());
        }
        if self.is_nonblocking() {
            return Err(would_block());
        }
        let (began, timeout) = (Instant::now(), self.write_span());
        match self.drained_within(timeout.unwrap_or(Duration::MAX)) {
            Err(Error::Timeout { .. }) => {
                Err(Error::timeout("flush", timeout.unwrap_or_else(|| began.elapsed())))
            }
            other => other,
        }
    }
}

impl<T: Transport> Socket<T> {
    /// True if the module has accepted all written data. A close by the peer is no error if no written data were lost,
    /// so that a program which flushes before it reads can still read.
    pub(super) fn is_flushed(&self) -> Result<bool> {
        let id = self.shared.id;
        self.shared.modem.driver.with_engine(|engine, _| match engine.take_error(id) {
            Some(error) => Err(error),
            None => match engine.is_flushed(id) {
                Err(Error::Closed(CloseReason::Peer)) => Ok(true),
                flushed => flushed,
            },
        })
    }
}

/// Returns `false` after the time-out.
fn wait(signal: &Receiver<()>, deadline: Deadline) -> bool {
    let waited = match deadline.0 {
        Some(deadline) => signal.recv_deadline(deadline),
        None => signal.recv().map_err(|_| RecvTimeoutError::Disconnected),
    };
    match waited {
        Ok(()) | Err(RecvTimeoutError::Disconnected) => true,
        Err(RecvTimeoutError::Timeout) => false,
    }
}
