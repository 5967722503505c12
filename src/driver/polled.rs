//! The calls of futures: each asks or looks, and leaves the waker of its task where there is nothing yet.
//!
//! None of them waits, so the modem's thread serves their deadlines.

use std::task::{Context, Poll, ready};

use crossbeam_channel::{Receiver, TryRecvError};

use super::Driver;
use super::tasks::TaskKey;
use crate::error::{Error, Result};
use crate::proto::{Engine, Event, Joining, Request, Response, SocketId, Ticket};
use crate::time::Timestamp;

impl Driver {
    /// Asks. The answer is [polled](Self::poll_answer), or [forsaken](Self::forsake).
    pub(crate) fn ask(&self, request: Request) -> Ticket {
        let mut core = self.shared.lock();
        let ticket = core.ask_for_task(self.shared.now(), request);
        self.shared.leave_to_thread(&mut core);
        ticket
    }

    /// The answer, once.
    pub(crate) fn poll_answer(&self, ticket: Ticket, cx: &Context<'_>) -> Poll<Result<Response>> {
        let answer = ready!(self.shared.lock().poll_answer(ticket, cx));
        Poll::Ready(
            answer.unwrap_or_else(|| Err(Error::Unexpected("a future was polled after its end".into()))),
        )
    }

    /// No future waits for the answer any more: a connection is given up, anything else goes on.
    pub(crate) fn forsake(&self, ticket: Ticket) {
        let mut core = self.shared.lock();
        core.forsake(self.shared.now(), ticket);
        self.shared.leave_to_thread(&mut core);
    }

    /// Looks at what has come on a socket; if that is nothing, the task is woken when something comes or the socket ends.
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

    /// Gives a socket what one write takes; without room the task is woken when there is some or the socket ends.
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

    /// A future of a socket waits no more.
    pub(crate) fn quit(&self, socket: SocketId, key: TaskKey) {
        self.shared.lock().quit(socket, key);
    }

    /// Every future of a socket looks again: it was shut down.
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
        // Events are told under the lock, so none comes between the look and the wait.
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

    /// A stream of events is polled no more.
    pub(crate) fn quit_events(&self, key: TaskKey) {
        self.shared.lock().quit_events(key);
    }
}
