//! Writers of one socket take turns.

use crossbeam_channel::{Receiver, Sender, bounded};

use super::deadline::Deadline;

/// Keeps each writer's data together, and lets none wait beyond its time-out, as a lock would. Holds a buffer that each
/// uses in turn.
#[derive(Debug)]
pub(super) struct FairLock {
    give: Sender<Vec<u8>>,
    take: Receiver<Vec<u8>>,
}

impl FairLock {
    pub(super) fn new() -> Self {
        let (give, take) = bounded(1);
        let turns = Self { give, take };
        turns.give_back(Vec::new());
        turns
    }

    /// Waits for a turn; `None` when time is up.
    pub(super) fn take(&self, deadline: Deadline) -> Option<Turn<'_>> {
        let buffer = match deadline.0 {
            Some(deadline) => self.take.recv_deadline(deadline).ok()?,
            None => self.take.recv().ok()?,
        };
        Some(Turn { turns: self, buffer })
    }

    fn give_back(&self, buffer: Vec<u8>) {
        // There is room: the buffer was taken, and there is one.
        let _ = self.give.try_send(buffer);
    }
}

/// A turn, until it is dropped.
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
