//! The thread of a port that can be waited on.

use std::io;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::thread::{self, Turn, hung_up};
use super::{Shared, beats};
use crate::port::Line;

/// The most that one read takes. A pseudo-terminal gives 4 KiB at a time, USB 16 KiB.
const READ: usize = 16 * 1024;

/// A read that brought so much is followed by another at once, because there is likely to be more. No line with a rate brings
/// as much between two reads.
const MUCH: usize = 2 * 1024;

/// Starts the thread. The receiver is disconnected when the port is closed.
pub(super) fn spawn(shared: &Arc<Shared>, line: Box<dyn Line>) -> io::Result<Receiver<()>> {
    let (open, closed) = bounded(0);
    let mut port =
        OpenLine { shared: shared.clone(), line, buf: vec![0; READ], expects_more: false, _open: open };
    thread::spawn("air724ug", shared, move || port.turn())?;
    Ok(closed)
}

struct OpenLine {
    shared: Arc<Shared>,
    // Closed before it is said to be: fields are dropped in this order.
    line: Box<dyn Line>,
    buf: Vec<u8>,
    expects_more: bool,
    _open: Sender<()>,
}

impl OpenLine {
    /// Does what is due, waits for whatever comes first, and hands it over.
    fn turn(&mut self) -> io::Result<Turn> {
        let shared = &*self.shared;
        let (deadline, writes) = {
            let mut core = shared.lock();
            if core.is_closed() {
                return Ok(Turn::Closed);
            }
            core.tick_if_due(shared.now());
            if core.beats.is_due() {
                let due = core.beats.take();
                drop(core);
                beats::run(shared, due);
                return Ok(Turn::Again);
            }
            core.write_to(shared.now(), |bytes| self.line.write(bytes))?;
            core.watcher_waits()
        };
        if !std::mem::take(&mut self.expects_more) {
            self.line.wait(writes, deadline.map(|deadline| deadline - shared.now()))?;
        }
        let read = self.line.read(&mut self.buf);
        let mut core = shared.lock();
        core.watcher_is_up();
        match read {
            Ok(0) => return Err(hung_up()),
            Ok(count) => {
                self.expects_more = count >= MUCH;
                core.received(shared.now(), &self.buf[..count]);
                shared.relieve(core);
            }
            Err(error) if is_nothing(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(Turn::Again)
    }
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
