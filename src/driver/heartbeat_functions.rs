//! The functions that make the payload of heartbeats, by socket.
//!
//! The functions are code of the application. They run neither under the lock nor on the port's thread, so they may
//! block, panic or use the modem, and delay only these heartbeats. A function is dropped on the thread that calls it,
//! or by the caller that removes it.

use std::io;
use std::sync::Arc;

use crossbeam_channel::{Receiver, unbounded};

use crate::proto::SocketId;

/// Makes the payload of the heartbeat with this number.
pub(crate) type HeartbeatFunction = dyn Fn(u64) -> Vec<u8> + Send + Sync;

/// The functions that make the payload of heartbeats, by socket, and the thread that calls them.
#[derive(Default)]
pub(super) struct HeartbeatFunctions {
    functions: Vec<(SocketId, Arc<HeartbeatFunction>)>,
    /// Gives the thread a job; `None` until the first function comes, and when the modem is closed. A program without
    /// such functions has no code for it.
    thread: Option<Box<dyn Fn(Job) + Send>>,
}

/// A job of the thread. The core requests one heartbeat of a socket at a time, so few jobs wait.
pub(super) enum Job {
    Ask(SocketId, u64, Arc<HeartbeatFunction>),
    /// Drops a function.
    Release(Arc<HeartbeatFunction>),
}

impl HeartbeatFunctions {
    /// Starts the thread that does the jobs, if none runs.
    pub(super) fn start(&mut self, spawn: impl FnOnce(Receiver<Job>) -> io::Result<()>) -> io::Result<()> {
        if self.thread.is_none() {
            let (sender, jobs) = unbounded();
            spawn(jobs)?;
            // The thread receives until this end is gone.
            self.thread = Some(Box::new(move |job| drop(sender.send(job))));
        }
        Ok(())
    }

    /// Sets the function of a socket. Returns the previous one, which must be dropped without the lock.
    #[must_use]
    pub(super) fn set(
        &mut self,
        socket: SocketId,
        function: Option<Arc<HeartbeatFunction>>,
    ) -> Option<Arc<HeartbeatFunction>> {
        let index = self.functions.iter().position(|(known, _)| *known == socket);
        let before = index.map(|index| self.functions.swap_remove(index).1);
        self.functions.extend(function.map(|function| (socket, function)));
        before
    }

    /// The socket has no heartbeat any more. The thread drops its function.
    pub(super) fn release(&mut self, socket: SocketId) {
        let function = self.set(socket, None);
        self.pass(function.map(Job::Release));
    }

    /// Requests the payload of a heartbeat.
    pub(super) fn ask(&mut self, socket: SocketId, count: u64) {
        let function = self.functions.iter().find(|(known, _)| *known == socket);
        self.pass(function.map(|(_, function)| Job::Ask(socket, count, function.clone())));
    }

    /// The modem is closed: every function is dropped, and the thread ends.
    pub(super) fn end(&mut self) {
        for (_, function) in std::mem::take(&mut self.functions) {
            self.pass(Some(Job::Release(function)));
        }
        self.thread = None;
    }

    pub(super) fn is_said_by(&self, socket: SocketId, function: &Arc<HeartbeatFunction>) -> bool {
        self.functions.iter().any(|(known, current)| *known == socket && Arc::ptr_eq(current, function))
    }

    fn pass(&self, job: Option<Job>) {
        if let (Some(thread), Some(job)) = (&self.thread, job) {
            thread(job);
        }
    }
}
