//! The calls of futures. A call without a result yet registers the waker of its task.
//!
//! No call waits, so the modem's thread serves their deadlines.

use std::task::{Context, Poll, ready};

use crossbeam_channel::{Receiver, TryRecvError};

use super::Driver;
use super::tasks::TaskKey;
use crate::error::{Error, Result};
use crate::proto::{Engine, Event, Joining, Request, Response, SocketId, Ticket};
use crate::time::Timestamp;

impl Driver {
    /// Makes a request. Its answer is [polled](Self::poll_answer), or [abandoned](Self::abandon).
    pub(crate) fn ask(&self, request: Request) -> Ticket {
        let mut core = self.shared.lock();
        let ticket = core.ask_for_task(self.shared.now(), request);
        self.shared.leave_to_thread(&mut core);
        ticket
    }

    /// The answer to a request. It is returned once.
    pub(crate) fn poll_answer(&self, ticket: Ticket, cx: &Context<'_>) -> Poll<Result<Response>> {
        let answer = ready!(self.shared.lock().poll_answer(ticket, cx));
        Poll::Ready(
            answer.unwrap_or_else(|| Err(Error::Unexpected("a future was polled after its end".into()))),
        )
    }

    /// No future waits for the answer any more. A connect is cancelled; other requests continue.
    pub(crate) fn abandon(&self, ticket: Ticket) {
        let mut core = self.shared.lock();
        core.abandon(self.shared.now(), ticket);
        self.shared.leave_to_thread(&mut core);
    }

    /// Reads a socket. If there is nothing to read, the task is woken when data come or the socket ends.
    pub(crate) fn poll_read<T>(
        &self,
        socket: SocketId,
        key: TaskKey,
        cx: &Context<'_>,
        look: impl FnOnce(&mut Engine, Timestamp) -> Result<Option<T>>,
    ) -> Poll<Result<T>> {
        let mut core = self.shared.lock();
        let now = self.shared.now();
        core.looked(socket, now);
        let result = core.with_engine(now, look).transpose();
        if result.is_none() {
            core.wait_readable(socket, key, cx);
        }
        self.shared.leave_to_thread(&mut core);
        if core.was_pressed() {
            self.shared.relieved.notify_one();
        }
        result.map_or(Poll::Pending, Poll::Ready)
    }

    /// Writes on a socket. If there is no room, the task is woken when there is room or the socket ends.
    pub(crate) fn poll_write<'a>(
        &self,
        socket: SocketId,
        key: TaskKey,
        cx: &Context<'_>,
        parts: impl IntoIterator<Item = &'a [u8]> + Clone,
        joining: Joining,
    ) -> Poll<Result<usize>> {
        let len = parts.clone().into_iter().map(<[u8]>::len).sum();
        let mut core = self.shared.lock();
        let now = self.shared.now();
        core.note_write(now, socket, len);
        let taken =
            core.with_engine(now, |engine, now| engine.write(now, socket, parts, joining)).transpose();
        if taken.is_none() {
            core.wait_writable(socket, key, cx);
        }
        self.shared.leave_to_thread(&mut core);
        taken.map_or(Poll::Pending, Poll::Ready)
    }

    /// A future does not wait for this socket any more.
    pub(crate) fn quit(&self, socket: SocketId, key: TaskKey) {
        self.shared.lock().quit(socket, key);
    }

    /// Wakes every future of a socket, because the socket was shut down.
    pub(crate) fn wake_tasks(&self, socket: SocketId) {
        self.shared.lock().wake_tasks(socket);
    }

    /// A new subscriber that is a stream.
    pub(crate) fn subscribe_stream(&self, key: TaskKey) -> Receiver<Event> {
        self.shared.lock().subscribe_stream(key)
    }

    /// The next event of a subscriber; `None` at the end.
    pub(crate) fn poll_event(
        &self,
        events: &Receiver<Event>,
        key: TaskKey,
        cx: &Context<'_>,
    ) -> Poll<Option<Event>> {
        // Events are delivered under the lock, so none comes between this check and the registration of the waker.
        let mut core = self.shared.lock();
        match events.try_recv() {
            Ok(event) => Poll::Ready(Some(event)),
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
            Err(TryRecvError::Empty) => {
                core.wait_event(key, cx);
                Poll::Pending
            }
        }
    }

    /// A stream of events is not polled any more.
    pub(crate) fn quit_events(&self, key: TaskKey) {
        self.shared.lock().quit_events(key);
    }
}
