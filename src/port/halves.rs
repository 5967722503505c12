//! Any reader and writer as a port.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::Weak;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, select};

use super::{Line, Port, Wake};

/// The most that one read takes, and how many reads may wait: a driver that falls behind stops the reader.
const CHUNK: usize = 4096;
const WAITING: usize = 16;

/// Makes a port of two halves.
///
/// A reader of unknown kind can only be waited on by reading it, so it has a thread of its own. That thread ends with
/// the reader, or after its next byte or time-out when the modem is closed.
pub(crate) fn halves<R, W>(reader: R, writer: W) -> io::Result<Port>
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
{
    let (sender, received) = bounded(WAITING);
    let (wake, woken) = bounded(1);
    let alive = Arc::new(());
    let watch = Arc::downgrade(&alive);
    thread::Builder::new().name("air724ug-reader".into()).spawn(move || pump(reader, &sender, &watch))?;
    let line = HalvesLine { received, woken, writer, pieces: VecDeque::new(), ended: None, _alive: alive };
    Ok(Port { line: Box::new(line), wake: Arc::new(ChannelWaker(wake)), direct: None })
}

struct HalvesLine<W> {
    received: Receiver<io::Result<Vec<u8>>>,
    woken: Receiver<()>,
    writer: W,
    pieces: VecDeque<Vec<u8>>,
    ended: Option<io::Error>,
    /// Tells the reader's thread that somebody still wants its bytes.
    _alive: Arc<()>,
}

struct ChannelWaker(Sender<()>);

fn pump(mut reader: impl Read, sender: &Sender<io::Result<Vec<u8>>>, watch: &Weak<()>) {
    let mut buf = vec![0; CHUNK];
    while watch.strong_count() > 0 {
        let piece = match reader.read(&mut buf) {
            Ok(count) => Ok(buf[..count].to_vec()),
            Err(error) if is_passing(&error) => continue,
            Err(error) => Err(error),
        };
        let ends = piece.as_ref().map_or(true, Vec::is_empty);
        if sender.send(piece).is_err() || ends {
            return;
        }
    }
}

/// Errors after which reading goes on: a serial port's time-out, a signal.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

impl<W: Write + Send> Line for HalvesLine<W> {
    fn wait(&mut self, wants_write: bool, timeout: Option<Duration>) -> io::Result<()> {
        if wants_write || !self.pieces.is_empty() || self.ended.is_some() {
            return Ok(());
        }
        let never = crossbeam_channel::never();
        let time_up = timeout.map_or(never, crossbeam_channel::after);
        select! {
            recv(self.received) -> piece => match piece {
                Ok(Ok(piece)) => self.pieces.push_back(piece),
                Ok(Err(error)) => self.ended = Some(error),
                Err(_) => self.ended = Some(io::ErrorKind::UnexpectedEof.into()),
            },
            recv(self.woken) -> _ => {}
            recv(time_up) -> _ => {}
        }
        Ok(())
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.pieces.is_empty()
            && let Ok(piece) = self.received.try_recv()
        {
            self.pieces.push_back(piece?);
        }
        let Some(piece) = self.pieces.front_mut() else {
            return Err(self.ended.take().unwrap_or(io::ErrorKind::WouldBlock.into()));
        };
        let count = piece.len().min(buf.len());
        buf[..count].copy_from_slice(&piece[..count]);
        if count == piece.len() {
            self.pieces.pop_front();
        } else {
            piece.drain(..count);
        }
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.writer.write(bytes)?;
        self.writer.flush()?;
        Ok(count)
    }
}

impl Wake for ChannelWaker {
    fn wake(&self) {
        // A wake-up that waits already is as good.
        let _ = self.0.try_send(());
    }
}
