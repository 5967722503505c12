//! The threads of a pair of halves: one where the reader may block, one where the writer may.
//!
//! Neither thread waits for the other. A module may stop reading until its output is read: the reader reads it. While the
//! writer blocks, answers still come, and the callers serve their own deadlines.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::shared::Shared;
use super::thread::{self, Turn, hung_up};
use crate::port::Wake;

/// The most that one read takes.
const READ: usize = 4 * 1024;
/// A writer that takes nothing now is tried again after this.
const RETRY: Duration = Duration::from_millis(10);

/// Wakes the writer's thread.
struct Bell(Sender<()>);

impl Wake for Bell {
    fn wake(&self) {
        // A call that waits already has the same effect.
        let _ = self.0.try_send(());
    }
}

/// The two ends of a wake-up.
pub(super) fn bell() -> (Arc<dyn Wake>, Receiver<()>) {
    let (bell, rung) = bounded(1);
    (Arc::new(Bell(bell)), rung)
}

/// Starts the threads. The receiver is disconnected when the writer is dropped.
pub(super) fn spawn(
    shared: &Arc<Shared>,
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
    rung: Receiver<()>,
) -> io::Result<Receiver<()>> {
    let (open, closed) = bounded(0);
    let mut half =
        WriterHalf { shared: shared.clone(), writer, rung, bytes: Vec::new(), written: 0, _open: open };
    thread::spawn("air724ug", shared, move || half.turn())?;
    let mut half = ReaderHalf { shared: Arc::downgrade(shared), reader, buf: vec![0; READ] };
    thread::spawn("air724ug-reader", shared, move || half.turn())?;
    Ok(closed)
}

struct WriterHalf {
    shared: Arc<Shared>,
    writer: Box<dyn Write + Send>,
    rung: Receiver<()>,
    /// What is being written, and how much of it is.
    bytes: Vec<u8>,
    written: usize,
    // Dropped last.
    _open: Sender<()>,
}

impl WriterHalf {
    /// Does what is due, writes, or waits for one or the other.
    fn turn(&mut self) -> io::Result<Turn> {
        let deadline = {
            let mut core = self.shared.lock();
            if core.is_closed() {
                return Ok(Turn::Closed);
            }
            core.tick_if_due(self.shared.now());
            if self.written == self.bytes.len() {
                self.bytes.clear();
                self.written = 0;
                core.take_unwritten(self.shared.now(), &mut self.bytes);
            }
            if self.bytes.is_empty() { core.watcher_waits().0 } else { None }
        };
        if !self.bytes.is_empty() {
            // Without the lock: it may block.
            self.write()?;
            return Ok(Turn::Again);
        }
        match deadline {
            Some(deadline) => drop(self.rung.recv_timeout(deadline - self.shared.now())),
            None => drop(self.rung.recv()),
        }
        self.shared.lock().watcher_is_up();
        Ok(Turn::Again)
    }

    fn write(&mut self) -> io::Result<()> {
        match self.writer.write(&self.bytes[self.written..]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => self.written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if is_passing(&error) => drop(self.rung.recv_timeout(RETRY)),
            Err(error) => return Err(error),
        }
        if self.written < self.bytes.len() {
            return Ok(());
        }
        self.writer.flush().or_else(|error| if is_passing(&error) { Ok(()) } else { Err(error) })
    }
}

struct ReaderHalf {
    /// A reader that blocks for ever keeps only its own thread.
    shared: Weak<Shared>,
    reader: Box<dyn Read + Send>,
    buf: Vec<u8>,
}

impl ReaderHalf {
    /// Reads once and hands over what came.
    fn turn(&mut self) -> io::Result<Turn> {
        let read = self.reader.read(&mut self.buf);
        let Some(shared) = self.shared.upgrade() else { return Ok(Turn::Closed) };
        let mut core = shared.lock();
        if core.is_closed() {
            return Ok(Turn::Closed);
        }
        match read {
            Ok(0) => return Err(hung_up()),
            Ok(count) => {
                core.received(shared.now(), &self.buf[..count]);
                shared.wake_if(core.wants_watch());
                shared.relieve(core);
            }
            Err(error) if is_passing(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(Turn::Again)
    }
}

/// Errors after which a half goes on: a serial port's time-out, a signal.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
