//! A TCP link with a thread that reads and one that writes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::pipe::{Pipe, STALL_CHECK};
use super::report::{Reporter, spawn};
use crate::sim::network::{Link, NetworkEvent};

/// The largest read of the socket.
const READ_SIZE: usize = 16 * 1024;
/// The longest time for the last bytes after the modem has closed.
const LINGER: std::time::Duration = std::time::Duration::from_secs(10);

/// Both directions of an open link.
#[derive(Debug)]
pub(super) struct TcpLink {
    stream: TcpStream,
    inbound: Arc<Pipe>,
    outbound: Arc<Pipe>,
    sent: AtomicU64,
    written: Arc<AtomicU64>,
}

impl TcpLink {
    /// Starts both threads.
    pub(super) fn start(link: Link, stream: TcpStream, reporter: &Reporter) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(STALL_CHECK))?;
        let (inbound, outbound) = (Arc::new(Pipe::default()), Arc::new(Pipe::default()));
        let written = Arc::new(AtomicU64::new(0));
        let reader = TcpReader {
            link,
            stream: stream.try_clone()?,
            pipe: inbound.clone(),
            reporter: reporter.clone(),
        };
        let writer = TcpWriter {
            link,
            stream: stream.try_clone()?,
            pipe: outbound.clone(),
            written: written.clone(),
            reporter: reporter.clone(),
        };
        spawn("read", link.number(), move || reader.run())?;
        spawn("write", link.number(), move || writer.run())?;
        Ok(Self { stream, inbound, outbound, sent: AtomicU64::new(0), written })
    }

    pub(super) fn send(&self, bytes: &[u8]) -> usize {
        let taken = self.outbound.write(bytes);
        self.sent.fetch_add(taken as u64, Ordering::Relaxed);
        taken
    }

    pub(super) fn receive(&self, into: &mut [u8]) -> usize {
        self.inbound.read(into)
    }

    /// The number of bytes that this machine's TCP has accepted. The standard library does not report acknowledged
    /// bytes.
    pub(super) fn acknowledged(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }
}

/// The connection ends when the written bytes are sent.
impl Drop for TcpLink {
    fn drop(&mut self) {
        self.inbound.abandon();
        self.outbound.finish();
        // This wakes the reader. If no bytes remain, the connection is closed now and not later by a thread, because
        // its port may be requested again at once (`AT+CLPORT`). A connection that has ended needs neither.
        let all_left = self.acknowledged() == self.sent.load(Ordering::Relaxed);
        drop(self.stream.shutdown(if all_left { Shutdown::Both } else { Shutdown::Read }));
    }
}

struct TcpReader {
    link: Link,
    stream: TcpStream,
    pipe: Arc<Pipe>,
    reporter: Reporter,
}

impl TcpReader {
    fn run(mut self) {
        let mut buffer = vec![0; READ_SIZE];
        loop {
            let event = match self.stream.read(&mut buffer) {
                Ok(0) => NetworkEvent::Closed(self.link),
                Ok(count) => {
                    let filled = || self.reporter.event(NetworkEvent::Readable(self.link));
                    if self.pipe.write_all(&buffer[..count], filled) {
                        continue;
                    }
                    return;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => NetworkEvent::Reset(self.link),
            };
            self.reporter.event(event);
            return;
        }
    }
}

struct TcpWriter {
    link: Link,
    stream: TcpStream,
    pipe: Arc<Pipe>,
    written: Arc<AtomicU64>,
    reporter: Reporter,
}

impl TcpWriter {
    fn run(mut self) {
        let mut bytes = Vec::new();
        while self.pipe.take(&mut bytes) {
            if self.write(&bytes).is_err() {
                // The reader reports the end. Bytes in transit are lost.
                self.pipe.abandon();
                return;
            }
            bytes.clear();
            // There is room, and a slow send may be waiting for these bytes.
            self.reporter.event(NetworkEvent::Writable(self.link));
        }
        drop(self.stream.shutdown(Shutdown::Write));
    }

    /// Writes all bytes. Gives up on a peer that reads nothing for [`LINGER`] after the modem has closed.
    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let mut closed_since: Option<Instant> = None;
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(count) => {
                    bytes = &bytes[count..];
                    self.written.fetch_add(count as u64, Ordering::AcqRel);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    let closing = self.pipe.is_finished();
                    let since = *closed_since.get_or_insert_with(Instant::now);
                    if closing && since.elapsed() >= LINGER {
                        return Err(error);
                    }
                    if !closing {
                        closed_since = None;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
