//! A bounded queue of bytes between a thread, which may wait, and the simulator, which may not.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most bytes in one direction of one link. If it is full, a peer waits in TCP, and the modem has to wait.
const CAPACITY: usize = 64 * 1024;

#[derive(Debug, Default)]
struct Content {
    bytes: VecDeque<u8>,
    /// True if the writer has ended.
    finished: bool,
    /// True if the reader has ended.
    abandoned: bool,
}

/// One direction of a link.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    content: Mutex<Content>,
    changed: Condvar,
}

impl Pipe {
    /// Writes all bytes and waits for room; `false` when the reader has ended. Calls `filled` each time that the pipe
    /// becomes non-empty, also during the write, because the reader may have emptied it meanwhile.
    pub(super) fn write_all(&self, mut bytes: &[u8], filled: impl Fn()) -> bool {
        let mut content = self.lock();
        while !bytes.is_empty() {
            if content.abandoned {
                return false;
            }
            let count = bytes.len().min(CAPACITY - content.bytes.len());
            if count == 0 {
                content = self.changed.wait(content).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let was_empty = content.bytes.is_empty();
            content.bytes.extend(&bytes[..count]);
            bytes = &bytes[count..];
            if was_empty {
                filled();
            }
        }
        true
    }

    /// Writes the bytes that fit. Returns their number.
    pub(super) fn write(&self, bytes: &[u8]) -> usize {
        let mut content = self.lock();
        let count = bytes.len().min(CAPACITY - content.bytes.len());
        content.bytes.extend(&bytes[..count]);
        self.changed.notify_all();
        count
    }

    /// Reads the available bytes. Returns their number.
    pub(super) fn read(&self, into: &mut [u8]) -> usize {
        let mut content = self.lock();
        let (first, second) = content.bytes.as_slices();
        let in_first = first.len().min(into.len());
        into[..in_first].copy_from_slice(&first[..in_first]);
        let in_second = second.len().min(into.len() - in_first);
        into[in_first..in_first + in_second].copy_from_slice(&second[..in_second]);
        content.bytes.drain(..in_first + in_second);
        self.changed.notify_all();
        in_first + in_second
    }

    /// Waits for bytes and reads all of them into an empty buffer; `false` at the end.
    pub(super) fn take(&self, into: &mut Vec<u8>) -> bool {
        let mut content = self.lock();
        while content.bytes.is_empty() && !content.finished && !content.abandoned {
            content = self.changed.wait(content).unwrap_or_else(PoisonError::into_inner);
        }
        if !content.abandoned {
            into.extend(content.bytes.drain(..));
        }
        !into.is_empty()
    }

    /// The writer ends: the reader ends after reading the remaining bytes.
    pub(super) fn finish(&self) {
        self.lock().finished = true;
        self.changed.notify_all();
    }

    pub(super) fn is_finished(&self) -> bool {
        let content = self.lock();
        content.finished || content.abandoned
    }

    /// The reader ends: a waiting writer gives up.
    pub(super) fn abandon(&self) {
        let mut content = self.lock();
        content.abandoned = true;
        content.bytes = VecDeque::new();
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The interval at which a stalled write checks whether the link was closed.
pub(super) const STALL_CHECK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_takes_no_more_than_it_holds() {
        let pipe = Pipe::default();
        assert_eq!(pipe.write(&vec![1; CAPACITY + 1]), CAPACITY);
        let mut part = [0; 10];
        assert_eq!(pipe.read(&mut part), 10);
        assert_eq!(pipe.write(&[2; 20]), 10);
    }

    #[test]
    fn a_waiting_writer_gives_up_when_nothing_reads() {
        let pipe = std::sync::Arc::new(Pipe::default());
        let writer = {
            let pipe = pipe.clone();
            std::thread::spawn(move || pipe.write_all(&vec![0; CAPACITY * 2], || {}))
        };
        pipe.abandon();
        assert!(!writer.join().expect("the writer ends"));
    }

    #[test]
    fn a_reader_that_empties_the_pipe_is_notified_of_what_comes_after() {
        let pipe = std::sync::Arc::new(Pipe::default());
        let (signal, signalled) = std::sync::mpsc::channel();
        let writer = {
            let pipe = pipe.clone();
            std::thread::spawn(move || {
                let filled = || signal.send(()).expect("the test listens");
                pipe.write_all(&vec![7; CAPACITY * 3], filled)
            })
        };
        let mut total = 0;
        while signalled.recv().is_ok() {
            let mut part = vec![0; CAPACITY];
            total += pipe.read(&mut part);
        }
        assert!(writer.join().expect("the writer ends"));
        let mut rest = vec![0; CAPACITY];
        assert_eq!(total + pipe.read(&mut rest), CAPACITY * 3);
    }

    #[test]
    fn what_was_written_before_the_end_is_read() {
        let pipe = Pipe::default();
        pipe.write(b"last");
        pipe.finish();
        let mut got = Vec::new();
        assert!(pipe.take(&mut got));
        assert_eq!(got, b"last");
        got.clear();
        assert!(!pipe.take(&mut got));
    }
}
