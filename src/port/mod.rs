//! The line to the module: a serial port, a port on another machine, or any pair of halves.
//!
//! A thread waits for a [`Line`] together with a wake-up, and every other call of it returns at once. [`DirectWrite`]
//! lets a caller write without that thread. Halves have neither: each half has a thread of its own that may block.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

mod bare_port;
#[cfg(all(feature = "ports", unix))]
mod candidates;
#[cfg(target_os = "linux")]
mod direct_read;
#[cfg(unix)]
mod exclusive;
mod explain;
#[cfg(all(feature = "ports", unix))]
mod identification;
#[cfg(feature = "ports")]
mod listing;
mod module_mode;
mod open;
mod opening;
#[cfg(feature = "remote")]
mod remote;
#[cfg(all(feature = "ports", unix))]
mod search;
#[cfg(unix)]
mod serial;
#[cfg(any(not(unix), test))]
mod serial_halves;
mod source;
mod unanswered;
mod users;
mod wake_up;

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::time::Duration;
use std::time::Instant;

pub use bare_port::BarePort;
#[cfg(all(feature = "ports", unix))]
pub(crate) use identification::{Ask, Identify};
#[cfg(feature = "ports")]
pub use listing::{PortInfo, PortKind, UsbInfo, ports, ports_below};
pub(crate) use module_mode::ModuleMode;
#[cfg(feature = "diagnosis")]
pub(crate) use open::{has_rate, is_remote};
#[cfg(all(feature = "ports", unix))]
pub(crate) use search::Search;
pub(crate) use source::Opener;
pub use source::PortSource;
pub(crate) use wake_up::{Sleeper, Waker, pair as wake_up};

/// The moment after this span from now on.
pub(crate) fn after(span: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(span).unwrap_or(now)
}

/// A port that can be waited on.
pub(crate) trait Line: Send {
    /// Waits until bytes have come, bytes can be written (with `wants_write`), the sleeper is woken, or the time-out
    /// has passed; `None` waits without a limit.
    fn wait(&mut self, sleeper: &Sleeper, wants_write: bool, timeout: Option<Duration>) -> io::Result<()>;

    /// Reads bytes that have come; [`io::ErrorKind::WouldBlock`] if there are none, `Ok(0)` at the end of the port.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize>;

    /// Writes the bytes that the port takes now; [`io::ErrorKind::WouldBlock`] if it takes none.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Discards the bytes that the system has not written yet.
    #[cfg(all(feature = "ports", unix))]
    fn discard_unwritten(&mut self) {}

    /// Removes the report of the port's end, which comes once, so that the next wait does not return at once. Called
    /// while a caller reads the port.
    fn pass_over(&mut self) {}

    /// Switches the DTR line. A port without that line returns an error.
    fn set_dtr(&mut self, on: bool) -> io::Result<()>;
}

/// Writes without waiting, from any thread.
pub(crate) trait DirectWrite: Send {
    /// Writes the bytes that the port takes now; [`io::ErrorKind::WouldBlock`] if it takes none.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
}

/// Reads a port from the caller that waits for the answer. In that time the thread does not read, and arriving bytes do
/// not wake it.
pub(crate) trait DirectRead: Send {
    /// Takes the port: from now on arriving bytes do not end the thread's wait.
    fn take(&mut self) -> io::Result<()>;

    /// Returns the port: from now on arriving bytes end the thread's wait.
    fn give_back(&mut self) -> io::Result<()>;

    /// Waits until bytes have come, the waker is called, or the time-out has passed; `None` waits without a limit.
    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// Reads bytes that have come; [`io::ErrorKind::WouldBlock`] if there are none, none at the end of the port.
    fn read(&mut self) -> io::Result<&[u8]>;

    /// A waker that ends the wait from another thread.
    fn waker(&self) -> Waker;
}

/// Ends the thread's wait for its port at a later time. To set it wakes no thread.
pub(crate) trait Alarm: Send {
    /// Ends the wait after this span.
    fn set(&mut self, after: Duration) -> io::Result<()>;

    /// Does not end the wait any more.
    fn clear(&mut self);
}

/// The callers' end of a port.
pub(crate) struct CallerEnd {
    pub(crate) direct: Box<dyn DirectWrite>,
    /// The part for a caller that reads its own answer, on systems that have it.
    pub(crate) direct_read: Option<Box<dyn DirectRead>>,
    /// The alarm of the thread, on systems that have it.
    pub(crate) alarm: Option<Box<dyn Alarm>>,
    /// Whether the path of the port leads to another device now.
    pub(crate) leads_elsewhere: Option<Box<LeadsElsewhere>>,
}

/// Looks where the path of a port leads.
pub(crate) type LeadsElsewhere = dyn Fn() -> bool + Send;

/// The error of a port whose other side speaks another protocol than its name says.
#[cfg_attr(not(feature = "remote"), allow(dead_code, reason = "only servers of other machines have one"))]
#[derive(Debug)]
pub(crate) struct WrongProtocol(pub(crate) Cow<'static, str>);

impl WrongProtocol {
    /// Whether a port ended with this error.
    pub(crate) fn has_ended(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|reason| reason.is::<Self>())
    }
}

impl fmt::Display for WrongProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongProtocol {}

/// An open port.
pub(crate) enum Port {
    /// A port that can be waited on. One thread serves it.
    #[cfg_attr(not(unix), allow(dead_code, reason = "needs poll"))]
    Line {
        /// The thread's end.
        line: Box<dyn Line>,
        /// The callers' end.
        callers: CallerEnd,
    },
    /// Two halves of unknown kind. Each may block without limit.
    Halves {
        /// The half that the module's bytes come from.
        reader: Box<dyn io::Read + Send>,
        /// The half that bytes for the module go to.
        writer: Box<dyn io::Write + Send>,
        /// Ends the present calls of both halves when it is dropped, if the port has that.
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
