//! The frame of the driver's threads: they take turns until one of them fails, or a panic ends them.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

/// The end of a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    /// Another one follows.
    Again,
    /// There is nothing more to be done with the port.
    Over,
}

/// Starts a thread.
pub(super) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.into()).spawn(run).map(drop)
}

/// Takes turns until one of them fails or is the last. A half that panics is one that fails: nothing must wait for it for
/// ever.
pub(super) fn take_turns(mut turn: impl FnMut() -> io::Result<Turn>) -> io::Result<()> {
    survive(|| {
        while turn()? == Turn::Again {}
        Ok(())
    })
}

/// Makes an error of a panic.
pub(super) fn survive<T>(call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let called = catch_unwind(AssertUnwindSafe(call));
    called.unwrap_or_else(|_| Err(io::Error::other("its thread panicked")))
}

/// The reason of a port's end that gave no other.
pub(super) fn hung_up() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it hung up")
}
