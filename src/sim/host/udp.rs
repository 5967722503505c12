//! A UDP link with a thread that reads; writes do not wait.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::report::{Reporter, spawn};
use crate::sim::network::{Link, NetworkEvent};

/// The largest datagram.
const DATAGRAM: usize = 65_535;
/// The most datagrams that wait for the modem; further ones are lost, as in any UDP stack.
const QUEUE: usize = 64;

/// Received datagrams; a part of the first may have been read.
type Queue = Arc<Mutex<VecDeque<Vec<u8>>>>;

/// An open link.
#[derive(Debug)]
pub(super) struct UdpLink {
    socket: UdpSocket,
    queue: Queue,
    closed: Arc<AtomicBool>,
    sent: AtomicU64,
}

impl UdpLink {
    /// Takes a socket that is connected to its peer, and starts the thread that reads.
    pub(super) fn start(link: Link, socket: UdpSocket, reporter: &Reporter) -> io::Result<Self> {
        let queue = Queue::default();
        let closed = Arc::new(AtomicBool::new(false));
        let reader = UdpReader {
            link,
            socket: socket.try_clone()?,
            queue: queue.clone(),
            closed: closed.clone(),
            reporter: reporter.clone(),
        };
        spawn("udp", link.number(), move || reader.run())?;
        Ok(Self { socket, queue, closed, sent: AtomicU64::new(0) })
    }

    /// A datagram that the system refuses is lost, as usual for UDP.
    pub(super) fn send(&self, bytes: &[u8]) -> usize {
        drop(self.socket.send(bytes));
        self.sent.fetch_add(bytes.len() as u64, Ordering::AcqRel);
        bytes.len()
    }

    pub(super) fn receive(&self, into: &mut [u8]) -> usize {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(datagram) = queue.front_mut() else {
            return 0;
        };
        let count = datagram.len().min(into.len());
        into[..count].copy_from_slice(&datagram[..count]);
        datagram.drain(..count);
        if datagram.is_empty() {
            queue.pop_front();
        }
        count
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.sent.load(Ordering::Acquire)
    }
}

/// Wakes the reader, which waits for a datagram: the socket connects to itself and sends one.
impl Drop for UdpLink {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Release);
        if let Ok(own) = self.socket.local_addr() {
            drop(self.socket.connect(own));
            drop(self.socket.send(&[0]));
        }
    }
}

struct UdpReader {
    link: Link,
    socket: UdpSocket,
    queue: Queue,
    closed: Arc<AtomicBool>,
    reporter: Reporter,
}

impl UdpReader {
    fn run(self) {
        let mut buffer = vec![0; DATAGRAM];
        loop {
            let received = self.socket.recv(&mut buffer);
            if self.closed.load(Ordering::Acquire) {
                return;
            }
            match received {
                // An empty datagram contains nothing that a modem prints.
                Ok(0) => {}
                Ok(count) => self.keep(&buffer[..count]),
                // The peer's machine has reported the port as closed, or a signal came: neither ends a UDP link.
                Err(error)
                    if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::Interrupted) => {}
                Err(_) => {
                    self.reporter.event(NetworkEvent::Reset(self.link));
                    return;
                }
            }
        }
    }

    fn keep(&self, datagram: &[u8]) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let was_empty = queue.is_empty();
        if queue.len() < QUEUE {
            queue.push_back(datagram.to_vec());
        }
        drop(queue);
        if was_empty {
            self.reporter.event(NetworkEvent::Readable(self.link));
        }
    }
}
