//! The line to the module: a serial port, one on another machine, or any pair of halves.
//!
//! A [`Line`] is waited on together with a wake-up, and never blocks anywhere else; [`DirectWrite`] lets a caller write
//! without going through the thread that waits. Halves can do neither: each is served where it may block.

#[cfg(target_os = "linux")]
mod direct_read;
mod explain;
#[cfg(feature = "ports")]
mod listing;
mod open;
#[cfg(feature = "remote")]
mod remote;
#[cfg(all(feature = "ports", unix))]
mod search;
#[cfg(unix)]
mod serial;
#[cfg(any(not(unix), test))]
mod serial_halves;
mod source;
mod wake_up;

use std::fmt;
use std::io;
use std::time::Duration;

#[cfg(feature = "ports")]
pub use listing::{PortInfo, PortKind, UsbInfo, ports, ports_below};
#[cfg(feature = "diagnosis")]
pub(crate) use open::{has_rate, is_remote};
#[cfg(all(feature = "ports", unix))]
pub(crate) use search::{Ask, Search};
pub use source::PortSource;
pub(crate) use source::{Opener, OpeningTime};
pub(crate) use wake_up::{Sleeper, Waker, pair as wake_up};

/// A port that can be waited on.
pub(crate) trait Line: Send {
    /// Waits until bytes have come, bytes can be written (if any are to be), the sleeper is woken, or the time is up;
    /// `None`: for ever.
    fn wait(&mut self, sleeper: &Sleeper, wants_write: bool, timeout: Option<Duration>) -> io::Result<()>;

    /// Reads what has come; [`io::ErrorKind::WouldBlock`] if nothing has, `Ok(0)` at the end of the port.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize>;

    /// Writes what the port takes now; [`io::ErrorKind::WouldBlock`] if it takes nothing.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Passes over the end of a port of which a caller reads, which the wait tells once.
    fn pass_over(&mut self) {}

    /// Switches the DTR line. An error if there is none.
    fn set_dtr(&mut self, on: bool) -> io::Result<()>;
}

/// Writes without waiting, from any thread.
pub(crate) trait DirectWrite: Send {
    /// Writes what the port takes now; [`io::ErrorKind::WouldBlock`] if it takes nothing.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
}

/// The reading of a port by a caller that waits for its answer. The thread leaves what comes alone meanwhile, and does not wake up
/// for it.
pub(crate) trait DirectRead: Send {
    /// From now on the thread's wait does not end when bytes come.
    fn take(&mut self) -> io::Result<()>;

    /// From now on it does again.
    fn give_back(&mut self) -> io::Result<()>;

    /// Waits until bytes have come, the waker is called, or the time is up; `None`: for ever.
    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// Reads what has come; [`io::ErrorKind::WouldBlock`] if nothing has, `Ok(0)` at the end of the port.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize>;

    /// Ends its wait from another thread.
    fn waker(&self) -> Waker;
}

/// The end of a port that callers use: for writing, and for one of them to read.
pub(crate) type CallerEnd = (Box<dyn DirectWrite>, Option<Box<dyn DirectRead>>);

/// The error of a port whose other side speaks another protocol than its name says.
#[cfg_attr(not(feature = "remote"), allow(dead_code, reason = "only servers of other machines have one"))]
#[derive(Debug)]
pub(crate) struct WrongProtocol(pub(crate) &'static str);

impl WrongProtocol {
    /// Whether it is why a port has ended.
    pub(crate) fn has_ended(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|reason| reason.is::<Self>())
    }
}

impl fmt::Display for WrongProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for WrongProtocol {}

/// An open port.
pub(crate) enum Port {
    /// One that can be waited on: a thread is enough for it.
    #[cfg_attr(not(unix), allow(dead_code, reason = "needs poll"))]
    Line {
        /// The thread's end.
        line: Box<dyn Line>,
        /// The callers' end.
        direct: Box<dyn DirectWrite>,
        /// For a caller that reads its own answer, where the system has that.
        direct_read: Option<Box<dyn DirectRead>>,
    },
    /// Two halves of unknown kind, either of which may block for as long as it likes.
    Halves {
        /// What the module sends.
        reader: Box<dyn io::Read + Send>,
        /// What goes to the module.
        writer: Box<dyn io::Write + Send>,
        /// Ends the halves' calls that are under way when it is dropped, where that can be done.
        end: Option<Box<dyn Send>>,
    },
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Line { .. } => "Line",
            Self::Halves { .. } => "Halves",
        })
    }
}
