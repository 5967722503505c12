//! The functions of the core for futures.

use std::task::{Context, Poll};

use crossbeam_channel::Receiver;

use super::Core;
use crate::driver::task_answers::DroppedFuture;
use crate::driver::tasks::TaskKey;
use crate::error::Result;
use crate::proto::{Event, Input, Request, Response, SocketId, Ticket};
use crate::time::Timestamp;

impl Core {
    pub(in crate::driver) fn ask_for_task(&mut self, now: Timestamp, request: Request) -> Ticket {
        let ticket = self.answers.ticket();
        self.task_answers.expect(ticket);
        self.note_request(now, ticket, &request);
        self.handle(now, Input::Asked(ticket, request));
        ticket
    }

    pub(in crate::driver) fn poll_answer(
        &mut self,
        ticket: Ticket,
        cx: &Context<'_>,
    ) -> Poll<Option<Result<Response>>> {
        self.task_answers.poll(ticket, cx, &mut self.woken)
    }

    pub(in crate::driver) fn abandon(&mut self, now: Timestamp, ticket: Ticket) {
        match self.task_answers.abandon(ticket, &mut self.woken) {
            Some(DroppedFuture::Asked) => self.submit(now, Request::Cancel { ticket }),
            // A connection without a handle.
            Some(DroppedFuture::Answered(Ok(Response::Connected(socket)))) => {
                self.submit(now, Request::Forget { socket });
            }
            Some(DroppedFuture::Answered(_)) | None => {}
        }
    }

    pub(in crate::driver) fn wait_readable(&mut self, socket: SocketId, key: TaskKey, cx: &Context<'_>) {
        self.watched.wait_readable(socket, key, cx, &mut self.woken);
    }

    pub(in crate::driver) fn wait_writable(&mut self, socket: SocketId, key: TaskKey, cx: &Context<'_>) {
        self.watched.wait_writable(socket, key, cx, &mut self.woken);
    }

    pub(in crate::driver) fn quit(&mut self, socket: SocketId, key: TaskKey) {
        self.watched.quit(socket, key, &mut self.woken);
    }

    pub(in crate::driver) fn wake_tasks(&mut self, socket: SocketId) {
        self.watched.wake_tasks(socket, &mut self.woken);
    }

    pub(in crate::driver) fn subscribe_stream(&mut self, key: TaskKey) -> Receiver<Event> {
        if self.is_closed() { crossbeam_channel::unbounded().1 } else { self.subscribers.add_stream(key) }
    }

    pub(in crate::driver) fn wait_event(&mut self, key: TaskKey, cx: &Context<'_>) {
        self.subscribers.wait(key, cx, &mut self.woken);
    }

    pub(in crate::driver) fn quit_events(&mut self, key: TaskKey) {
        self.subscribers.quit(key, &mut self.woken);
    }
}
