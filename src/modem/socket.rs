use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::driver::Readable;
use crate::error::{CloseReason, Error, READ, Result, WRITE};
use crate::proto::{ChannelId, Command, Engine, Protocol, Request, Response, SocketId};
use crate::time::Timestamp;

use super::deadline::{Deadline, Timeouts};
use super::fair_lock::{FairLock, Turn};
use super::remote::Remote;
use super::transport::{Tcp, Transport};
use super::{Modem, Received, unexpected};

/// An open connection of the module, like a [`std::net::TcpStream`]. Methods that are impossible over
/// [TLS](super::TlsSocket) or [UDP](super::UdpSocket) don't exist on those types.
///
/// The type is a handle: clones from [`try_clone`](Self::try_clone) refer to the same socket, and every method takes
/// `&self`, so one thread can read while another writes. Dropping the last handle closes the socket without waiting.
/// Written data are still sent, for at most 30 s. [`close`](Self::close) waits.
///
/// | call | meaning of `Ok` |
/// |---|---|
/// | [`send`](Self::send) | the module has accepted the data |
/// | [`write`](std::io::Write::write), as of a `TcpStream` | the driver has the data; a later call returns an error |
/// | [`flush`](std::io::Write::flush), [`wait_accepted`](Self::wait_accepted) | the module has accepted all data |
/// | [`wait_acknowledged`](Socket::wait_acknowledged), on TCP | the peer has acknowledged all data |
///
/// # Unlike a `TcpStream`
///
/// * Writes wait at most 120 s; [`set_write_timeout`](Self::set_write_timeout) changes that.
/// * [`flush`](std::io::Write::flush) waits for the module. It fails if data were lost, or if the socket ended other
///   than by the peer.
/// * The module has no half-closed connections. After the peer's close, writes fail although the peer may still read.
///   The peer notices a [`shutdown`](Self::shutdown) of writes when the socket is closed.
/// * A reset by the peer looks like a close, unless the firmware reports the difference ([`CloseReason::Reset`]).
/// * [`local_addr`](Self::local_addr) has port 0. [`peer_addr`](Self::peer_addr) is known after the end, too.
/// * `read_vectored` fills the first buffer only, and a read into an empty buffer never waits.
/// * There is no file descriptor, TTL or linger.
pub struct Socket<T: Transport = Tcp> {
    pub(super) shared: Arc<Shared>,
    transport: PhantomData<fn() -> T>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) modem: Modem,
    pub(super) id: SocketId,
    protocol: Protocol,
    pub(super) remote: Remote,
    pub(super) readable: Readable,
    pub(super) timeouts: Mutex<Timeouts>,
    pub(super) turns: FairLock,
    pub(super) is_nonblocking: AtomicBool,
    pub(super) has_no_delay: AtomicBool,
    pub(super) no_more_reads: AtomicBool,
    pub(super) no_more_writes: AtomicBool,
}

/// The time-out of a close: the limit of the module (30 s), and a margin for the commands before it.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(40);
/// The most bytes that are given to the core at once. The rest of a longer send follows after the module has accepted
/// them.
pub(super) const MAX_HANDED_OVER: usize = 64 * 1024;

impl<T: Transport> Socket<T> {
    pub(super) fn new(modem: Modem, id: SocketId, protocol: Protocol, remote: Remote) -> Self {
        let readable = modem.driver.watch(id);
        Self {
            shared: Arc::new(Shared {
                modem,
                id,
                protocol,
                remote,
                readable,
                timeouts: Mutex::default(),
                turns: FairLock::new(),
                is_nonblocking: AtomicBool::new(false),
                has_no_delay: AtomicBool::new(false),
                no_more_reads: AtomicBool::new(false),
                no_more_writes: AtomicBool::new(false),
            }),
            transport: PhantomData,
        }
    }

    /// Sends all of the data, of any length, after the data that were written and queued before (`c:send(data)`).
    /// Returns when the module has accepted them. They may not have reached the peer yet.
    ///
    /// Waits at most the [write time-out](Self::set_write_timeout), 120 s by default.
    ///
    /// # Errors
    /// [`Error::Timeout`] with the number of bytes that the module has [accepted](Error::Timeout::accepted). At most
    /// 1460 bytes after these may be on their way to the module. They are still sent and count in
    /// [`SocketStatistics::sent`](crate::statistics::SocketStatistics::sent), or the socket ends with the reason. Later
    /// bytes are not sent.
    ///
    /// The reason why the socket ended, if it has. On UDP, [`Error::InvalidInput`] for a datagram that is empty or
    /// longer than 1460 bytes, and [`Error::Refused`] or [`Error::Timeout`] for a datagram that the module did not
    /// accept. Such a datagram is lost, and the socket stays open.
    pub fn send(&self, data: &[u8]) -> Result<()> {
        self.send_within(data, self.timeouts().write)
    }

    pub(super) fn send_within(&self, data: &[u8], timeout: Option<Duration>) -> Result<()> {
        if data.is_empty() {
            return self.check_write(data);
        }
        let mut sent = 0;
        let result = self.in_turn(timeout, |turn, deadline| {
            while sent < data.len() {
                sent += self.hand_over(&data[sent..], deadline, turn)?;
            }
            Ok(())
        });
        match result {
            Err(Error::Timeout { command, after, .. }) => {
                let accepted = u32::try_from(sent).unwrap_or(u32::MAX);
                Err(Error::Timeout { command, after, accepted })
            }
            other => other,
        }
    }

    /// Waits for data, and returns all that came, at least one byte (`c:recv(timeout)`). `None` waits without a limit.
    ///
    /// # Errors
    /// The reason why the socket ended, after all of its data were read: [`Error::Closed`] with [`CloseReason::Peer`]
    /// if the peer closed it.
    pub fn recv(&self, timeout: impl Into<Option<Duration>>) -> Result<Received> {
        let deadline = Deadline::after(timeout.into());
        loop {
            let data = self.try_recv()?;
            if !data.is_empty() {
                return Ok(Received::Data(data));
            }
            if !self.wait_readable(deadline) {
                return Ok(Received::Timeout);
            }
        }
    }

    /// Returns all data that came; empty if there are none (`c:asyncRecv()`).
    ///
    /// # Errors
    /// The reason why the socket ended, after all of its data were read.
    pub fn try_recv(&self) -> Result<Vec<u8>> {
        let id = self.shared.id;
        let mut data = Vec::new();
        self.look(|engine, now| {
            data.resize(engine.readable(id).0, 0);
            // With nothing to read, the call returns the reason.
            let into = if data.is_empty() { &mut [0][..] } else { &mut data[..] };
            engine.read(now, id, into).map(drop)
        })?;
        Ok(data)
    }

    /// Waits for data and copies them; the next read returns them again. Zero at the end.
    ///
    /// # Errors
    /// [`Error::Timeout`] after the [read time-out](Self::set_read_timeout). The reason why the socket ended, unless
    /// the peer closed it.
    pub fn peek(&self, buf: &mut [u8]) -> Result<usize> {
        let id = self.shared.id;
        // The data can still be read, so the signal for readers is sent again.
        self.blocking_read(|| self.look(|engine, _| engine.peek(id, buf)))
    }

    /// Ends one direction or both for every handle of the socket.
    ///
    /// The module can't close half of a connection. After a shutdown of writes, later writes fail and the
    /// [heartbeat](Self::set_heartbeat) ends; the peer notices it when the socket is closed. A shutdown of both
    /// directions closes the connection without waiting.
    ///
    /// # Errors
    /// None today; as [`std::net::TcpStream::shutdown`].
    pub fn shutdown(&self, how: Shutdown) -> Result<()> {
        if matches!(how, Shutdown::Read | Shutdown::Both) {
            self.shared.no_more_reads.store(true, Ordering::SeqCst);
            self.shared.readable.rearm();
        }
        if matches!(how, Shutdown::Write | Shutdown::Both) {
            self.shared.no_more_writes.store(true, Ordering::SeqCst);
            // A socket that has ended has no heartbeat.
            let _ = self.set_heartbeat(None);
        }
        #[cfg(feature = "async")]
        self.shared.modem.driver.wake_tasks(self.shared.id);
        if how == Shutdown::Both {
            self.shared
                .modem
                .driver
                .submit(Request::Close { socket: self.shared.id, timeout: CLOSE_TIMEOUT });
        }
        Ok(())
    }

    /// Closes the socket for every handle and waits until the module has closed it (`c:close()`).
    /// [Written](std::io::Write::write) data, and those that were sent or queued before them, are sent first, for at
    /// most 30 s. Other queued data that the module has not accepted are lost: call
    /// [`wait_accepted`](Self::wait_accepted) before, or on TCP [`close_acknowledged`](Socket::close_acknowledged),
    /// which waits for the peer as well.
    ///
    /// # Errors
    /// The reason why written data were lost, if no call has returned it. [`Error::Timeout`] after 40 s if the module
    /// does not answer. [`Error::PortLost`] if the port is lost before or meanwhile.
    pub fn close(self) -> Result<()> {
        self.close_within(CLOSE_TIMEOUT)
    }

    /// Like [`close`](Self::close), with a time-out. The module closes the socket in any case.
    pub(super) fn close_within(&self, timeout: Duration) -> Result<()> {
        let request = Request::Close { socket: self.shared.id, timeout: timeout.min(CLOSE_TIMEOUT) };
        self.shared.modem.driver.call(request).map(drop)
    }

    /// Returns another handle of the same socket.
    ///
    /// # Errors
    /// None today; as [`std::net::TcpStream::try_clone`].
    pub fn try_clone(&self) -> Result<Self> {
        Ok(self.clone())
    }

    /// The module's channel, 0 to 7.
    pub fn id(&self) -> ChannelId {
        self.shared.id.channel()
    }

    /// A channel that gets a signal when there is something to read or the socket has ended, for
    /// [`crossbeam_channel::select!`] over several sockets and other channels. After a signal, call
    /// [`try_recv`](Self::try_recv) until it returns no data. The first call may return none if another handle has read
    /// before.
    pub fn readable(&self) -> &Receiver<()> {
        &self.shared.readable.signal
    }

    /// Reads into `buf`, and waits for the first byte. Zero at the end.
    pub(super) fn read_waiting(&self, buf: &mut [u8]) -> Result<usize> {
        let id = self.shared.id;
        self.blocking_read(|| self.look(|engine, now| engine.read(now, id, buf)))
    }

    /// Gives the core the data of one write, and waits until the module has accepted them.
    pub(super) fn write_some(&self, data: &[u8]) -> Result<usize> {
        if data.is_empty() {
            return Ok(0);
        }
        let timeout = self.timeouts().write;
        match self.in_turn(timeout, |turn, deadline| self.hand_over(data, deadline, turn)) {
            Err(Error::Timeout { after, .. }) => Err(Error::timeout(WRITE, after)),
            other => other,
        }
    }

    /// Writes when this caller has its turn. The error of a time-out names the whole span, with the wait for the turn.
    pub(super) fn in_turn<R>(
        &self,
        timeout: Option<Duration>,
        write: impl FnOnce(&mut Turn<'_>, Deadline) -> Result<R>,
    ) -> Result<R> {
        let (began, deadline) = (Instant::now(), Deadline::after(timeout));
        let written = self.shared.turns.take(deadline).map(|mut turn| write(&mut turn, deadline));
        match written {
            // The datagram was not confirmed.
            Some(Err(Error::Timeout { .. })) if !deadline.left().is_zero() => {
                Err(Error::timeout("send", began.elapsed()))
            }
            None | Some(Err(Error::Timeout { .. })) => Err(timed_out("send", timeout)),
            Some(result) => result,
        }
    }

    fn hand_over(&self, data: &[u8], deadline: Deadline, turn: &mut Turn<'_>) -> Result<usize> {
        self.check_write(data)?;
        let mut request = std::mem::take(&mut turn.buffer);
        request.clear();
        request.extend_from_slice(&data[..data.len().min(MAX_HANDED_OVER)]);
        let request = Request::Send { socket: self.shared.id, data: request, timeout: deadline.left() };
        match self.shared.modem.driver.call(request)? {
            Response::Sent { accepted, data } => {
                turn.buffer = data;
                Ok(accepted)
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Checks whether such data can be sent on this socket.
    pub(super) fn check_write(&self, data: &[u8]) -> Result<()> {
        self.check_writable()?;
        if self.shared.protocol == Protocol::Udp && data.is_empty() {
            return Err(Error::invalid("datagram", "is empty, and the module can't send one"));
        }
        if self.shared.protocol == Protocol::Udp && data.len() > Command::MAX_CHUNK {
            return Err(Error::invalid(
                "datagram",
                format_args!("is longer than {} bytes", Command::MAX_CHUNK),
            ));
        }
        Ok(())
    }

    /// Checks whether the direction to the peer is open, whatever is written.
    pub(super) fn check_writable(&self) -> Result<()> {
        match self.shared.no_more_writes.load(Ordering::SeqCst) {
            true => Err(Error::Closed(CloseReason::ShutDown)),
            false => Ok(()),
        }
    }

    pub(super) fn modem(&self) -> &Modem {
        &self.shared.modem
    }

    pub(super) fn socket_id(&self) -> SocketId {
        self.shared.id
    }

    /// Calls a function that reads the socket. If there is more to read afterwards, the next waiting call is signalled.
    pub(super) fn look<R>(&self, look: impl FnOnce(&mut Engine, Timestamp) -> Result<R>) -> Result<R> {
        if self.shared.no_more_reads.load(Ordering::SeqCst) {
            self.shared.readable.rearm();
            return Err(Error::Closed(CloseReason::ShutDown));
        }
        let id = self.shared.id;
        let (result, more) = self.shared.modem.driver.read(id, |engine, now| {
            let result = look(engine, now);
            (result, engine.readable(id) != (0, false))
        });
        if more {
            self.shared.readable.rearm();
        }
        result
    }

    pub(super) fn blocking_read(&self, mut read: impl FnMut() -> Result<Option<usize>>) -> Result<usize> {
        let timeout = self.timeouts().read;
        let deadline = Deadline::after(timeout);
        loop {
            match read() {
                Ok(Some(count)) => return Ok(count),
                Ok(None) => {}
                // The end of a stream is no error.
                Err(Error::Closed(CloseReason::Peer | CloseReason::ShutDown)) => return Ok(0),
                Err(error) => return Err(error),
            }
            if self.is_nonblocking() {
                return Err(would_block());
            }
            if !self.wait_readable(deadline) {
                return Err(timed_out(READ, timeout));
            }
        }
    }

    /// Returns `false` after the time-out.
    fn wait_readable(&self, deadline: Deadline) -> bool {
        let waited = self.shared.readable.while_waiting(|signal| match deadline.0 {
            Some(deadline) => signal.recv_deadline(deadline),
            None => signal.recv().map_err(|_| RecvTimeoutError::Disconnected),
        });
        match waited {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => true,
            Err(RecvTimeoutError::Timeout) => false,
        }
    }
}

impl<T: Transport> Clone for Socket<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), transport: PhantomData }
    }
}

impl<T: Transport> fmt::Debug for Socket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("shared", &self.shared).finish()
    }
}

pub(super) fn timed_out(what: &str, timeout: Option<Duration>) -> Error {
    Error::timeout(what, timeout.unwrap_or(Duration::MAX))
}

pub(super) fn would_block() -> Error {
    Error::Io(io::ErrorKind::WouldBlock.into())
}

impl Drop for Shared {
    /// Requests the close without waiting.
    fn drop(&mut self) {
        self.modem.driver.unwatch(self.id);
        self.modem.driver.submit(Request::Forget { socket: self.id });
    }
}
