//! The signals for readers of sockets, and the detection of slow readers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
#[cfg(feature = "async")]
use std::task::Context;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

#[cfg(feature = "async")]
use super::tasks::TaskKey;
use super::tasks::{Wakers, Woken};
use crate::proto::SocketId;
use crate::time::Timestamp;

/// A reader that is idle for this span counts as absent.
const READS: Duration = Duration::from_secs(1);

/// The signals of a socket: readable and writable.
#[derive(Clone, Debug)]
pub(crate) struct Readable {
    pub(crate) signal: Receiver<()>,
    /// Gets a signal when there is room for written data.
    pub(crate) room: Receiver<()>,
    rearm: Sender<()>,
    readers: Arc<AtomicUsize>,
}

impl Readable {
    /// Sends the signal again, because there is more to read, or the end for other readers.
    pub(crate) fn rearm(&self) {
        // One waiting signal is enough.
        let _ = self.rearm.try_send(());
    }

    /// Calls a function that waits for the signal.
    pub(crate) fn while_waiting<T>(&self, wait: impl FnOnce(&Receiver<()>) -> T) -> T {
        self.readers.fetch_add(1, Ordering::SeqCst);
        let result = wait(&self.signal);
        self.readers.fetch_sub(1, Ordering::SeqCst);
        result
    }
}

/// The signal for the reader of a socket, and the number of its unread bytes.
#[derive(Debug)]
pub(super) struct Readiness {
    all: Vec<Entry>,
    /// The number of unread bytes from which a reader counts as slow.
    limit: usize,
}

#[derive(Debug)]
struct Entry {
    socket: SocketId,
    signal: Sender<()>,
    /// Another channel that gets the signals.
    also: Option<Sender<()>>,
    ended_at: Option<Timestamp>,
    room: Sender<()>,
    readers: Arc<AtomicUsize>,
    read_at: Option<Timestamp>,
    unread: usize,
    /// The futures that wait for data or the end, and for room.
    reading: Wakers,
    writing: Wakers,
    /// Whether a reader was woken and has not read yet.
    is_called: bool,
    /// Whether the last bytes exceeded the limit.
    pressed: bool,
}

impl Readiness {
    pub(super) fn new(limit: usize) -> Self {
        Self { all: Vec::new(), limit }
    }

    pub(super) fn add(&mut self, socket: SocketId) -> Readable {
        let (rearm, signal) = bounded(1);
        let (has_room, room) = bounded(1);
        let readers = Arc::new(AtomicUsize::new(0));
        let entry = Entry {
            socket,
            signal: rearm.clone(),
            also: None,
            ended_at: None,
            room: has_room,
            readers: readers.clone(),
            read_at: None,
            unread: 0,
            reading: Wakers::default(),
            writing: Wakers::default(),
            is_called: false,
            pressed: false,
        };
        self.all.push(entry);
        Readable { signal, room, rearm, readers }
    }

    pub(super) fn remove(&mut self, socket: SocketId) {
        self.all.retain(|entry| entry.socket != socket);
    }

    /// Signals the reader.
    pub(super) fn signal(&mut self, socket: SocketId, woken: &mut Woken) {
        if let Some(entry) = self.all.iter_mut().find(|entry| entry.socket == socket) {
            entry.is_called |= entry.reading.wake_all(woken);
            // A waiting signal has the same effect.
            let _ = entry.signal.try_send(());
            let _ = entry.also.as_ref().map(|also| also.try_send(()));
        }
    }

    /// Signals this channel, too.
    pub(super) fn also_signal(&mut self, socket: SocketId, signal: Sender<()>) {
        if let Some(entry) = self.all.iter_mut().find(|entry| entry.socket == socket) {
            entry.also = Some(signal);
        }
    }

    /// A socket has ended.
    pub(super) fn ended(&mut self, socket: SocketId, now: Timestamp) {
        if let Some(entry) = self.all.iter_mut().find(|entry| entry.socket == socket) {
            entry.ended_at = Some(now);
        }
    }

    /// When a socket has ended.
    pub(super) fn ended_at(&self, socket: SocketId) -> Option<Timestamp> {
        self.all.iter().find(|entry| entry.socket == socket)?.ended_at
    }

    /// Signals the writer.
    pub(super) fn has_room(&mut self, socket: SocketId, woken: &mut Woken) {
        if let Some(entry) = self.all.iter_mut().find(|entry| entry.socket == socket) {
            entry.writing.wake_all(woken);
            let _ = entry.room.try_send(());
        }
    }

    /// The application reads a socket.
    pub(super) fn looked(&mut self, socket: SocketId, now: Timestamp) {
        if let Some(entry) = self.all.iter_mut().find(|entry| entry.socket == socket) {
            entry.read_at = Some(now);
            entry.is_called = false;
        }
    }

    /// Bytes came. Notes the sockets with more unread bytes than the limit. `unread` returns the number of unread bytes
    /// of a socket.
    pub(super) fn press(&mut self, now: Timestamp, mut unread: impl FnMut(SocketId) -> usize) {
        for entry in &mut self.all {
            let before = std::mem::replace(&mut entry.unread, unread(entry.socket));
            entry.pressed = entry.unread > before && entry.unread > self.limit && entry.is_read(now);
        }
    }

    /// True if one of these is still over the limit.
    pub(super) fn is_pressed(&self, mut unread: impl FnMut(SocketId) -> usize) -> bool {
        self.all.iter().any(|entry| entry.pressed && unread(entry.socket) > self.limit)
    }

    /// True if a socket was over the limit when bytes came last.
    pub(super) fn was_pressed(&self) -> bool {
        self.all.iter().any(|entry| entry.pressed)
    }
}

/// The functions for futures.
#[cfg(feature = "async")]
impl Readiness {
    /// The future is woken when there is something to read, or the socket has ended.
    pub(super) fn wait_readable(
        &mut self,
        socket: SocketId,
        key: TaskKey,
        cx: &Context<'_>,
        woken: &mut Woken,
    ) {
        if let Some(entry) = self.all.iter_mut().find(|entry| entry.socket == socket) {
            entry.reading.wait(key, cx, woken);
        }
    }

    /// The future is woken when there is room, or the socket has ended.
    pub(super) fn wait_writable(
        &mut self,
        socket: SocketId,
        key: TaskKey,
        cx: &Context<'_>,
        woken: &mut Woken,
    ) {
        if let Some(entry) = self.all.iter_mut().find(|entry| entry.socket == socket) {
            entry.writing.wait(key, cx, woken);
        }
    }

    /// The future does not wait any more.
    pub(super) fn quit(&mut self, socket: SocketId, key: TaskKey, woken: &mut Woken) {
        if let Some(entry) = self.all.iter_mut().find(|entry| entry.socket == socket) {
            entry.reading.quit(key, woken);
            entry.writing.quit(key, woken);
            entry.is_called = false;
        }
    }

    /// Wakes every future.
    pub(super) fn wake_tasks(&mut self, socket: SocketId, woken: &mut Woken) {
        if let Some(entry) = self.all.iter_mut().find(|entry| entry.socket == socket) {
            entry.reading.wake_all(woken);
            entry.writing.wake_all(woken);
        }
    }
}

impl Entry {
    fn is_read(&self, now: Timestamp) -> bool {
        let waits = self.readers.load(Ordering::SeqCst) > 0 || !self.reading.is_empty();
        waits || self.is_called || self.read_at.is_some_and(|at| now - at < READS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::ChannelId;

    #[test]
    fn only_a_socket_that_fills_up_although_it_is_read_presses() {
        let socket = SocketId { channel: ChannelId::new(3).unwrap(), generation: 1 };
        let mut watched = Readiness::new(100);
        let readable = watched.add(socket);
        let mut now = Timestamp::from_secs(10);
        watched.press(now, |_| 150);
        assert!(!watched.is_pressed(|_| 150), "no call reads");
        readable.while_waiting(|_| watched.press(now, |_| 160));
        assert!(watched.is_pressed(|_| 160), "a call waits");
        assert!(!watched.is_pressed(|_| 100), "the reader has had its turn");
        watched.looked(socket, now);
        watched.press(now, |_| 160);
        assert!(!watched.is_pressed(|_| 160), "nothing came");
        watched.press(now, |_| 170);
        assert!(watched.is_pressed(|_| 170), "a call has read");
        now += READS;
        watched.press(now, |_| 180);
        assert!(!watched.is_pressed(|_| 180), "no call reads any more");
    }

    #[cfg(feature = "async")]
    #[test]
    fn a_future_that_waits_reads_until_it_has_looked_or_is_dropped() {
        let socket = SocketId { channel: ChannelId::new(3).unwrap(), generation: 1 };
        let mut watched = Readiness::new(100);
        let _readable = watched.add(socket);
        let (now, mut woken, key) = (Timestamp::from_secs(10), Woken::default(), TaskKey::new());
        let cx = Context::from_waker(std::task::Waker::noop());
        let mut unread = 100;
        let mut presses = |watched: &mut Readiness| {
            unread += 10;
            watched.press(now, |_| unread);
            watched.was_pressed()
        };
        assert!(!presses(&mut watched), "none waits");
        watched.wait_readable(socket, key, &cx, &mut woken);
        assert!(presses(&mut watched), "one waits");
        watched.signal(socket, &mut woken);
        assert!(presses(&mut watched), "it was woken and has not looked");
        watched.quit(socket, key, &mut woken);
        assert!(!presses(&mut watched), "it is dropped");
    }
}
