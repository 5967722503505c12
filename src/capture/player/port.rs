//! The two halves of a played port.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::departure::Departure;
use super::script::Script;

/// Opens the port. The bytes before the first write come at once.
pub(super) fn open(script: Script, is_timed: bool) -> (PlayedReader, PlayedWriter, PlayWatch) {
    let opening = script.opening();
    let state = PlayerState { script, is_timed, output: VecDeque::new(), is_closed: false };
    let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
    shared.lock().send(opening);
    (PlayedReader { shared: shared.clone() }, PlayedWriter { shared: shared.clone() }, PlayWatch { shared })
}

#[derive(Debug)]
struct Shared {
    state: Mutex<PlayerState>,
    changed: Condvar,
}

#[derive(Debug)]
struct PlayerState {
    script: Script,
    is_timed: bool,
    /// Bytes, and the time at which they come.
    output: VecDeque<(Instant, Vec<u8>)>,
    is_closed: bool,
}

impl PlayerState {
    fn send(&mut self, pieces: Vec<(Duration, Vec<u8>)>) {
        let now = Instant::now();
        for (after, piece) in pieces {
            let after = if self.is_timed { after } else { Duration::ZERO };
            let due = now.checked_add(after).unwrap_or(now);
            // Bytes come in order.
            let due = self.output.back().map_or(due, |(before, _)| due.max(*before));
            self.output.push_back((due, piece));
        }
    }

    /// True if every byte of the capture was written or read.
    fn is_over(&self) -> bool {
        self.script.is_over() && self.output.is_empty()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, PlayerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The half with the bytes from the capture's modem. Reads wait; `Ok(0)` is the end, after the writer is dropped.
#[derive(Debug)]
pub struct PlayedReader {
    shared: Arc<Shared>,
}

impl Read for PlayedReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut state = self.shared.lock();
        loop {
            let (now, is_closed) = (Instant::now(), state.is_closed);
            let wait = match state.output.front_mut() {
                Some((due, piece)) if *due <= now => {
                    let count = piece.len().min(into.len());
                    for (to, from) in into.iter_mut().zip(piece.drain(..count)) {
                        *to = from;
                    }
                    if piece.is_empty() {
                        state.output.pop_front();
                        self.shared.changed.notify_all();
                    }
                    if count > 0 || into.is_empty() {
                        return Ok(count);
                    }
                    continue;
                }
                Some((due, _)) => Some(due.saturating_duration_since(now)),
                None if is_closed => return Ok(0),
                None => None,
            };
            state = match wait {
                Some(wait) => {
                    let waited = self.shared.changed.wait_timeout(state, wait);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// The half for the bytes of the program. Dropping it closes the port.
#[derive(Debug)]
pub struct PlayedWriter {
    shared: Arc<Shared>,
}

impl Write for PlayedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.shared.lock();
        if state.is_closed {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let output = state.script.write(bytes);
        state.send(output);
        self.shared.changed.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for PlayedWriter {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.changed.notify_all();
    }
}

/// Reports the progress of a player, and its departures.
#[derive(Clone, Debug)]
pub struct PlayWatch {
    shared: Arc<Shared>,
}

impl PlayWatch {
    /// The departures so far, at most the first 1024.
    pub fn departures(&self) -> Vec<Departure> {
        self.shared.lock().script.departures().to_vec()
    }

    /// True if every write of the capture was made and every byte was read.
    pub fn is_over(&self) -> bool {
        self.shared.lock().is_over()
    }

    /// Waits until [`is_over`](Self::is_over), at most for the time-out. Returns true if it is.
    pub fn wait_over(&self, timeout: Duration) -> bool {
        let state = self.shared.lock();
        let waited = self.shared.changed.wait_timeout_while(state, timeout, |state| !state.is_over());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_over()
    }
}
