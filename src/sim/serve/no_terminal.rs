//! Substitutes on systems without pseudo-terminals: programs compile, and get an error at run time.

use std::convert::Infallible;
use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};

use super::LogEntry;
use crate::sim::{Control, Network, Simulator, State};
use crate::time::Timestamp;

fn unsupported() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "this system has no pseudo-terminals; `serve::in_process` serves a simulated modem here",
    )
}

/// A pseudo-terminal. This system has none.
#[derive(Debug)]
pub struct AbsentPty(Infallible);

impl AbsentPty {
    /// # Errors
    ///
    /// [`io::ErrorKind::Unsupported`] on this system.
    pub fn open() -> io::Result<Self> {
        Err(unsupported())
    }

    /// The path that a program opens.
    pub fn path(&self) -> &Path {
        match self.0 {}
    }

    /// Makes a symbolic link to it.
    ///
    /// # Errors
    ///
    /// None: there is no terminal on this system.
    pub fn link(&mut self, _: impl Into<PathBuf>) -> io::Result<()> {
        match self.0 {}
    }
}

/// Sends orders to a modem on a pseudo-terminal. This system has none.
#[derive(Clone, Debug)]
pub struct AbsentRemote(Infallible);

impl AbsentRemote {
    /// Changes the modem's environment.
    pub fn send(&self, _: Control) -> bool {
        match self.0 {}
    }

    /// The state of the modem now.
    pub fn state(&self) -> Option<State> {
        match self.0 {}
    }
}

/// Receives orders to a modem on a pseudo-terminal. This system has none.
#[derive(Debug)]
pub struct AbsentInbox(Infallible);

/// Makes the two ends of a remote control.
///
/// # Errors
///
/// [`io::ErrorKind::Unsupported`] on this system.
pub fn remote() -> io::Result<(AbsentRemote, AbsentInbox)> {
    Err(unsupported())
}

/// Serves a modem on a pseudo-terminal.
///
/// # Errors
///
/// None: there is no terminal on this system.
pub fn run<N: Network>(_: Simulator<N>, pty: AbsentPty, _: AbsentInbox) -> io::Result<()> {
    match pty.0 {}
}

/// The same as [`run`], with a function that sees all bytes and events.
///
/// # Errors
///
/// None: there is no terminal on this system.
pub fn run_with<N: Network>(
    _: Simulator<N>,
    pty: AbsentPty,
    inbox: AbsentInbox,
    _: impl FnMut(Timestamp, LogEntry<'_>),
) -> io::Result<()> {
    let AbsentInbox(_) = inbox;
    match pty.0 {}
}

/// Serves a port on a pseudo-terminal.
///
/// # Errors
///
/// None: there is no terminal on this system.
pub fn play<R: Read + Send>(
    pty: &AbsentPty,
    _: R,
    _: impl Write,
    _: impl FnMut(usize) -> usize,
) -> io::Result<()> {
    match pty.0 {}
}

/// Takes orders from a socket. This system has none.
#[derive(Debug)]
pub struct AbsentConsole(Infallible);

impl AbsentConsole {
    /// # Errors
    ///
    /// [`io::ErrorKind::Unsupported`] on this system.
    pub fn listen(_: impl Into<PathBuf>, _: Vec<AbsentRemote>) -> io::Result<Self> {
        Err(unsupported())
    }
}

impl Drop for AbsentConsole {
    fn drop(&mut self) {
        match self.0 {}
    }
}

/// Executes an order in words.
pub fn obey(_: &[AbsentRemote], _: &str) -> String {
    format!("error: {}", unsupported())
}

/// Reads orders in words.
///
/// # Errors
///
/// [`io::ErrorKind::Unsupported`] on this system.
pub fn converse(
    _: &[AbsentRemote],
    _: impl BufRead,
    _: impl FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    Err(unsupported())
}
