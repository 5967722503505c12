//! The line to the module: a serial port, or any pair of halves.
//!
//! [`Line`] is what the driver's thread waits on, reads and writes without ever blocking anywhere else;
//! [`DirectWrite`] lets a caller write without going through that thread, where the port can do so.

mod halves;
#[cfg(unix)]
mod serial;
#[cfg(not(unix))]
mod serial_halves;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use halves::halves;
#[cfg(unix)]
pub(crate) use serial::open;
#[cfg(not(unix))]
pub(crate) use serial_halves::open;

/// The driver's end of the port.
pub(crate) trait Line: Send {
    /// Waits until bytes have come, bytes can be written (if any are to be), somebody called [`Wake::wake`], or the
    /// time is up; `None`: for ever.
    fn wait(&mut self, wants_write: bool, timeout: Option<Duration>) -> io::Result<()>;

    /// Reads what has come; [`io::ErrorKind::WouldBlock`] if nothing has, `Ok(0)` at the end of the port.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize>;

    /// Writes what the port takes now; [`io::ErrorKind::WouldBlock`] if it takes nothing.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
}

/// Ends a [`Line::wait`] from another thread.
pub(crate) trait Wake: Send + Sync {
    /// Ends the wait that is under way, or the next one.
    fn wake(&self);
}

/// Writes without waiting, from any thread.
pub(crate) trait DirectWrite: Send {
    /// Writes what the port takes now; [`io::ErrorKind::WouldBlock`] if it takes nothing.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
}

/// An open port in its parts.
pub(crate) struct Port {
    pub(crate) line: Box<dyn Line>,
    pub(crate) wake: Arc<dyn Wake>,
    pub(crate) direct: Option<Box<dyn DirectWrite>>,
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("direct", &self.direct.is_some()).finish_non_exhaustive()
    }
}
