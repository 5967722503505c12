//! The time-outs of a socket.

use std::sync::PoisonError;
use std::time::Duration;

use crate::error::{Error, Result};

use super::deadline::Timeouts;
use super::socket::Socket;
use super::transport::Transport;

impl<T: Transport> Socket<T> {
    /// Sets the time-out of reads. `None`, the default, waits without a limit.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for zero, as [`std::net::TcpStream::set_read_timeout`].
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.change_timeouts(timeout, |timeouts| &mut timeouts.read)
    }

    /// Sets the time-out of writes. `None` waits without a limit. Default 120 s.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for zero, as [`std::net::TcpStream::set_write_timeout`].
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.change_timeouts(timeout, |timeouts| &mut timeouts.write)
    }

    /// The time-out of reads.
    ///
    /// # Errors
    /// None today; as [`std::net::TcpStream::read_timeout`].
    pub fn read_timeout(&self) -> Result<Option<Duration>> {
        Ok(self.timeouts().read)
    }

    /// The time-out of writes.
    ///
    /// # Errors
    /// None today; as [`std::net::TcpStream::write_timeout`].
    pub fn write_timeout(&self) -> Result<Option<Duration>> {
        Ok(self.write_span())
    }

    pub(super) fn write_span(&self) -> Option<Duration> {
        self.timeouts().write
    }

    pub(super) fn timeouts(&self) -> Timeouts {
        *self.shared.timeouts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change_timeouts(
        &self,
        timeout: Option<Duration>,
        which: impl FnOnce(&mut Timeouts) -> &mut Option<Duration>,
    ) -> Result<()> {
        let timeout = not_zero(timeout)?;
        *which(&mut self.shared.timeouts.lock().unwrap_or_else(PoisonError::into_inner)) = timeout;
        Ok(())
    }
}

/// The time-out, as `std` checks it.
pub(super) fn not_zero(timeout: Option<Duration>) -> Result<Option<Duration>> {
    match timeout {
        Some(Duration::ZERO) => Err(Error::invalid("timeout", "is zero")),
        other => Ok(other),
    }
}
