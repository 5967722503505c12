//! The thread of a port that can be waited on.

use std::io;

use super::shared::Shared;
use super::thread::{Turn, hung_up};
use crate::port::{Line, Sleeper};

/// The largest read. A pseudo-terminal returns 4 KiB at a time, USB 16 KiB.
const READ: usize = 16 * 1024;

/// After a read of this size the next one follows at once, because more bytes are probable, and one delivery wakes the
/// reader once. A line with a rate never has this number of bytes between two reads.
const MUCH: usize = 2 * 1024;

/// The line and its state.
pub(super) struct OpenLine {
    line: Box<dyn Line>,
    buf: Vec<u8>,
    expects_more: bool,
}

impl OpenLine {
    pub(super) fn new(line: Box<dyn Line>) -> Self {
        Self { line, buf: vec![0; READ], expects_more: false }
    }

    /// Runs what is due, waits for bytes, a deadline or a wake-up, and processes them.
    pub(super) fn turn(&mut self, shared: &Shared, sleeper: &Sleeper) -> io::Result<Turn> {
        let (dtr, (deadline, writes)) = {
            let mut core = shared.lock();
            core.tick_if_due(shared.now());
            // What is due may leave the port.
            if !core.has_port() {
                return Ok(Turn::Over);
            }
            core.write_to(shared.now(), |bytes| self.line.write(bytes))?;
            (core.take_dtr(), core.watcher_waits())
        };
        // Without the lock, because a USB adapter may take long for it.
        if let Some(Err(error)) = dtr.map(|on| self.line.set_dtr(on)) {
            log::debug!("the port's DTR line can't be switched: {error}");
        }
        if !std::mem::take(&mut self.expects_more) {
            self.line.wait(sleeper, writes, deadline.map(|deadline| deadline - shared.now()))?;
        }
        let is_read_by_caller = {
            let mut core = shared.lock();
            core.watcher_is_up();
            core.is_read_by_caller()
        };
        if is_read_by_caller {
            // A caller reads these bytes.
            self.line.pass_over();
            return Ok(Turn::Again);
        }
        // No caller takes the port while this thread runs.
        let read = read(&mut *self.line, &mut self.buf);
        let mut core = shared.lock();
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

/// Reads the available bytes, and again after large reads. The next call returns an error or end that follows bytes.
fn read(line: &mut dyn Line, buf: &mut [u8]) -> io::Result<usize> {
    let mut count = line.read(buf)?;
    let mut latest = count;
    while latest >= MUCH && count < buf.len() {
        latest = line.read(&mut buf[count..]).unwrap_or(0);
        count += latest;
    }
    Ok(count)
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::super::session_log::SessionLog;
    use super::*;
    use std::time::Duration;

    use std::sync::{Arc, Mutex};

    use crate::config::Config;
    use crate::driver::Core;
    use crate::driver::core::FIRST_PORT;
    use crate::driver::readiness::Readiness;
    use crate::port::{CallerEnd, DirectRead, DirectWrite, Waker, wake_up};
    use crate::proto::{Engine, Output};
    use crate::time::Timestamp;

    /// Gives the next of `counts` in bytes at each read, each byte different from the one before, and then ends.
    struct Gives {
        counts: Vec<usize>,
        byte: u8,
        dtr: Arc<Mutex<Vec<bool>>>,
    }

    impl Gives {
        fn new(counts: &[usize]) -> Self {
            Self { counts: counts.to_vec(), byte: 0, dtr: Arc::default() }
        }
    }

    impl Line for Gives {
        fn wait(&mut self, _: &Sleeper, _: bool, _: Option<Duration>) -> io::Result<()> {
            Ok(())
        }

        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            if self.counts.is_empty() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let count = self.counts.remove(0).min(buf.len());
            for byte in &mut buf[..count] {
                *byte = self.byte;
                self.byte = self.byte.wrapping_add(1);
            }
            if count == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(count) }
        }

        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn set_dtr(&mut self, on: bool) -> io::Result<()> {
            self.dtr.lock().unwrap().push(on);
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    impl DirectWrite for Gives {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
    }

    impl DirectRead for Gives {
        fn take(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn give_back(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn wait(&mut self, _: Option<Duration>) -> io::Result<()> {
            Ok(())
        }

        fn read(&mut self) -> io::Result<&[u8]> {
            Ok(b"")
        }

        fn waker(&self) -> Waker {
            wake_up().unwrap().0
        }
    }

    fn shared() -> (Arc<Shared>, Sleeper) {
        let engine = Engine::new(Config::default(), Timestamp::ZERO).unwrap();
        let (waker, sleeper) = wake_up().unwrap();
        let log = SessionLog::new("test".into());
        let shared = Shared::new(Core::new(engine, None, log, Readiness::new(0), false), waker);
        let end = CallerEnd {
            direct: Box::new(Gives::new(&[])),
            direct_read: Some(Box::new(Gives::new(&[]))),
            alarm: None,
            leads_elsewhere: None,
        };
        shared.lock().set_callers_end(Some(end));
        (shared, sleeper)
    }

    #[test]
    fn what_comes_while_a_caller_reads_the_port_is_left_to_it() {
        let (shared, sleeper) = shared();
        let mut port = OpenLine::new(Box::new(Gives::new(&[3])));
        assert!(shared.lock().take_direct_read().is_none(), "the thread is up, and may be reading");
        let direct_read = {
            let mut core = shared.lock();
            core.watcher_waits();
            core.take_direct_read().unwrap()
        };
        for _ in 0..3 {
            assert!(matches!(port.turn(&shared, &sleeper), Ok(Turn::Again)));
        }
        assert!(shared.lock().take_direct_read().is_none(), "one caller at a time");
        shared.lock().give_back(direct_read, FIRST_PORT).unwrap();
        assert!(matches!(port.turn(&shared, &sleeper), Ok(Turn::Again)), "what came is read now");
        assert_eq!(port.turn(&shared, &sleeper).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn dtr_is_switched_once_and_a_port_without_it_goes_on() {
        let (shared, sleeper) = shared();
        let line = Gives::new(&[0, 0]);
        let dtr = line.dtr.clone();
        let mut port = OpenLine::new(Box::new(line));
        {
            let mut core = shared.lock();
            core.watcher_waits();
            core.obey(Timestamp::ZERO, Output::Dtr(false));
            assert!(core.wants_writer(), "only the port's thread can do it");
        }
        for _ in 0..2 {
            assert!(matches!(port.turn(&shared, &sleeper), Ok(Turn::Again)));
        }
        assert_eq!(*dtr.lock().unwrap(), [false]);
    }

    /// Checks what each read returns until the line ends, and that no byte is lost.
    fn reads(counts: &[usize]) -> Vec<usize> {
        let mut line = Gives::new(counts);
        let (mut buf, mut read_so_far, mut seen) = (vec![0; READ], 0_usize, Vec::new());
        loop {
            match read(&mut line, &mut buf) {
                Ok(count) => {
                    for byte in &buf[..count] {
                        assert_eq!(*byte, read_so_far as u8);
                        read_so_far += 1;
                    }
                    seen.push(count);
                }
                Err(error) if is_nothing(&error) => seen.push(0),
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
                    return seen;
                }
            }
        }
    }

    #[test]
    fn what_comes_in_large_pieces_is_handed_over_together() {
        assert_eq!(reads(&[MUCH, MUCH, 1, 5]), [2 * MUCH + 1, 5]);
        assert_eq!(reads(&[READ / 2, READ / 2, 7]), [READ, 7], "no more than there is room for");
    }

    #[test]
    fn a_small_piece_is_handed_over_at_once() {
        assert_eq!(reads(&[MUCH - 1, MUCH]), [MUCH - 1, MUCH]);
    }

    #[test]
    fn what_came_before_nothing_or_the_end_is_not_lost() {
        assert_eq!(reads(&[MUCH, 0, 3]), [MUCH, 3]);
        assert_eq!(reads(&[MUCH]), [MUCH]);
        assert_eq!(reads(&[]), [0; 0]);
    }
}
