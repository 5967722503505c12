//! Bytes both ways between a client and a socket of a modem: all of them in order, or the client sees its connection reset.

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

/// How often a client that takes nothing is looked at again.
const LOOK: Duration = Duration::from_millis(200);

/// The connections that stand, so that the end of the program can end them.
#[derive(Default)]
pub struct Relays {
    standing: Mutex<HashMap<u64, (TcpStream, Socket)>>,
    next: AtomicU64,
    has_ended: AtomicBool,
}

/// The bytes of a client that came with its request to the gateway.
#[derive(Default)]
pub struct Beginning {
    /// In place of the client's own words.
    pub head: Vec<u8>,
    pub behind: Vec<u8>,
    /// How far the client's bytes are for this server; without end where it is `None`.
    pub body: Option<RequestBody>,
}

/// The bytes that went through a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RelayReport {
    pub sent: u64,
    pub received: u64,
}

impl Relays {
    /// Carries bytes until both sides have ended.
    ///
    /// The module can't close half a connection. A client that has nothing more to send still gets what comes, until
    /// nothing has come for `linger`; one that has closed waits for nothing.
    pub fn relay(
        &self,
        client: &TcpStream,
        socket: Socket,
        beginning: Beginning,
        linger: Duration,
    ) -> (RelayReport, Result<(), String>) {
        // A write that waits sees the end of the program.
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
                    // What has come can still be read.
                    Err(_) if !socket.is_open() => return result,
                    Err(_) => {}
                }
                failed.store(result.is_err(), Ordering::SeqCst);
                // Also wakes the other direction.
                let _ = socket.shutdown(Shutdown::Both);
                result
            });
            let result = self.down(client, socket, down_count);
            drop(down_ends);
            match &result {
                // What the client still sends has no way to go. It is read for a while, so that its system does not drop
                // what it has not read yet.
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

    /// From the client to the modem. It ends well at the client's end, once the module has everything. What a client sends
    /// behind its request is for no server: that is its end, too.
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
        let Beginning { head, behind, mut body } = beginning;
        // Whether another request follows. Some clients put an empty line behind a body.
        let mut give_own = |data: &[u8]| -> Result<bool, String> {
            let taken = body.as_mut().map_or(data.len(), |body| body.take(data));
            give(&data[..taken])?;
            Ok(data[taken..].iter().any(|byte| !matches!(byte, b'\r' | b'\n')))
        };
        give(&head)?;
        let mut buf = [0; 8192];
        let mut has_ended = give_own(&behind)?;
        while !has_ended {
            match client.read(&mut buf) {
                Ok(0) => break,
                Ok(count) => has_ended = give_own(&buf[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("the client: {error}")),
            }
        }
        match (&*socket).flush() {
            // The other direction tells how the connection has ended.
            Err(_) if !socket.is_open() => Ok(()),
            flushed => flushed.map_err(|error| error.to_string()),
        }
    }

    /// From the modem to the client. It ends well at the peer's end, and at ours.
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

    /// To a client, however long it takes, but not past the end of the program.
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

    /// How many connections stand.
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

/// Waits until nothing has come for this span, the other direction has ended, or the client has closed.
fn wait_for_silence(client: &TcpStream, ended: &Receiver<()>, received: &AtomicU64, span: Duration) {
    // Short at first: most clients that have ended have closed.
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

/// Ends a client's connection so that it can't take what it has for everything: by a reset, once the last handle is gone. A
/// shutdown for writing would tell it of a good end before.
pub fn reset(client: &TcpStream) {
    #[cfg(unix)]
    let _ = rustix::net::sockopt::set_socket_linger(client, Some(Duration::ZERO));
    // Wakes a read that waits.
    let _ = client.shutdown(Shutdown::Read);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::member::Member;
    use crate::options::PortChoice;
    use air724ug::Config;
    use air724ug::crossbeam_channel::unbounded;
    use std::net::TcpListener;

    #[cfg(target_os = "linux")]
    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    #[cfg(target_os = "linux")]
    fn only_a_client_that_has_closed_half_is_waited_for() {
        let (notes, _told) = unbounded();
        let member = Member::new("sim".to_owned(), PortChoice::Simulated(1), Config::default(), notes);
        let link = member.open().unwrap();
        link.modem.wait_ready(PATIENCE).unwrap();
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (servers, clients, relays) = (listen(), listen(), Relays::default());
        let socket = link.modem.tcp().connect(servers.local_addr().unwrap()).unwrap();
        let mut server = servers.accept().unwrap().0;
        let mut client = TcpStream::connect(clients.local_addr().unwrap()).unwrap();
        let own = clients.accept().unwrap().0;
        thread::scope(|scope| {
            let relay = || relays.relay(&own, socket, Beginning::default(), PATIENCE);
            let (begun, relay) = (Instant::now(), scope.spawn(relay));
            client.write_all(b"question").unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            let mut buf = [0; 8];
            server.read_exact(&mut buf).unwrap();
            // Longer than the wait for a client that has closed.
            crate::common::pause(2 * LOOK);
            server.write_all(b"answer").unwrap();
            client.read_exact(&mut buf[..6]).unwrap();
            assert_eq!((&buf[..6], relays.count()), (&b"answer"[..], 1));
            drop(client);
            let (report, result) = relay.join().unwrap();
            assert_eq!((report, result), (RelayReport { sent: 8, received: 6 }, Ok(())));
            assert!(begun.elapsed() < PATIENCE, "its channel is free at once");
        });
        link.modem.close();
    }
}
