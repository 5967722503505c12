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
    /// Sets whether each write is a send of its own. False, the default: what is written while a send is under way goes out
    /// together, up to 1460 bytes at a time, as with a [`std::net::TcpStream`]. What is written while none is goes out at once
    /// either way. Holds for every handle of the socket.
    ///
    /// # Errors
    /// None today; as [`std::net::TcpStream::set_nodelay`].
    pub fn set_nodelay(&self, nodelay: bool) -> Result<()> {
        self.shared.has_no_delay.store(nodelay, Ordering::SeqCst);
        Ok(())
    }

    /// Whether each write is a send of its own.
    ///
    /// # Errors
    /// None today.
    pub fn nodelay(&self) -> Result<bool> {
        Ok(self.shared.has_no_delay.load(Ordering::SeqCst))
    }

    /// Gets a signal when there is room for what is written, or the socket has ended, after a write that found none: for
    /// [`set_nonblocking`](Self::set_nonblocking). A write that waits takes the signal itself.
    pub fn writable(&self) -> &Receiver<()> {
        &self.shared.readable.room
    }

    /// Takes what one write takes, and waits only for room.
    pub(super) fn write_waiting<'a>(
        &self,
        parts: impl IntoIterator<Item = &'a [u8]> + Clone,
    ) -> Result<usize> {
        let timeout = if self.is_nonblocking() { Some(Duration::ZERO) } else { self.write_span() };
        self.write_within(parts, Deadline::after(timeout), timeout)
    }

    /// As [`write_waiting`](Self::write_waiting), with a time-out of the caller's.
    pub(super) fn write_within<'a>(
        &self,
        parts: impl IntoIterator<Item = &'a [u8]> + Clone,
        deadline: Deadline,
        timeout: Option<Duration>,
    ) -> Result<usize> {
        if parts.clone().into_iter().all(<[u8]>::is_empty) {
            return Ok(0);
        }
        self.check_write(&[])?;
        let nonblocking = self.is_nonblocking();
        // After a send that is under way in another thread.
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
            self.check_write(&[])?;
        }
    }

    /// Waits until the module has what was written.
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
    /// Whether the module has all that was written. The peer's close is no error where nothing is lost by it: a program that flushes
    /// before it reads gets to read what has come.
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

/// `false` when time is up.
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
