use std::io;
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::connector::DEFAULT_TIMEOUT;
use super::{Modem, Received, unexpected};
use crate::driver::Readable;
use crate::error::{CloseReason, Error, Result};
use crate::proto::{ChannelId, Command, Protocol, Request, Response, SocketId};

/// An open connection of the module, like a [`std::net::TcpStream`].
///
/// A handle: clones made by [`try_clone`](Self::try_clone) are the same socket, and every method takes `&self`, so one
/// thread can read while another writes. The last handle to go closes the socket without waiting;
/// [`close`](Self::close) waits.
#[derive(Clone, Debug)]
pub struct Socket {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    modem: Modem,
    id: SocketId,
    protocol: Protocol,
    host: Box<str>,
    port: u16,
    readable: Readable,
    timeouts: Mutex<Timeouts>,
    /// Writers take turns, so that each one's data stay together; holds a buffer to be used again.
    writing: Mutex<Vec<u8>>,
    no_more_reads: AtomicBool,
    no_more_writes: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct Timeouts {
    read: Option<Duration>,
    write: Option<Duration>,
}

/// How long a close is waited for: the module's own limit (30 s) and a margin for commands before it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(40);
/// The most that is handed over at once; the rest of a longer send follows when the module has it.
const MAX_HANDED_OVER: usize = 64 * 1024;

impl Socket {
    pub(super) fn new(modem: Modem, id: SocketId, protocol: Protocol, host: &str, port: u16) -> Self {
        let readable = modem.driver.watch(id);
        Self {
            shared: Arc::new(Shared {
                modem,
                id,
                protocol,
                host: host.into(),
                port,
                readable,
                timeouts: Mutex::new(Timeouts { read: None, write: Some(DEFAULT_TIMEOUT) }),
                writing: Mutex::new(Vec::new()),
                no_more_reads: AtomicBool::new(false),
                no_more_writes: AtomicBool::new(false),
            }),
        }
    }

    /// Sends all of the data, any length (`c:send(data)`): returns when the module has accepted them. They may not have
    /// reached the peer then.
    ///
    /// Waits at most the [write time-out](Self::set_write_timeout), 120 s by default.
    ///
    /// # Errors
    /// [`Error::Timeout`], after which nobody knows how much was sent; how the socket ended, if it did.
    pub fn send(&self, data: &[u8]) -> Result<()> {
        let deadline = Deadline::after(self.timeouts().write);
        let mut buffer = self.shared.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = data;
        while !rest.is_empty() {
            rest = &rest[self.send_some(rest, deadline, &mut buffer)?..];
        }
        Ok(())
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
        let (waiting, _) = self.shared.modem.driver.with_engine(|engine, _| engine.readable(id));
        let mut data = vec![0; waiting.max(1)];
        let count = self.read_now(&mut data)?.unwrap_or(0);
        data.truncate(count);
        Ok(data)
    }

    /// Waits for data and copies them without taking them; zero at the end.
    ///
    /// # Errors
    /// [`Error::Timeout`] after the [read time-out](Self::set_read_timeout); how the socket ended, unless by the peer's
    /// close.
    pub fn peek(&self, buf: &mut [u8]) -> Result<usize> {
        let id = self.shared.id;
        let count = self
            .blocking_read(buf, |buf| self.shared.modem.driver.with_engine(|engine, _| engine.peek(id, buf)));
        // What was looked at can still be read.
        self.shared.readable.rearm();
        count
    }

    /// How long reads wait; `None`, the default: for ever.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for zero, as [`std::net::TcpStream::set_read_timeout`].
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.change_timeouts(timeout, |timeouts| &mut timeouts.read)
    }

    /// How long writes wait; `None`: for ever. Default 120 s.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for zero, as [`std::net::TcpStream::set_write_timeout`].
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.change_timeouts(timeout, |timeouts| &mut timeouts.write)
    }

    /// How long reads wait.
    pub fn read_timeout(&self) -> Option<Duration> {
        self.timeouts().read
    }

    /// How long writes wait.
    pub fn write_timeout(&self) -> Option<Duration> {
        self.timeouts().write
    }

    /// Ends one direction or both for every handle of the socket.
    ///
    /// The module can't close half a connection: shutting down writes makes later writes fail here, and the peer learns
    /// of it when the socket is closed. Both directions: the connection is closed, without waiting.
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
        }
        if how == Shutdown::Both {
            self.shared.modem.driver.tell(Request::Close { socket: self.shared.id, timeout: CLOSE_TIMEOUT });
        }
        Ok(())
    }

    /// Closes the socket for every handle and waits until the module has done so (`c:close()`).
    ///
    /// # Errors
    /// [`Error::Timeout`] if the module does not answer; [`Error::PortLost`].
    pub fn close(self) -> Result<()> {
        let request = Request::Close { socket: self.shared.id, timeout: CLOSE_TIMEOUT };
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

    /// Signals when there is something to read, or the end to see: for [`crossbeam_channel::select!`] over several sockets
    /// and other channels. After a signal, [`try_recv`](Self::try_recv) until it gives nothing; it may give nothing at
    /// once, when another handle was faster.
    pub fn readable(&self) -> &Receiver<()> {
        &self.shared.readable.signal
    }

    /// The peer's address.
    ///
    /// # Errors
    /// [`io::ErrorKind::AddrNotAvailable`] if the connection was made by name: the module resolves it, and
    /// [`peer_name`](Self::peer_name) has it.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self.shared.host.parse::<IpAddr>() {
            Ok(address) => Ok(SocketAddr::new(address, self.shared.port)),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::AddrNotAvailable,
                format!("{} was resolved by the module", self.shared.host),
            )),
        }
    }

    /// Name or address, and port, as the connection was asked for.
    pub fn peer_name(&self) -> (&str, u16) {
        (&self.shared.host, self.shared.port)
    }

    /// Reads into `buf`, waiting for the first byte; zero at the end.
    pub(super) fn read_waiting(&self, buf: &mut [u8]) -> Result<usize> {
        self.blocking_read(buf, |buf| self.read_now(buf))
    }

    /// Hands over what one write takes.
    pub(super) fn write_some(&self, data: &[u8]) -> Result<usize> {
        if data.is_empty() {
            return Ok(0);
        }
        let deadline = Deadline::after(self.timeouts().write);
        let mut buffer = self.shared.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.send_some(data, deadline, &mut buffer)
    }

    fn send_some(&self, data: &[u8], deadline: Deadline, buffer: &mut Vec<u8>) -> Result<usize> {
        if self.shared.no_more_writes.load(Ordering::SeqCst) {
            return Err(Error::Closed(CloseReason::ShutDown));
        }
        if self.shared.protocol == Protocol::Udp && data.len() > Command::MAX_CHUNK {
            return Err(Error::invalid(
                "datagram",
                format_args!("is longer than {} bytes", Command::MAX_CHUNK),
            ));
        }
        let mut request = std::mem::take(buffer);
        request.clear();
        request.extend_from_slice(&data[..data.len().min(MAX_HANDED_OVER)]);
        let request = Request::Send { socket: self.shared.id, data: request, timeout: deadline.left() };
        match self.shared.modem.driver.call(request)? {
            Response::Sent { accepted, data } => {
                *buffer = data;
                Ok(accepted)
            }
            other => Err(unexpected(&other)),
        }
    }

    fn read_now(&self, buf: &mut [u8]) -> Result<Option<usize>> {
        if self.shared.no_more_reads.load(Ordering::SeqCst) {
            self.shared.readable.rearm();
            return Err(Error::Closed(CloseReason::ShutDown));
        }
        let id = self.shared.id;
        let (read, more) = self.shared.modem.driver.with_engine(|engine, now| {
            let read = engine.read(now, id, buf);
            (read, engine.readable(id) != (0, false))
        });
        if more {
            // For the next read, and for others who wait.
            self.shared.readable.rearm();
        }
        read
    }

    fn blocking_read(
        &self,
        buf: &mut [u8],
        mut read: impl FnMut(&mut [u8]) -> Result<Option<usize>>,
    ) -> Result<usize> {
        let timeout = self.timeouts().read;
        let deadline = Deadline::after(timeout);
        loop {
            match read(buf) {
                Ok(Some(count)) => return Ok(count),
                Ok(None) => {}
                // The end of a stream is no error.
                Err(Error::Closed(CloseReason::Peer | CloseReason::ShutDown)) => return Ok(0),
                Err(error) => return Err(error),
            }
            if !self.wait_readable(deadline) {
                return Err(Error::Timeout { command: "read".into(), after: timeout.unwrap_or_default() });
            }
        }
    }

    /// `false` when time is up.
    fn wait_readable(&self, deadline: Deadline) -> bool {
        let signal = &self.shared.readable.signal;
        let waited = match deadline.0 {
            Some(deadline) => signal.recv_deadline(deadline),
            None => signal.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
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

impl Drop for Shared {
    /// Asks for the close and does not wait.
    fn drop(&mut self) {
        self.modem.driver.unwatch(self.id);
        self.modem.driver.tell(Request::Forget { socket: self.id });
    }
}

/// A moment by which a call ends; `None`: it may take for ever.
#[derive(Clone, Copy, Debug)]
struct Deadline(Option<Instant>);

impl Deadline {
    fn after(timeout: Option<Duration>) -> Self {
        // A time-out too long for the clock is for ever.
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    fn left(self) -> Duration {
        self.0.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
    }
}
