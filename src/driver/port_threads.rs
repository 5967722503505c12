//! The threads of a pair of halves: one for the reader and one for the writer, because each may block.
//!
//! Neither thread waits for the other. A module may stop reading until its output is read; the reader thread reads it.
//! While the writer blocks, answers still come, and callers serve their own deadlines. The reader thread then serves
//! those of futures, whenever its half returns.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::shared::Shared;
use super::thread::{self, Turn, hung_up};
use crate::port::Sleeper;

/// The largest read.
const READ: usize = 4 * 1024;
/// The pause before the next attempt after a write that accepted no bytes.
const RETRY: Duration = Duration::from_millis(10);

/// The half that the modem's thread serves.
pub(super) struct WriterHalf {
    writer: Box<dyn Write + Send>,
    /// The bytes that are being written, and the number of those that are written.
    bytes: Vec<u8>,
    written: usize,
}

/// Starts the reader's thread. Returns the writer half for the modem's thread.
pub(super) fn open(
    shared: &Arc<Shared>,
    number: u64,
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
) -> io::Result<WriterHalf> {
    let mut half = ReaderHalf { shared: Arc::downgrade(shared), number, reader, buf: vec![0; READ] };
    let read = move || {
        let ended = thread::take_turns(|| half.turn());
        let shared = half.shared.upgrade();
        // The half is dropped before its end is reported.
        drop(half);
        if let (Err(error), Some(shared)) = (ended, shared) {
            shared.port_ended(number, &error);
        }
    };
    thread::spawn("air724ug-reader", Box::new(read))?;
    Ok(WriterHalf { writer, bytes: Vec::new(), written: 0 })
}

impl WriterHalf {
    /// Runs what is due, writes, or waits.
    pub(super) fn turn(&mut self, shared: &Shared, sleeper: &Sleeper) -> io::Result<Turn> {
        let deadline = {
            let mut core = shared.lock();
            core.tick_if_due(shared.now());
            if self.written == self.bytes.len() {
                self.bytes.clear();
                self.written = 0;
                core.take_unwritten(shared.now(), &mut self.bytes);
            }
            // What is due may leave the port.
            if !core.has_port() {
                return Ok(Turn::Over);
            }
            if self.bytes.is_empty() { core.watcher_waits().0 } else { None }
        };
        if !self.bytes.is_empty() {
            // Without the lock, because it may block.
            self.write(sleeper)?;
            return Ok(Turn::Again);
        }
        sleeper.wait(deadline.map(|deadline| deadline - shared.now()))?;
        shared.lock().watcher_is_up();
        Ok(Turn::Again)
    }

    fn write(&mut self, sleeper: &Sleeper) -> io::Result<()> {
        match self.writer.write(&self.bytes[self.written..]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => self.written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if is_passing(&error) => sleeper.wait(Some(RETRY))?,
            Err(error) => return Err(error),
        }
        if self.written < self.bytes.len() {
            return Ok(());
        }
        self.writer.flush().or_else(|error| if is_passing(&error) { Ok(()) } else { Err(error) })
    }
}

struct ReaderHalf {
    /// A reader that blocks for ever occupies only its own thread.
    shared: Weak<Shared>,
    /// The number of its port.
    number: u64,
    reader: Box<dyn Read + Send>,
    buf: Vec<u8>,
}

impl ReaderHalf {
    /// Reads once and processes the bytes.
    fn turn(&mut self) -> io::Result<Turn> {
        let read = self.reader.read(&mut self.buf);
        let Some(shared) = self.shared.upgrade() else { return Ok(Turn::Over) };
        let mut core = shared.lock();
        if core.port_number() != Some(self.number) {
            // A later port has replaced it.
            return Ok(Turn::Over);
        }
        match read {
            Ok(0) => return Err(hung_up()),
            Ok(count) => {
                core.received(shared.now(), &self.buf[..count]);
                shared.leave_to_thread(&mut core);
                shared.relieve(core);
            }
            // The modem's thread may be in a write that blocks.
            Err(error) if is_passing(&error) => core.tick_if_due(shared.now()),
            Err(error) => return Err(error),
        }
        Ok(Turn::Again)
    }
}

/// Errors after which a half goes on: a serial port's time-out, a signal.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
