//! The shell: a thread that reads the port and turns the core, and callers that do the same under a short lock.
//!
//! Knows nothing of modems. It is the loop of the core's contract, plus the clock, plus the list of who waits.

mod answers;
mod core;
mod subscribers;
mod thread;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::error::{Error, Result};
use crate::port::{Port, Wake};
use crate::proto::{Engine, Event, Request, Response, SocketId};
use crate::time::Timestamp;

use self::core::Core;

/// A running modem.
#[derive(Debug)]
pub(crate) struct Driver {
    shared: Arc<Shared>,
}

/// What the thread and the callers share.
struct Shared {
    core: Mutex<Core>,
    wake: Arc<dyn Wake>,
    origin: Instant,
}

impl Driver {
    /// Starts the thread.
    pub(crate) fn start(port: Port, engine: Engine, recorder: Option<core::Recording>) -> Result<Self> {
        let core = Mutex::new(Core::new(engine, port.direct, recorder));
        let shared = Arc::new(Shared { core, wake: port.wake, origin: Instant::now() });
        thread::spawn(shared.clone(), port.line)?;
        Ok(Self { shared })
    }

    /// Asks and waits for the answer, which comes within the request's time-out.
    pub(crate) fn call(&self, request: Request) -> Result<Response> {
        let answer = {
            let mut core = self.shared.lock();
            let answer = core.ask(self.shared.now(), request);
            self.shared.wake_if(core.has_unwritten());
            answer
        };
        let result = self.wait(&answer);
        self.shared.lock().recycle(answer);
        result
    }

    /// Asks without waiting: nobody hears the answer.
    pub(crate) fn tell(&self, request: Request) {
        let mut core = self.shared.lock();
        core.tell(self.shared.now(), request);
        self.shared.wake_if(true);
    }

    /// Has the port's thread look at the core: there is something to be done that nobody waits for.
    pub(crate) fn wake(&self) {
        self.shared.wake.wake();
    }

    /// Looks at the core, and does what that leads to.
    pub(crate) fn with_engine<T>(&self, look: impl FnOnce(&mut Engine, Timestamp) -> T) -> T {
        let mut core = self.shared.lock();
        let result = core.with_engine(self.shared.now(), look);
        self.shared.wake_if(core.wants_thread());
        result
    }

    /// Begins to tell when a socket can be read.
    pub(crate) fn watch(&self, socket: SocketId) -> Readable {
        self.shared.lock().watch(socket)
    }

    /// Ends that.
    pub(crate) fn unwatch(&self, socket: SocketId) {
        self.shared.lock().unwatch(socket);
    }

    /// A new subscriber.
    pub(crate) fn subscribe(&self) -> Receiver<Event> {
        self.shared.lock().subscribe()
    }

    /// Closes the port; everybody who waits is answered.
    pub(crate) fn close(&self) {
        let mut core = self.shared.lock();
        core.close(self.shared.now(), "it was closed by the application");
        self.shared.wake.wake();
    }

    /// Waits for an answer. Meanwhile the deadlines of the core are this thread's affair, so that asking need not wake
    /// the port's thread: an answer is one hop from the last byte.
    fn wait(&self, answer: &answers::Answer) -> Result<Response> {
        loop {
            let deadline = self.shared.lock().deadline();
            let result = match deadline {
                Some(deadline) => answer.receive(Some(self.shared.until(deadline))),
                None => answer.receive(None),
            };
            match result {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) => {
                    let mut core = self.shared.lock();
                    core.tick(self.shared.now());
                    self.shared.wake_if(core.wants_thread());
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::PortLost("the port's thread has ended".into()));
                }
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Core> {
        // A panic elsewhere leaves the core as it was between two steps.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        Timestamp::ZERO + self.origin.elapsed()
    }

    fn until(&self, deadline: Timestamp) -> Duration {
        deadline - self.now()
    }

    fn wake_if(&self, needed: bool) {
        if needed {
            self.wake.wake();
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// Tells when a socket can be read.
#[derive(Clone, Debug)]
pub(crate) struct Readable {
    pub(crate) signal: Receiver<()>,
    rearm: crossbeam_channel::Sender<()>,
}

impl Readable {
    /// Signals again: there is more to read, or the end for others to see.
    pub(crate) fn rearm(&self) {
        // One signal that waits is enough.
        let _ = self.rearm.try_send(());
    }
}
