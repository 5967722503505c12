//! The shell: a thread that reads the port and turns the core, and callers that do the same under a short lock.
//!
//! Knows nothing of modems. It is the loop of the core's contract, plus the clock, plus the list of waiting calls.
//!
//! Every deadline of the core is served: by the thread that watches, if it knows of it, or by a caller that waits for an
//! answer anyway, so that a request need not wake the thread. A caller that leaves the core with a deadline unknown to the
//! thread, and does not wait, wakes the thread ([`Core::wants_watch`]).

mod answers;
mod beat_thread;
mod beats;
mod core;
mod keeper;
mod leader;
mod leading;
mod line;
mod lock;
#[cfg(feature = "async")]
mod polled;
mod port_threads;
mod readiness;
mod session_log;
mod shared;
mod subscribers;
#[cfg(feature = "async")]
mod task_answers;
mod tasks;
mod thread;
mod timer_state;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::capture::{CaptureWatch, Recording};
use crate::config::{Config, ReceiveMode};
use crate::error::{Error, Result};
use crate::port::{self, Opener, Port};
use crate::proto::{Engine, Event, Joining, Pulse, Request, Response, SocketId};
use crate::time::Timestamp;

use self::core::Core;
use self::leading::Leading;
use self::readiness::Readiness;
use self::session_log::SessionLog;
use self::shared::Shared;

pub(crate) use self::beats::Says;
pub(crate) use self::readiness::Readable;
pub(crate) use self::session_log::{OneLine, STORY};
#[cfg(feature = "async")]
pub(crate) use self::tasks::{TaskKey, Wakers, Woken};

/// A running modem.
#[derive(Debug)]
pub(crate) struct Driver {
    shared: Arc<Shared>,
    /// Disconnected when the port is closed.
    closed: Receiver<()>,
    capture: Option<CaptureWatch>,
}

/// How long [`Driver::close`] waits for the port to be closed. It takes microseconds, unless a writer half blocks.
const CLOSING_TIMEOUT: Duration = Duration::from_secs(1);

/// How long [`Driver::flush_capture`] waits for a file that takes nothing. A file takes milliseconds.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);
/// The same limit for a modem that is dropped. Its last records are often the reason for a capture.
const DROP_TIMEOUT: Duration = Duration::from_millis(100);

/// How long a modem that is dropped goes on sending data that were written on its sockets, as the system does for a program
/// that has ended. A line of 115200 baud carries a full buffer meanwhile.
const LEAVING_TIMEOUT: Duration = Duration::from_secs(2);

impl Driver {
    /// Starts the threads: one, or two for a pair of halves. With an opener a port that is lost is opened again.
    pub(crate) fn start(
        port: Port,
        opener: Option<Opener>,
        engine: Engine,
        (recorder, capture): (Option<Recording>, Option<CaptureWatch>),
        config: &Config,
        name: &str,
    ) -> Result<Self> {
        let limit = match config.receive_mode {
            ReceiveMode::Push => config.receive_window / 2,
            // Fetched only while there is room.
            ReceiveMode::Manual => usize::MAX,
        };
        let log = SessionLog::new(config.name.as_deref().unwrap_or(name).to_owned());
        let core = Core::new(engine, recorder, log, Readiness::new(limit), opener.is_some());
        let (waker, sleeper) = port::wake_up()?;
        let shared = Shared::new(core, waker);
        let closed = keeper::spawn(&shared, sleeper, port, opener)?;
        Ok(Self { shared, closed, capture })
    }

    /// Asks and waits for the answer, which comes within the request's time-out.
    pub(crate) fn call(&self, request: Request) -> Result<Response> {
        let mut leading = Leading::nothing(&self.shared);
        let (answer, mut deadline) = {
            let mut core = self.shared.lock();
            leading.take(&mut core);
            let answer = core.ask(self.shared.now(), request);
            self.shared.wake_if(core.wants_writer());
            (answer, core.deadline())
        };
        leading.until(&answer, deadline);
        loop {
            let timeout = deadline.map(|deadline| deadline - self.shared.now());
            match answer.receive(timeout) {
                Ok(result) => {
                    let mut core = self.shared.lock();
                    core.recycle(answer);
                    leading.end(&mut core);
                    self.shared.wake_if(core.wants_watch());
                    return result;
                }
                Err(RecvTimeoutError::Timeout) => {
                    let mut core = self.shared.lock();
                    core.tick(self.shared.now());
                    self.shared.wake_if(core.wants_writer());
                    deadline = core.deadline();
                }
                // The core keeps the other end until it has answered.
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::PortLost("the driver has ended".into()));
                }
            }
        }
    }

    /// Asks without waiting: the answer is dropped.
    pub(crate) fn tell(&self, request: Request) {
        let mut core = self.shared.lock();
        core.tell(self.shared.now(), request);
        self.shared.wake_if(core.wants_watch());
    }

    /// Begins, changes or ends the heartbeat of a socket, and what makes up its words, unless `refuse` says why not.
    pub(crate) fn set_heartbeat(
        &self,
        socket: SocketId,
        pulse: Option<Pulse>,
        says: Option<Arc<Says>>,
        refuse: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        // What the application's function owns is dropped without the lock.
        let before = {
            let mut core = self.shared.lock();
            refuse()?;
            if says.is_some() && !core.is_closed() {
                core.beats.start(|jobs| beat_thread::start(&self.shared, jobs))?;
            }
            core.with_engine(self.shared.now(), |engine, now| engine.set_heartbeat(now, socket, pulse))?;
            self.shared.wake_if(core.wants_watch());
            core.beats.set(socket, says.clone())
        };
        drop(before);
        Ok(())
    }

    /// Looks at the core, and does what that leads to.
    pub(crate) fn with_engine<T>(&self, look: impl FnOnce(&mut Engine, Timestamp) -> T) -> T {
        let mut core = self.shared.lock();
        let result = core.with_engine(self.shared.now(), look);
        self.shared.wake_if(core.wants_watch());
        result
    }

    /// Looks at the core for a call that reads a socket.
    pub(crate) fn read<T>(&self, socket: SocketId, look: impl FnOnce(&mut Engine, Timestamp) -> T) -> T {
        let mut core = self.shared.lock();
        let now = self.shared.now();
        core.looked(socket, now);
        let result = core.with_engine(now, look);
        self.shared.wake_if(core.wants_watch());
        if core.was_pressed() {
            self.shared.relieved.notify_one();
        }
        result
    }

    /// Gives a socket what one write takes. `None`: there is no room, and [`Readable::room`] tells when there is.
    pub(crate) fn write<'a>(
        &self,
        socket: SocketId,
        parts: impl IntoIterator<Item = &'a [u8]> + Clone,
        joining: Joining,
    ) -> Result<Option<usize>> {
        let len = parts.clone().into_iter().map(<[u8]>::len).sum();
        let mut core = self.shared.lock();
        let now = self.shared.now();
        core.note_write(now, socket, len);
        let taken = core.with_engine(now, |engine, now| engine.write(now, socket, parts, joining));
        self.shared.wake_if(core.wants_watch());
        taken
    }

    /// Begins to tell when a socket can be read.
    pub(crate) fn watch(&self, socket: SocketId) -> Readable {
        self.shared.lock().watch(socket)
    }

    /// Tells this channel, too, when a socket can be read.
    pub(crate) fn also_tell(&self, socket: SocketId, tell: Sender<()>) {
        self.shared.lock().also_tell(socket, tell);
    }

    /// How long ago a watched socket has ended.
    pub(crate) fn ended_for(&self, socket: SocketId) -> Option<Duration> {
        let ended_at = self.shared.lock().ended_at(socket)?;
        Some(self.shared.now() - ended_at)
    }

    /// Ends that.
    pub(crate) fn unwatch(&self, socket: SocketId) {
        self.shared.lock().unwatch(socket);
    }

    /// What the modem is called in the log.
    pub(crate) fn name(&self) -> String {
        self.shared.lock().log.name().to_owned()
    }

    /// A new subscriber.
    pub(crate) fn subscribe(&self) -> Receiver<Event> {
        self.shared.lock().subscribe()
    }

    /// Whether the port is gone for good.
    pub(crate) fn is_closed(&self) -> bool {
        self.shared.lock().is_closed()
    }

    /// Ends everything at once, and waits until the port is closed, so that it can be opened again.
    pub(crate) fn close(&self) {
        self.end();
        self.wait_closed(CLOSING_TIMEOUT);
        // What it answers, `flush_capture` returns.
        let _ = self.flush_capture();
    }

    /// Waits until the capture's file has everything that was recorded so far.
    pub(crate) fn flush_capture(&self) -> io::Result<()> {
        self.capture.as_ref().map_or(Ok(()), |capture| capture.flush(FLUSH_TIMEOUT))
    }

    /// Waits, but no longer than until the port is closed.
    pub(crate) fn wait_closed(&self, timeout: Duration) {
        // Nothing is ever sent.
        let _ = self.closed.recv_timeout(timeout);
    }

    /// Every waiting call is answered; the thread closes the port.
    fn end(&self) {
        self.shared.lock().close(self.shared.now(), session_log::CLOSED);
        self.shared.wake.wake();
    }
}

/// Waits for what was written on sockets, and for the capture if there is one, and not for long.
impl Drop for Driver {
    fn drop(&mut self) {
        if self.shared.lock().is_leaving() {
            // With time up, what is left is lost.
            let _ = self.call(Request::WaitLeft { timeout: LEAVING_TIMEOUT });
        }
        self.end();
        if let Some(capture) = &self.capture {
            let _ = capture.flush(DROP_TIMEOUT);
        }
    }
}
