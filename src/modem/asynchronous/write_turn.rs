//! The turn of a writer, for a future.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::driver::TaskKey;
use crate::modem::fair_lock::{FairLock, Turn};

/// A turn that a future waits for.
#[derive(Debug)]
pub(super) struct NextTurn<'a> {
    turns: &'a FairLock,
    key: TaskKey,
}

impl<'a> NextTurn<'a> {
    pub(super) fn of(turns: &'a FairLock) -> Self {
        Self { turns, key: TaskKey::new() }
    }
}

impl<'a> Future for NextTurn<'a> {
    type Output = Turn<'a>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Turn<'a>> {
        self.turns.poll_take(self.key, cx)
    }
}

impl Drop for NextTurn<'_> {
    fn drop(&mut self) {
        self.turns.quit(self.key);
    }
}
