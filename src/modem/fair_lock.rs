//! A lock in order of arrival for the writers of a socket.

use std::sync::{Mutex, MutexGuard, PoisonError};
#[cfg(feature = "async")]
use std::task::{Context, Poll};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::deadline::Deadline;
#[cfg(feature = "async")]
use crate::driver::{TaskKey, Wakers, Woken};

/// A mutex with a time-out that serialises writers. It contains a buffer that the writers use in turn.
#[derive(Debug)]
pub(super) struct FairLock {
    give: Sender<()>,
    take: Receiver<()>,
    /// The buffer, unless a writer has its turn.
    buffer: Mutex<Vec<u8>>,
    /// The futures that wait for a turn.
    #[cfg(feature = "async")]
    tasks: Mutex<Wakers>,
}

impl FairLock {
    pub(super) fn new() -> Self {
        let (give, take) = bounded(1);
        let turns = Self {
            give,
            take,
            buffer: Mutex::default(),
            #[cfg(feature = "async")]
            tasks: Mutex::default(),
        };
        turns.give_back(Vec::new());
        turns
    }

    /// Waits for a turn; `None` after the time-out.
    pub(super) fn take(&self, deadline: Deadline) -> Option<Turn<'_>> {
        match deadline.0 {
            Some(deadline) => self.take.recv_deadline(deadline).ok()?,
            None => self.take.recv().ok()?,
        }
        Some(self.turn())
    }

    fn turn(&self) -> Turn<'_> {
        Turn { turns: self, buffer: std::mem::take(&mut *self.lock_buffer()) }
    }

    fn lock_buffer(&self) -> MutexGuard<'_, Vec<u8>> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, buffer: Vec<u8>) {
        *self.lock_buffer() = buffer;
        // There is room for the token, because it was taken from there.
        let _ = self.give.try_send(());
        #[cfg(feature = "async")]
        self.change_tasks(|tasks, woken| {
            tasks.wake_all(woken);
        });
    }
}

/// The part that futures use.
#[cfg(feature = "async")]
impl FairLock {
    /// Takes a turn, or wakes the task when one is over.
    pub(super) fn poll_take(&self, key: TaskKey, cx: &Context<'_>) -> Poll<Turn<'_>> {
        let turn = || self.take.try_recv().map(|()| Poll::Ready(self.turn()));
        turn().unwrap_or_else(|_| {
            self.change_tasks(|tasks, woken| tasks.wait(key, cx, woken));
            // A turn that ended before the task was registered has not woken it.
            turn().unwrap_or(Poll::Pending)
        })
    }

    /// The future does not wait any more.
    pub(super) fn quit(&self, key: TaskKey) {
        self.change_tasks(|tasks, woken| tasks.quit(key, woken));
    }

    fn change_tasks(&self, change: impl FnOnce(&mut Wakers, &mut Woken)) {
        // Tasks are woken without the lock.
        let mut woken = Woken::default();
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut tasks, &mut woken);
        drop(tasks);
    }
}

/// A turn. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    turns: &'a FairLock,
    pub(super) buffer: Vec<u8>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.give_back(std::mem::take(&mut self.buffer));
    }
}
