//! The thread that serves the port, and opens it again when it is lost.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::core::Core;
use super::line::OpenLine;
use super::port_threads::{self, WriterHalf};
use super::shared::Shared;
use super::thread::{self, Turn};
use crate::port::{CallerEnd, ModuleMode, Opener, Port, Sleeper};
use crate::time::Timestamp;

/// The pause between two attempts to open a port that is gone: the first one, and the longest. It is doubled each time.
/// The longest pause is part of the 2 s within which a modem is ready again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// A port that lasts for this span resets the pause to the first one.
const STABLE: Duration = Duration::from_secs(2);

/// Starts the thread. The receiver is disconnected when the port is closed for good.
pub(super) fn spawn(
    shared: &Arc<Shared>,
    sleeper: Sleeper,
    port: Port,
    opener: Option<Opener>,
) -> io::Result<Receiver<()>> {
    let (open, closed) = bounded(0);
    let port = OpenPort::new(shared, port, Core::set_callers_end)?;
    let opener = opener.map(|opener| Arc::new(Mutex::new(opener)));
    let service = PortService { shared: shared.clone(), sleeper, opener, pause: PAUSES.0, open };
    thread::spawn("air724ug", Box::new(move || service.run(port)))?;
    Ok(closed)
}

struct PortService {
    shared: Arc<Shared>,
    sleeper: Sleeper,
    opener: Option<Arc<Mutex<Opener>>>,
    pause: Duration,
    // Dropped last.
    open: Sender<()>,
}

/// A port that is served.
enum OpenPort {
    Line(OpenLine),
    Halves(WriterHalf),
}

impl OpenPort {
    /// Gives the core the end of the port for callers before the port is served.
    fn new(
        shared: &Arc<Shared>,
        port: Port,
        set_callers: impl FnOnce(&mut Core, Option<CallerEnd>),
    ) -> io::Result<Self> {
        let mut core = shared.lock();
        match port {
            Port::Line { line, callers } => {
                set_callers(&mut core, Some(callers));
                Ok(Self::Line(OpenLine::new(line)))
            }
            Port::Halves { reader, writer, end } => {
                set_callers(&mut core, None);
                core.set_end(end);
                let number = core.next_port_number();
                drop(core);
                port_threads::open(shared, number, reader, writer).map(Self::Halves)
            }
        }
    }

    fn turn(&mut self, shared: &Shared, sleeper: &Sleeper) -> io::Result<Turn> {
        match self {
            Self::Line(line) => line.turn(shared, sleeper),
            Self::Halves(half) => half.turn(shared, sleeper),
        }
    }
}

impl PortService {
    fn run(mut self, mut port: OpenPort) {
        loop {
            let (number, began) = (self.shared.lock().next_port_number(), self.shared.now());
            let ended = thread::take_turns(|| port.turn(&self.shared, &self.sleeper));
            // The port is closed before its end is reported.
            drop(port);
            if let Err(error) = ended {
                self.shared.port_ended(number, &error);
            }
            self.shared.await_reading_caller();
            if self.shared.now() - began >= STABLE {
                self.pause = PAUSES.0;
            }
            match self.reopened() {
                Some(next) => port = next,
                None => return,
            }
        }
    }

    /// Opens the port again when it is back; `None` if the modem is closed before.
    fn reopened(&mut self) -> Option<OpenPort> {
        let opener = self.opener.clone()?;
        loop {
            let until = self.shared.now() + self.pause;
            self.serve(Some(until), || (self.shared.now() >= until).then_some(()))?;
            self.pause = PAUSES.1.min(self.pause * 2);
            let back = |core: &mut Core, end| core.port_is_back(self.shared.now(), end);
            let port = self.opened(&opener)?;
            match thread::survive(|| OpenPort::new(&self.shared, port?, back)) {
                Ok(port) => return Some(port),
                Err(error) => {
                    let (mut core, reason) = (self.shared.lock(), error.to_string());
                    // If no thread could be started for a pair of halves, the port counts as open already.
                    let number = core.next_port_number();
                    core.port_ended(self.shared.now(), number, &reason);
                    core.log.port_stays_away(reason);
                }
            }
        }
    }

    /// Tries to open the port once; `None` if the modem is closed meanwhile. The call may take long, so it has its own
    /// thread, which then continues until the call returns.
    fn opened(&self, opener: &Arc<Mutex<Opener>>) -> Option<io::Result<Port>> {
        let (kept, end) = {
            let opener = opener.lock().unwrap_or_else(PoisonError::into_inner);
            (opener.delays_close().then(|| self.open.clone()), opener.end())
        };
        let mode = self.shared.lock().module_mode();
        let opened = Arc::new(Mutex::new(None));
        let (result, opener, wake) = (Arc::downgrade(&opened), opener.clone(), self.shared.wake.clone());
        let open = move || {
            let port = open(&opener, mode);
            if let Some(opened) = result.upgrade() {
                *opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(port);
            }
            drop((result, opener, kept));
            wake.wake();
        };
        if let Err(error) = thread::spawn("air724ug-opener", Box::new(open)) {
            return Some(Err(error));
        }
        let opened = self.serve(None, || opened.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let (None, Some(end)) = (&opened, end) {
            end.store(true, Ordering::SeqCst);
        }
        opened
    }

    /// Serves the deadlines until `look` returns a value. `look` is called at each wake-up and at the moment `at`.
    /// `None` if the modem is closed before.
    fn serve<T>(&self, at: Option<Timestamp>, look: impl Fn() -> Option<T>) -> Option<T> {
        loop {
            let deadline = {
                let mut core = self.shared.lock();
                if core.is_closed() {
                    return None;
                }
                core.tick_if_due(self.shared.now());
                core.watcher_waits().0
            };
            if let Some(found) = look() {
                self.shared.lock().watcher_is_up();
                return Some(found);
            }
            let first = at.into_iter().chain(deadline).min();
            // A failed wait returns at once. The loop then continues until the time has passed.
            if self.sleeper.wait(first.map(|first| first - self.shared.now())).is_err() {
                std::thread::yield_now();
            }
            self.shared.lock().watcher_is_up();
        }
    }
}

/// Opens the port. A panic of the application's source is an error.
fn open(opener: &Mutex<Opener>, mode: ModuleMode) -> io::Result<Port> {
    thread::survive(|| opener.lock().unwrap_or_else(PoisonError::into_inner).open(&mode))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crossbeam_channel::RecvTimeoutError;

    use crate::config::Config;
    use crate::driver::core::FIRST_PORT;
    use crate::driver::readiness::Readiness;
    use crate::driver::session_log::SessionLog;
    use crate::port::wake_up;
    use crate::proto::Engine;

    /// Blocks until the other end of the channel is gone.
    struct Blocked(Receiver<()>);

    impl io::Read for Blocked {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(0)
        }
    }

    impl io::Write for Blocked {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Regression: the thread that serves the deadline at which the port is left was woken by calls of the application
    /// only.
    #[test]
    fn a_port_that_is_left_at_a_deadline_is_opened_again_without_a_call() {
        let engine = Engine::new(Config::default(), Timestamp::ZERO).unwrap();
        let mut core = Core::new(engine, None, SessionLog::new("test".into()), Readiness::new(0), true);
        core.set_end(Some(Box::new(())));
        let silent = Duration::from_secs(50);
        while let Some(due) = core.deadline().filter(|due| *due - Timestamp::ZERO < silent) {
            core.tick(due);
            for _ in 0..2 {
                core.take_unwritten(due, &mut Vec::new());
            }
        }
        let (waker, sleeper) = wake_up().unwrap();
        let mut shared = Shared::new(core, waker);
        let origin = &mut Arc::get_mut(&mut shared).unwrap().origin;
        *origin = origin.checked_sub(2 * silent).unwrap();
        let ((_end, reads), (opened, is_opened)) = (bounded::<()>(0), bounded(1));
        let again = reads.clone();
        let opener = Opener::source(move || {
            let _ = opened.try_send(());
            Ok((Box::new(Blocked(again.clone())) as _, Box::new(io::sink()) as _))
        });
        let port = Port::Halves {
            reader: Box::new(Blocked(reads)),
            writer: Box::new(io::sink()),
            end: Some(Box::new(())),
        };
        let _closed = spawn(&shared, sleeper, port, Some(opener)).unwrap();
        assert_eq!(is_opened.recv_timeout(Duration::from_secs(20)), Ok(()));
        shared.lock().close(shared.now(), "closed");
        shared.wake.wake();
    }

    #[test]
    fn a_modem_is_closed_while_the_kernel_does_not_return_from_opening_its_port() {
        let engine = Engine::new(Config::default(), Timestamp::ZERO).unwrap();
        let log = SessionLog::new("test".into());
        let (waker, sleeper) = wake_up().unwrap();
        let shared = Shared::new(Core::new(engine, None, log, Readiness::new(0), true), waker);
        let (unplug, reads) = bounded(0);
        let port = Port::Halves {
            reader: Box::new(Blocked(reads)),
            writer: Box::new(io::sink()),
            end: Some(Box::new(())),
        };
        let ((called, is_called), (_returns, is_returning)) = (bounded(1), bounded(0));
        let opener = Opener::held_up("/dev/reopened", called, is_returning);
        let closed = spawn(&shared, sleeper, port, Some(opener)).unwrap();
        drop(unplug);
        is_called.recv_timeout(Duration::from_secs(20)).unwrap();
        shared.lock().close(shared.now(), "closed");
        shared.wake.wake();
        // The kernel has not returned yet.
        let ended = closed.recv_timeout(Duration::from_secs(20));
        assert_eq!(ended, Err(RecvTimeoutError::Disconnected), "it waits for the kernel");
    }

    /// Regression: both threads and the connection remained.
    #[test]
    fn a_port_that_is_left_ends_the_calls_of_its_halves() {
        for is_lost in [false, true] {
            let engine = Engine::new(Config::default(), Timestamp::ZERO).unwrap();
            let log = SessionLog::new("test".into());
            let (waker, sleeper) = wake_up().unwrap();
            let shared = Shared::new(Core::new(engine, None, log, Readiness::new(0), false), waker);
            let ((end, reads), (other_end, writes)) = (bounded::<()>(0), bounded::<()>(0));
            let port = Port::Halves {
                reader: Box::new(Blocked(reads)),
                writer: Box::new(Blocked(writes)),
                end: Some(Box::new((end, other_end))),
            };
            let closed = spawn(&shared, sleeper, port, None).unwrap();
            match is_lost {
                true => shared.port_ended(FIRST_PORT, &io::ErrorKind::BrokenPipe.into()),
                false => shared.lock().close(Timestamp::ZERO, "closed"),
            }
            let ended = closed.recv_timeout(Duration::from_secs(20));
            assert_eq!(ended, Err(RecvTimeoutError::Disconnected), "its thread waits");
        }
    }
}
