use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::driver::Readable;
use crate::error::{CloseReason, Error, READ, Result, WRITE};
use crate::proto::{ChannelId, Command, Engine, Protocol, Request, Response, SocketId};
use crate::time::Timestamp;

use super::deadline::{DEFAULT_TIMEOUT, Deadline};
use super::fair_lock::{FairLock, Turn};
use super::remote::Remote;
use super::transport::{Tcp, Transport};
use super::{Modem, Received, unexpected};

/// An open connection of the module, like a [`std::net::TcpStream`]; over [TLS](super::TlsSocket) and [UDP](super::UdpSocket) what
/// these can't do is not there.
///
/// A handle: clones made by [`try_clone`](Self::try_clone) are the same socket, and every method takes `&self`, so one
/// thread can read while another writes. The last handle to go closes the socket without waiting, and what was written still goes
/// out, for at most 30 s; [`close`](Self::close) waits.
///
/// | call | its `Ok` says |
/// |---|---|
/// | [`send`](Self::send) | the module has the data |
/// | [`write`](std::io::Write::write), as of a `TcpStream` | they are taken; an error comes with the next call |
/// | [`flush`](std::io::Write::flush), [`wait_accepted`](Self::wait_accepted) | the module has all that was given |
/// | [`wait_acknowledged`](Socket::wait_acknowledged), on TCP | the peer has acknowledged it |
///
/// # Unlike a `TcpStream`
///
/// * Writes wait at most 120 s, unless [`set_write_timeout`](Self::set_write_timeout) says otherwise.
/// * [`flush`](std::io::Write::flush) waits for the module, and fails where data are lost or the socket did not end by the peer.
/// * The module knows no connection of which one direction has ended. Behind the peer's end, writes fail although the peer may
///   still read; the peer hears of a [`shutdown`](Self::shutdown) of writes when the socket is closed.
/// * A peer's reset reads as its close, unless the firmware tells them apart ([`CloseReason::Reset`]).
/// * [`local_addr`](Self::local_addr) has port 0, and [`peer_addr`](Self::peer_addr) is known behind the end, too.
/// * `read_vectored` fills the first buffer alone, and a read into an empty one never waits.
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
    timeouts: Mutex<Timeouts>,
    pub(super) turns: FairLock,
    pub(super) is_nonblocking: AtomicBool,
    pub(super) has_no_delay: AtomicBool,
    pub(super) no_more_reads: AtomicBool,
    pub(super) no_more_writes: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct Timeouts {
    read: Option<Duration>,
    write: Option<Duration>,
}

/// The time-out of a close: the module's own limit (30 s) and a margin for commands before it.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(40);
/// The most that is handed over at once; the rest of a longer send follows when the module has it.
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
                timeouts: Mutex::new(Timeouts { read: None, write: Some(DEFAULT_TIMEOUT) }),
                turns: FairLock::new(),
                is_nonblocking: AtomicBool::new(false),
                has_no_delay: AtomicBool::new(false),
                no_more_reads: AtomicBool::new(false),
                no_more_writes: AtomicBool::new(false),
            }),
            transport: PhantomData,
        }
    }

    /// Sends all of the data, any length (`c:send(data)`), behind what was written and queued before: returns when the module has
    /// accepted them. They may not have reached the peer then.
    ///
    /// Waits at most the [write time-out](Self::set_write_timeout), 120 s by default.
    ///
    /// # Errors
    /// [`Error::Timeout`], which says how many of the bytes the module had [accepted](Error::Timeout::accepted) by then.
    /// Behind them at most 1460 bytes may have been on their way to the module: they are still sent, and count in
    /// [`SocketStatistics::sent`](crate::statistics::SocketStatistics::sent), or the socket ends with the reason. Nothing behind those
    /// is sent.
    ///
    /// How the socket ended, if it did. On UDP, [`Error::InvalidInput`] for a datagram that is empty or longer than 1460
    /// bytes, and [`Error::Refused`] or [`Error::Timeout`] for one that the module did not accept: it is lost, and the
    /// socket goes on.
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

    /// Waits for data (`c:recv(timeout)`): all that has come, at least one byte. `None` waits for ever.
    ///
    /// # Errors
    /// How the socket ended, once everything that came before was read: [`Error::Closed`] with
    /// [`CloseReason::Peer`] if the peer closed it.
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

    /// All that has come (`c:asyncRecv()`); empty if nothing has.
    ///
    /// # Errors
    /// How the socket ended, once everything that came before was read.
    pub fn try_recv(&self) -> Result<Vec<u8>> {
        let id = self.shared.id;
        let mut data = Vec::new();
        self.look(|engine, now| {
            data.resize(engine.readable(id).0, 0);
            // With nothing to read, what matters is why.
            let into = if data.is_empty() { &mut [0][..] } else { &mut data[..] };
            engine.read(now, id, into).map(drop)
        })?;
        Ok(data)
    }

    /// Waits for data and copies them without taking them; zero at the end.
    ///
    /// # Errors
    /// [`Error::Timeout`] after the [read time-out](Self::set_read_timeout); how the socket ended, unless by the peer's
    /// close.
    pub fn peek(&self, buf: &mut [u8]) -> Result<usize> {
        let id = self.shared.id;
        // What was looked at can still be read: looking signals that.
        self.blocking_read(|| self.look(|engine, _| engine.peek(id, buf)))
    }

    /// Sets how long reads wait; `None`, the default: for ever.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for zero, as [`std::net::TcpStream::set_read_timeout`].
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.change_timeouts(timeout, |timeouts| &mut timeouts.read)
    }

    /// Sets how long writes wait; `None`: for ever. Default 120 s.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for zero, as [`std::net::TcpStream::set_write_timeout`].
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.change_timeouts(timeout, |timeouts| &mut timeouts.write)
    }

    /// The time-out of reads.
    ///
    /// # Errors
    /// None today; as [`std::net::TcpStream::read_timeout`].
    pub fn read_timeout(&self) -> Result<Option<Duration>> {
        Ok(self.timeouts().read)
    }

    /// The time-out of writes.
    ///
    /// # Errors
    /// None today; as [`std::net::TcpStream::write_timeout`].
    pub fn write_timeout(&self) -> Result<Option<Duration>> {
        Ok(self.write_span())
    }

    pub(super) fn write_span(&self) -> Option<Duration> {
        self.timeouts().write
    }

    /// Ends one direction or both for every handle of the socket.
    ///
    /// The module can't close half a connection: shutting down writes makes later writes fail here, and the peer learns
    /// of it when the socket is closed; the [heartbeat](Self::set_heartbeat) ends. Both directions: the connection is
    /// closed, without waiting.
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
            // A socket that has ended has no heartbeat anyhow.
            let _ = self.set_heartbeat(None);
        }
        #[cfg(feature = "async")]
        self.shared.modem.driver.wake_tasks(self.shared.id);
        if how == Shutdown::Both {
            self.shared.modem.driver.tell(Request::Close { socket: self.shared.id, timeout: CLOSE_TIMEOUT });
        }
        Ok(())
    }

    /// Closes the socket for every handle and waits until the module has done so (`c:close()`). What was
    /// [written](std::io::Write::write) goes out first, for at most 30 s, and what was sent or queued before it. What was only queued and
    /// is not with the module yet is lost: [`wait_accepted`](Self::wait_accepted) waits for it, and on TCP
    /// [`close_acknowledged`](Socket::close_acknowledged) for the peer, too.
    ///
    /// # Errors
    /// The reason why written data are lost, if no call was told.
    /// [`Error::Timeout`] after 40 s if the module does not answer; [`Error::PortLost`] if the port is gone, also when it
    /// goes meanwhile.
    pub fn close(self) -> Result<()> {
        self.close_within(CLOSE_TIMEOUT)
    }

    /// As [`close`](Self::close), and waits for at most `timeout`; the module closes it all the same.
    pub(super) fn close_within(&self, timeout: Duration) -> Result<()> {
        let request = Request::Close { socket: self.shared.id, timeout: timeout.min(CLOSE_TIMEOUT) };
        self.shared.modem.driver.call(request).map(drop)
    }

    /// Another handle of the same socket.
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

    /// Gets a signal when there is something to read or the socket has ended: for [`crossbeam_channel::select!`] over
    /// several sockets and other channels. After a signal, call [`try_recv`](Self::try_recv) until it returns no data. The
    /// first call may return none, if another handle has read before.
    pub fn readable(&self) -> &Receiver<()> {
        &self.shared.readable.signal
    }

    /// Reads into `buf`, waiting for the first byte; zero at the end.
    pub(super) fn read_waiting(&self, buf: &mut [u8]) -> Result<usize> {
        let id = self.shared.id;
        self.blocking_read(|| self.look(|engine, now| engine.read(now, id, buf)))
    }

    /// Hands over what one write takes, and waits until the module has it.
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

    /// Writes when it is this caller's turn. A time-out names the whole span, the wait for the turn included.
    pub(super) fn in_turn<R>(
        &self,
        timeout: Option<Duration>,
        write: impl FnOnce(&mut Turn<'_>, Deadline) -> Result<R>,
    ) -> Result<R> {
        let (began, deadline) = (Instant::now(), Deadline::after(timeout));
        let written = self.shared.turns.take(deadline).map(|mut turn| write(&mut turn, deadline));
        match written {
            // A datagram that was not confirmed.
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

    /// Whether such data can be sent on this socket at all.
    pub(super) fn check_write(&self, data: &[u8]) -> Result<()> {
        if self.shared.no_more_writes.load(Ordering::SeqCst) {
            return Err(Error::Closed(CloseReason::ShutDown));
        }
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

    pub(super) fn modem(&self) -> &Modem {
        &self.shared.modem
    }

    pub(super) fn socket_id(&self) -> SocketId {
        self.shared.id
    }

    /// Looks at what has come. If there is more to see afterwards, the next call that waits is woken.
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

    /// `false` when time is up.
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

    fn timeouts(&self) -> Timeouts {
        *self.shared.timeouts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change_timeouts(
        &self,
        timeout: Option<Duration>,
        which: impl FnOnce(&mut Timeouts) -> &mut Option<Duration>,
    ) -> Result<()> {
        if timeout == Some(Duration::ZERO) {
            return Err(Error::invalid("timeout", "is zero"));
        }
        *which(&mut self.shared.timeouts.lock().unwrap_or_else(PoisonError::into_inner)) = timeout;
        Ok(())
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
    /// Asks for the close and does not wait.
    fn drop(&mut self) {
        self.modem.driver.unwatch(self.id);
        self.modem.driver.tell(Request::Forget { socket: self.id });
    }
}
