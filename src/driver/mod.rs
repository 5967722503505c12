//! The shell around the core: one thread that reads the port and runs the core, and callers that run the core under a
//! short lock.
//!
//! The shell knows nothing about modems. It consists of the loop that the core's contract demands, the clock, and the
//! list of waiting calls.
//!
//! Every deadline of the core is served by the thread, or by a caller that waits for an answer. A caller that waits
//! needs no wake-up of the thread. A caller that does not wait wakes the thread if the core has a deadline that the
//! thread does not know ([`Core::wants_watch`]).

mod answers;
mod caller_read;
mod core;
#[cfg(feature = "async")]
mod future_calls;
mod heartbeat_functions;
mod heartbeat_thread;
mod line;
mod lock;
mod port_service;
mod port_threads;
mod readiness;
mod reading_caller;
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

use crossbeam_channel::{Receiver, Sender};

use crate::capture::{CaptureWatch, Recording};
use crate::config::{Config, ReceiveMode};
use crate::error::{Error, Result};
use crate::port::{self, Opener, Port};
use crate::proto::{Engine, Event, Joining, Pulse, Request, Response, SocketId};
use crate::time::Timestamp;

use self::caller_read::CallerRead;
use self::core::Core;
use self::readiness::Readiness;
use self::session_log::SessionLog;
use self::shared::Shared;

pub(crate) use self::heartbeat_functions::HeartbeatFunction;
pub(crate) use self::readiness::Readable;
pub(crate) use self::session_log::{LOG_TARGET, OneLine};
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

/// How long [`Driver::close`] waits until the port is closed. Closing takes microseconds, unless a writer half blocks.
const CLOSING_TIMEOUT: Duration = Duration::from_secs(1);

/// How long [`Driver::flush_capture`] waits for a file that accepts no bytes. A write to a file takes milliseconds.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a dropped modem waits for its capture. The last records are often the ones that a capture was made for.
const DROP_TIMEOUT: Duration = Duration::from_millis(100);

/// How long a dropped modem goes on sending data that were written on its sockets. An operating system does the same
/// for a program that has ended. A line of 115200 baud transfers a full buffer in this time.
const LEAVING_TIMEOUT: Duration = Duration::from_secs(2);

impl Driver {
    /// Starts the threads: one, or two for a pair of halves. If there is an opener, a lost port is opened again.
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
            // Data are fetched only while there is room.
            ReceiveMode::Manual => usize::MAX,
        };
        let log = SessionLog::new(config.name.as_deref().unwrap_or(name).to_owned());
        let core = Core::new(engine, recorder, log, Readiness::new(limit), opener.is_some());
        let (waker, sleeper) = port::wake_up()?;
        let shared = Shared::new(core, waker);
        let closed = port_service::spawn(&shared, sleeper, port, opener)?;
        Ok(Self { shared, closed, capture })
    }

    /// Makes a request and waits for its answer, at most for the request's time-out.
    pub(crate) fn call(&self, request: Request) -> Result<Response> {
        let mut caller_read = CallerRead::nothing(&self.shared);
        let (answer, mut deadline) = {
            let mut core = self.shared.lock();
            if caller_read::suits(&request) {
                caller_read.take(&mut core);
            }
            let answer = core.ask(self.shared.now(), request);
            self.shared.wake_if(core.wants_writer());
            (answer, core.deadline())
        };
        let mut answered = caller_read.until(&answer, deadline);
        let mut core = loop {
            if let Some(core) = answered {
                break core;
            }
            let timeout = deadline.map(|deadline| deadline - self.shared.now());
            let is_here = answer.wait(timeout);
            let mut core = self.shared.lock();
            if !is_here {
                core.tick(self.shared.now());
                self.shared.wake_if(core.wants_writer());
                deadline = core.deadline();
            }
            answered = is_here.then_some(core);
        };
        let result = core.take_answer(answer);
        caller_read.end(&mut core);
        self.shared.leave_to_thread(&mut core);
        // A signal without an answer does not occur.
        result.unwrap_or_else(|| Err(Error::PortLost("the driver has ended".into())))
    }

    /// Makes a request and waits for its answer, at most for this span. `None` if it is not answered by then; the
    /// request continues.
    pub(crate) fn call_within(&self, request: Request, span: Duration) -> Option<Result<Response>> {
        let answer = {
            let mut core = self.shared.lock();
            let answer = core.ask(self.shared.now(), request);
            // The caller may leave before the deadlines of the request.
            self.shared.leave_to_thread(&mut core);
            answer
        };
        answer.wait(Some(span));
        self.shared.lock().take_answer(answer)
    }

    /// Makes a request and drops its answer.
    pub(crate) fn submit(&self, request: Request) {
        let mut core = self.shared.lock();
        core.submit(self.shared.now(), request);
        self.shared.leave_to_thread(&mut core);
    }

    /// Begins, changes or ends the heartbeat of a socket and the function that makes its payload. An error of `refuse`
    /// is returned before anything is changed.
    pub(crate) fn set_heartbeat(
        &self,
        socket: SocketId,
        pulse: Option<Pulse>,
        function: Option<Arc<HeartbeatFunction>>,
        refuse: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        // The application's function owns values whose drop is code of the application: they are dropped without the
        // lock.
        let before = {
            let mut core = self.shared.lock();
            refuse()?;
            if function.is_some() && !core.is_closed() {
                core.heartbeats.start(|jobs| heartbeat_thread::start(&self.shared, jobs))?;
            }
            core.with_engine(self.shared.now(), |engine, now| engine.set_heartbeat(now, socket, pulse))?;
            self.shared.leave_to_thread(&mut core);
            core.heartbeats.set(socket, function.clone())
        };
        drop(before);
        Ok(())
    }

    /// Runs a function on the engine, and then its outputs.
    pub(crate) fn with_engine<T>(&self, look: impl FnOnce(&mut Engine, Timestamp) -> T) -> T {
        let mut core = self.shared.lock();
        let result = core.with_engine(self.shared.now(), look);
        self.shared.leave_to_thread(&mut core);
        result
    }

    /// Runs a function on the engine for a call that reads a socket.
    pub(crate) fn read<T>(&self, socket: SocketId, look: impl FnOnce(&mut Engine, Timestamp) -> T) -> T {
        let mut core = self.shared.lock();
        let now = self.shared.now();
        core.looked(socket, now);
        let result = core.with_engine(now, look);
        self.shared.leave_to_thread(&mut core);
        if core.was_pressed() {
            self.shared.relieved.notify_one();
        }
        result
    }

    /// Writes on a socket. Returns the number of bytes accepted; `None` if there is no room. [`Readable::room`] signals
    /// when there is room again.
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
        self.shared.leave_to_thread(&mut core);
        taken
    }

    /// Creates the signals that show when a socket can be read or written.
    pub(crate) fn watch(&self, socket: SocketId) -> Readable {
        self.shared.lock().watch(socket)
    }

    /// Sends a signal on this channel, too, when a socket can be read.
    pub(crate) fn also_signal(&self, socket: SocketId, signal: Sender<()>) {
        self.shared.lock().also_signal(socket, signal);
    }

    /// The time since a watched socket ended; `None` if it is open.
    pub(crate) fn ended_for(&self, socket: SocketId) -> Option<Duration> {
        let ended_at = self.shared.lock().ended_at(socket)?;
        Some(self.shared.now() - ended_at)
    }

    /// Ends the signals of a socket.
    pub(crate) fn unwatch(&self, socket: SocketId) {
        self.shared.lock().unwatch(socket);
    }

    /// The name of the modem in the log.
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

    /// Whether the first port led to another device or protocol.
    pub(crate) fn is_wrong_port(&self) -> bool {
        self.shared.is_wrong_port()
    }

    /// Ends everything at once, and waits until the port is closed. The port can be opened again afterwards.
    pub(crate) fn close(&self) {
        self.end();
        self.wait_closed(CLOSING_TIMEOUT);
        // Its error is what `Modem::flush_capture` returns.
        let _ = self.flush_capture();
    }

    /// Waits until everything that was recorded is in the capture's file.
    pub(crate) fn flush_capture(&self) -> io::Result<()> {
        self.capture.as_ref().map_or(Ok(()), |capture| capture.flush(FLUSH_TIMEOUT))
    }

    /// Waits for this span, or until the port is closed.
    pub(crate) fn wait_closed(&self, timeout: Duration) {
        // Nothing is ever sent.
        let _ = self.closed.recv_timeout(timeout);
    }

    /// Answers every waiting call. The thread then closes the port.
    fn end(&self) {
        self.shared.lock().close(self.shared.now(), session_log::CLOSED);
        self.shared.wake.wake();
    }
}

/// Waits for a short time until the written data are sent and the capture is in its file.
impl Drop for Driver {
    fn drop(&mut self) {
        if self.shared.lock().is_leaving() {
            // After the time-out the rest is lost.
            let _ = self.call(Request::WaitLeft { timeout: LEAVING_TIMEOUT });
        }
        self.end();
        if let Some(capture) = &self.capture {
            let _ = capture.flush(DROP_TIMEOUT);
        }
    }
}
