//! The loop of the driver's threads: turns until one fails or panics.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

/// The end of a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    /// Another one follows.
    Again,
    /// The port needs no further turn.
    Over,
}

/// Starts a thread. The function is boxed, because each kind of function has its own copy of std's code otherwise.
pub(super) fn spawn(name: &str, run: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    thread::Builder::new().name(name.into()).spawn(run).map(drop)
}

/// Runs turns until one fails or is the last. A panic of a half counts as a failure, so that nothing waits for it for
/// ever.
pub(super) fn take_turns(mut turn: impl FnMut() -> io::Result<Turn>) -> io::Result<()> {
    survive(|| {
        while turn()? == Turn::Again {}
        Ok(())
    })
}

/// Converts a panic to an error.
pub(super) fn survive<T>(call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let called = catch_unwind(AssertUnwindSafe(call));
    called.unwrap_or_else(|_| Err(io::Error::other("its thread panicked")))
}

/// The reason of a port's end without an error.
pub(super) fn hung_up() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it hung up")
}
