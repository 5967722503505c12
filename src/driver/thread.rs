//! The frame of the driver's threads: whatever ends one of them ends the modem for all its callers.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use super::shared::Shared;

/// The end of a thread's turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    /// Another one follows.
    Again,
    /// The modem was closed.
    Closed,
}

/// Starts a thread that takes turns until one of them fails or the modem is closed.
pub(super) fn spawn(
    name: &str,
    shared: &Arc<Shared>,
    mut turn: impl FnMut() -> io::Result<Turn> + Send + 'static,
) -> io::Result<()> {
    let shared = Arc::downgrade(shared);
    let run = move || {
        // A half that panics is one that fails; no call may wait for it for ever.
        let ended = catch_unwind(AssertUnwindSafe(|| turns(&mut turn)));
        let ended = ended.unwrap_or_else(|_| Err(io::Error::other("its thread panicked")));
        let shared = shared.upgrade();
        // The port is closed before the callers are told that it is.
        drop(turn);
        if let (Err(error), Some(shared)) = (ended, shared) {
            log::warn!("the port is lost: {error}");
            shared.lock().close(shared.now(), &error.to_string());
            shared.wake.wake();
        }
    };
    thread::Builder::new().name(name.into()).spawn(run).map(drop)
}

fn turns(turn: &mut impl FnMut() -> io::Result<Turn>) -> io::Result<()> {
    while turn()? == Turn::Again {}
    Ok(())
}

/// The reason of a port's end that gave no other.
pub(super) fn hung_up() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it hung up")
}
