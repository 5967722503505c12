//! The relay of bytes between a client and a socket of a modem: all of them arrive in order, or the client's connection
//! is reset.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use air724ug::crossbeam_channel::{Receiver, bounded};
use air724ug::{CloseReason, Error, Received, Socket};

use crate::body::RequestBody;
use crate::client_end;

/// The interval at which a client that reads nothing is checked.
const LOOK: Duration = Duration::from_millis(200);

/// The open connections, which are ended at the end of the program.
#[derive(Default)]
pub struct Relays {
    standing: Mutex<HashMap<u64, (TcpStream, Socket)>>,
    next: AtomicU64,
    has_ended: AtomicBool,
}

/// The first bytes of a client, which came with its request to the gateway.
#[derive(Default)]
pub struct Beginning {
    /// The head that replaces that of the client.
    pub head: Vec<u8>,
    pub after: Vec<u8>,
    /// The body, which limits the client's bytes for this server; `None` for no limit.
    pub body: Option<RequestBody>,
}

/// The bytes that went through a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RelayReport {
    pub sent: u64,
    pub received: u64,
}

impl Relays {
    /// Relays bytes until both sides have ended.
    ///
    /// The module can't close half a connection. A client that has closed its sending half still gets data, until none
    /// have come for `linger`. A client that has closed its connection gets none, and the relay ends.
    pub fn relay(
        &self,
        client: &TcpStream,
        socket: Socket,
        beginning: Beginning,
        linger: Duration,
    ) -> (RelayReport, Result<(), String>) {
        // A blocking write is interrupted at the end of the program.
        let _ = client.set_write_timeout(Some(LOOK));
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        if let Ok(clone) = client.try_clone() {
            self.lock().insert(number, (clone, socket.clone()));
        }
        let counts = [AtomicU64::new(0), AtomicU64::new(0)];
        let (up_count, down_count) = (&counts[0], &counts[1]);
        let (socket, failed) = (&socket, &AtomicBool::new(false));
        let result = thread::scope(|scope| {
            let (down_ends, down_ended) = bounded(0);
            let (up_ends, up_ended) = bounded::<()>(0);
            let up = scope.spawn(move || {
                let _up_ends = up_ends;
                let result = Self::up(client, socket, beginning, up_count);
                match &result {
                    Ok(()) => wait_for_silence(client, &down_ended, down_count, linger),
                    // Received data can still be read.
                    Err(_) if !socket.is_open() => return result,
                    Err(_) => {}
                }
                failed.store(result.is_err(), Ordering::SeqCst);
                // This also wakes the other direction.
                let _ = socket.shutdown(Shutdown::Both);
                result
            });
            let result = self.down(client, socket, down_count);
            drop(down_ends);
            match &result {
                // Further bytes of the client have no destination. They are read for a while, so that the client's
                // system does not drop unread data.
                Ok(()) if !failed.load(Ordering::SeqCst) => {
                    let _ = client.shutdown(Shutdown::Write);
                    let _ = up_ended.recv_timeout(linger);
                    let _ = client.shutdown(Shutdown::Both);
                }
                Ok(()) | Err(_) => reset(client),
            }
            let up = up.join().unwrap_or_else(|_| Err("the thread of a connection panicked".to_owned()));
            result.and(up)
        });
        self.lock().remove(&number);
        let [sent, received] = counts.map(AtomicU64::into_inner);
        (RelayReport { sent, received }, result)
    }

    /// From the client to the modem. It ends normally at the client's end, after the module has accepted everything.
    /// Bytes after the client's request belong to no server and are the client's end, too.
    fn up(
        client: &TcpStream,
        socket: &Socket,
        beginning: Beginning,
        count: &AtomicU64,
    ) -> Result<(), String> {
        let mut client = client;
        let give = |data: &[u8]| -> Result<(), String> {
            (&*socket).write_all(data).map_err(|error| error.to_string())?;
            count.fetch_add(data.len() as u64, Ordering::SeqCst);
            Ok(())
        };
        let Beginning { head, after, mut body } = beginning;
        // True if another request follows. Some clients send an empty line after a body.
        let mut give_own = |data: &[u8]| -> Result<bool, String> {
            let taken = body.as_mut().map_or(data.len(), |body| body.take(data));
            give(&data[..taken])?;
            Ok(data[taken..].iter().any(|byte| !matches!(byte, b'\r' | b'\n')))
        };
        give(&head)?;
        let mut buf = [0; 8192];
        let mut has_ended = give_own(&after)?;
        while !has_ended {
            match client.read(&mut buf) {
                Ok(0) => break,
                Ok(count) => has_ended = give_own(&buf[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("the client: {error}")),
            }
        }
        match (&*socket).flush() {
            // The other direction reports the end of the connection.
            Err(_) if !socket.is_open() => Ok(()),
            flushed => flushed.map_err(|error| error.to_string()),
        }
    }

    /// From the modem to the client. It ends normally at the peer's end, and at the client's.
    fn down(&self, client: &TcpStream, socket: &Socket, count: &AtomicU64) -> Result<(), String> {
        loop {
            match socket.recv(None) {
                Ok(Received::Data(data)) => {
                    if let Err(error) = self.deliver(client, &data) {
                        let _ = socket.shutdown(Shutdown::Both);
                        return Err(format!("the client: {error}"));
                    }
                    count.fetch_add(data.len() as u64, Ordering::SeqCst);
                }
                Ok(_) => {}
                Err(Error::Closed(CloseReason::Peer | CloseReason::Local | CloseReason::ShutDown)) => {
                    return Ok(());
                }
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    /// Writes to a client without a time-out, until the end of the program.
    fn deliver(&self, mut client: &TcpStream, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            match client.write(data) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => data = &data[count..],
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                        if !self.has_ended.load(Ordering::SeqCst) => {}
                    _ => return Err(error),
                },
            }
        }
        Ok(())
    }

    /// The number of open connections.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Ends every connection, without waiting.
    pub fn end(&self) {
        self.has_ended.store(true, Ordering::SeqCst);
        for (client, socket) in self.lock().values() {
            let _ = socket.shutdown(Shutdown::Both);
            reset(client);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, (TcpStream, Socket)>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until no bytes have come for this span, the other direction has ended, or the client has closed.
fn wait_for_silence(client: &TcpStream, ended: &Receiver<()>, received: &AtomicU64, span: Duration) {
    // Short at first, because most clients that have ended have closed.
    let (mut look, mut before) = (Duration::from_millis(10), received.load(Ordering::SeqCst));
    let mut silent_at = Instant::now() + span;
    while !client_end::has_closed(client) {
        look = (2 * look).min(LOOK);
        let left = silent_at.saturating_duration_since(Instant::now());
        if ended.recv_timeout(look.min(left)).is_err_and(|error| error.is_disconnected()) {
            return;
        }
        let now = received.load(Ordering::SeqCst);
        if now != before {
            (before, silent_at) = (now, Instant::now() + span);
        } else if left.is_zero() {
            return;
        }
    }
}

/// Ends a client's connection with a reset, when the last handle is dropped, so that the client can't take the received
/// part for all data. A shutdown for writing before would look like a normal end.
pub fn reset(client: &TcpStream) {
    #[cfg(unix)]
    let _ = rustix::net::sockopt::set_socket_linger(client, Some(Duration::ZERO));
    // Wakes a blocking read.
    let _ = client.shutdown(Shutdown::Read);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::member::Member;
    use crate::options::PortChoice;
    use air724ug::Config;
    use air724ug::crossbeam_channel::unbounded;
    use std::net::TcpListener;

    const TIMEOUT: Duration = Duration::from_secs(60);

    #[test]
    fn only_a_client_that_has_closed_half_is_waited_for() {
        let (notes, _receiver) = unbounded();
        let member = Member::new("sim".to_owned(), PortChoice::Simulated(1), Config::default(), notes);
        let link = member.open().unwrap();
        link.modem.wait_ready(TIMEOUT).unwrap();
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (servers, clients, relays) = (listen(), listen(), Relays::default());
        let socket = link.modem.tcp().connect(servers.local_addr().unwrap()).unwrap();
        let mut server = servers.accept().unwrap().0;
        let mut client = TcpStream::connect(clients.local_addr().unwrap()).unwrap();
        let own = clients.accept().unwrap().0;
        thread::scope(|scope| {
            let relay = || relays.relay(&own, socket, Beginning::default(), TIMEOUT);
            let (begun, relay) = (Instant::now(), scope.spawn(relay));
            client.write_all(b"question").unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            let mut buf = [0; 8];
            server.read_exact(&mut buf).unwrap();
            // Longer than the interval of checks for a closed client.
            crate::common::pause(2 * LOOK);
            server.write_all(b"answer").unwrap();
            client.read_exact(&mut buf[..6]).unwrap();
            assert_eq!((&buf[..6], relays.count()), (&b"answer"[..], 1));
            drop(client);
            let (report, result) = relay.join().unwrap();
            assert_eq!((report, result), (RelayReport { sent: 8, received: 6 }, Ok(())));
            assert!(begun.elapsed() < TIMEOUT, "its channel is free at once");
        });
        link.modem.close();
    }
}
