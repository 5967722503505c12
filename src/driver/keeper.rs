//! The thread that serves the port, and opens it again when it is lost.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::core::Core;
use super::line::OpenLine;
use super::port_threads::{self, WriterHalf};
use super::shared::Shared;
use super::thread::{self, Turn};
use crate::port::{DirectWrite, Opener, Port, Sleeper};
use crate::time::Timestamp;

/// Between two attempts to open a port that is gone: at first, doubled each time, and at most. A look at a path costs some
/// microseconds; the longest pause is part of the 2 s in which a modem is ready again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// A port that is lost again sooner does not shorten the pause.
const STABLE: Duration = Duration::from_secs(2);

/// Starts the thread. The receiver is disconnected when the port is closed for good.
pub(super) fn spawn(
    shared: &Arc<Shared>,
    sleeper: Sleeper,
    port: Port,
    opener: Option<Opener>,
) -> io::Result<Receiver<()>> {
    let (open, closed) = bounded(0);
    let port = OpenPort::new(shared, port, Core::set_direct)?;
    let keeper = Keeper { shared: shared.clone(), sleeper, opener, pause: PAUSES.0, _open: open };
    thread::spawn("air724ug", move || keeper.run(port))?;
    Ok(closed)
}

struct Keeper {
    shared: Arc<Shared>,
    sleeper: Sleeper,
    opener: Option<Opener>,
    pause: Duration,
    // Dropped last.
    _open: Sender<()>,
}

/// A port that is served.
enum OpenPort {
    Line(OpenLine),
    Halves(WriterHalf),
}

impl OpenPort {
    /// Tells the core first what callers can write to.
    fn new(
        shared: &Arc<Shared>,
        port: Port,
        tell: impl FnOnce(&mut Core, Option<Box<dyn DirectWrite>>),
    ) -> io::Result<Self> {
        let mut core = shared.lock();
        match port {
            Port::Line { line, direct } => {
                tell(&mut core, Some(direct));
                Ok(Self::Line(OpenLine::new(line)))
            }
            Port::Halves { reader, writer } => {
                tell(&mut core, None);
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

impl Keeper {
    fn run(mut self, mut port: OpenPort) {
        loop {
            let (number, began) = (self.shared.lock().next_port_number(), self.shared.now());
            let ended = thread::take_turns(|| port.turn(&self.shared, &self.sleeper));
            // The port is closed before it is said to be.
            drop(port);
            if let Err(error) = ended {
                self.shared.port_ended(number, &error);
            }
            if self.shared.now() - began >= STABLE {
                self.pause = PAUSES.0;
            }
            match self.reopened() {
                Some(next) => port = next,
                None => return,
            }
        }
    }

    /// Opens the port again when it is there; `None` if the modem is closed before.
    fn reopened(&mut self) -> Option<OpenPort> {
        let mut opener = self.opener.take()?;
        loop {
            self.rest(self.shared.now() + self.pause)?;
            self.pause = PAUSES.1.min(self.pause * 2);
            let back = |core: &mut Core, direct| core.port_is_back(self.shared.now(), direct);
            match thread::survive(|| OpenPort::new(&self.shared, opener.open()?, back)) {
                Ok(port) => {
                    self.opener = Some(opener);
                    return Some(port);
                }
                Err(error) => {
                    log::trace!("the port is not back: {error}");
                    // Of a pair of halves without a thread.
                    let mut core = self.shared.lock();
                    let number = core.next_port_number();
                    core.port_ended(self.shared.now(), number, &error.to_string());
                }
            }
        }
    }

    /// Waits until then, and serves the deadlines meanwhile; `None` if the modem is closed.
    fn rest(&self, until: Timestamp) -> Option<()> {
        loop {
            let deadline = {
                let mut core = self.shared.lock();
                if core.is_closed() {
                    return None;
                }
                core.tick_if_due(self.shared.now());
                core.watcher_waits().0
            };
            let left = until - self.shared.now();
            if left.is_zero() {
                return Some(());
            }
            let left = deadline.map_or(left, |deadline| left.min(deadline - self.shared.now()));
            // What fails here fails at once: the pause is kept by time alone.
            if self.sleeper.wait(Some(left)).is_err() {
                std::thread::yield_now();
            }
            self.shared.lock().watcher_is_up();
        }
    }
}
