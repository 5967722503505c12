//! The state that the threads of the driver and its callers share.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::core::{Core, FIRST_PORT};
use super::lock::CoreGuard;
use crate::port::{Waker, WrongProtocol};
use crate::time::Timestamp;

/// The state that the threads and the callers share.
pub(super) struct Shared {
    pub(super) core: Mutex<Core>,
    pub(super) wake: Waker,
    /// A reader has run.
    pub(super) relieved: Condvar,
    /// A caller that read the port has given it back.
    pub(super) given_back: Condvar,
    pub(super) origin: Instant,
    /// The first port led to another device or protocol.
    is_wrong_port: AtomicBool,
}

/// How long the driver waits for the reader of a window that is more than half full, before it reads the port again.
/// Pushed data have no flow control, and on a busy machine the reader may not have run yet. There is no pause while
/// readers are fast enough, or for a socket without a reader. A terminal buffers 4 KiB meanwhile, more than 3 Mbaud
/// deliver in 10 ms.
const RELIEF: Duration = Duration::from_millis(10);

/// How long a caller may take to return a port that has ended. This takes microseconds, unless the machine stands
/// still.
const GIVING_BACK: Duration = Duration::from_secs(1);

impl Shared {
    pub(super) fn new(core: Core, wake: Waker) -> Arc<Self> {
        Arc::new(Self {
            core: Mutex::new(core),
            wake,
            relieved: Condvar::new(),
            given_back: Condvar::new(),
            origin: Instant::now(),
            is_wrong_port: AtomicBool::new(false),
        })
    }

    pub(super) fn lock(&self) -> CoreGuard<'_> {
        CoreGuard::new(self.bare_lock())
    }

    fn bare_lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(|poisoned| self.mend(poisoned))
    }

    /// A panic has left the core in an inconsistent state: every waiting call is answered, and none waits from now on.
    fn mend<'a>(&self, poisoned: PoisonError<MutexGuard<'a, Core>>) -> MutexGuard<'a, Core> {
        self.core.clear_poison();
        let mut core = poisoned.into_inner();
        core.close(self.now(), "the driver has failed (a panic, reported on the standard error)");
        self.wake.wake();
        core
    }

    /// The port with this number has ended.
    pub(super) fn port_ended(&self, number: u64, error: &std::io::Error) {
        let (mut core, reason) = (self.lock(), error.to_string());
        // The first port never led to a modem, so the error is that of opening it.
        if number == FIRST_PORT && core.port_number() == Some(number) && WrongProtocol::has_ended(error) {
            // Set before the calls end that ask for it.
            self.is_wrong_port.store(true, Ordering::SeqCst);
            core.close(self.now(), &reason);
        } else {
            core.port_ended(self.now(), number, &reason);
        }
        drop(core);
        self.wake.wake();
    }

    pub(super) fn is_wrong_port(&self) -> bool {
        self.is_wrong_port.load(Ordering::SeqCst)
    }

    /// Lets a reader run whose window is more than half full.
    pub(super) fn relieve(&self, mut core: CoreGuard<'_>) {
        let is_pressed = core.is_pressed();
        // Wakes the tasks that read.
        drop(core);
        if is_pressed {
            drop(self.relieved.wait_timeout_while(self.bare_lock(), RELIEF, |core| core.is_pressed()));
        }
    }

    /// Waits until the caller that was asked to return the port has done so.
    pub(super) fn await_reading_caller(&self) {
        let waited = self
            .given_back
            .wait_timeout_while(self.bare_lock(), GIVING_BACK, |core| core.is_read_by_caller());
        drop(waited);
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::ZERO + self.origin.elapsed()
    }

    /// The caller does not wait. Wakes the thread if it must serve a deadline or write bytes.
    pub(super) fn leave_to_thread(&self, core: &mut Core) {
        self.wake_if(core.wants_watch(|| self.now()));
    }

    pub(super) fn wake_if(&self, needed: bool) {
        if needed {
            self.wake.wake();
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("origin", &self.origin).finish_non_exhaustive()
    }
}
