//! A connection that is made again after each end, and reports the data that may be lost.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use log::Level;

use super::super::deadline::{DEFAULT_TIMEOUT, Deadline};
use super::super::fair_lock::FairLock;
use super::super::timeouts::not_zero;
use super::super::transport::Any;
use super::super::{Connector, Received, Socket};
use super::Supervisor;
use super::gap::Gap;
use super::reconnect_pause::ReconnectPause;
use super::reconnecting_state::{ConnectionState, ReconnectingState};
use super::sent_bytes::Sent;
use crate::driver::{LOG_TARGET, OneLine};
use crate::error::{CloseReason, DeliveryUnknown, Error, Result};

/// A connection that is made again after each end.
///
/// The peer sees a new connection each time, so each loss is reported to the application as a [`Gap`].
/// [`recv`](Self::recv) returns it between the data of the old and the new connection, after the new one was made. It
/// contains the sent bytes that the peer may lack.
///
/// The type is a handle: clones from [`try_clone`](Self::try_clone) refer to the same connection, so one thread can
/// receive while another sends. It implements [`Read`](std::io::Read) and [`Write`](std::io::Write), where a gap is an
/// error, once.
///
/// If the peer ends each connection at once, without a byte, there is a pause of 0.1 to 5 s before the next one.
///
/// On TCP the driver asks the module for the acknowledgements (`AT+CIPACK`) one second after each send, and again until
/// all data are acknowledged, with growing pauses up to 16 s. So a gap contains few bytes that the peer has.
pub struct ReconnectingSocket {
    shared: Arc<ReconnectingShared>,
}

struct ReconnectingShared {
    supervisor: Supervisor,
    connector: Connector<Any>,
    /// The reason why the data that the peer has received are unknown, if so.
    unknown: Option<DeliveryUnknown>,
    host: String,
    port: u16,
    state: Mutex<ReconnectingState>,
    /// One caller connects at a time.
    connecting: FairLock,
    /// One caller writes at a time, so that data are kept in the order in which they were sent.
    writing: FairLock,
    signal: Receiver<()>,
    sender: Sender<()>,
}

impl ReconnectingSocket {
    pub(super) fn new(
        supervisor: Supervisor,
        connector: Connector<Any>,
        unknown: Option<DeliveryUnknown>,
        host: String,
        port: u16,
    ) -> Self {
        let (sender, signal) = bounded(1);
        let state = ReconnectingState {
            connection: ConnectionState::New,
            sent: Sent::default(),
            unread: VecDeque::new(),
            count: 0,
            reported: 0,
            read_timeout: None,
            write_timeout: Some(DEFAULT_TIMEOUT),
            last_gap: None,
            pause: ReconnectPause::default(),
        };
        let (state, connecting, writing) = (Mutex::new(state), FairLock::new(), FairLock::new());
        let shared = ReconnectingShared {
            supervisor,
            connector,
            unknown,
            host,
            port,
            state,
            connecting,
            writing,
            signal,
            sender,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Waits for data or a gap. Makes a new connection if there is none.
    ///
    /// # Errors
    /// Errors that a new connection can't change, as for [`Supervisor::connect`]; with TLS also a step that the
    /// firmware refuses twice. [`Error::Closed`] after a [`close`](Self::close) of another handle.
    pub fn recv(&self, timeout: Duration) -> Result<Received<Infallible, Gap>> {
        self.receive(Deadline::after(Some(timeout)), timeout)
    }

    pub(super) fn receive(&self, deadline: Deadline, timeout: Duration) -> Result<Received<Infallible, Gap>> {
        loop {
            if let Some(unread) = self.lock().next_unread() {
                return Ok(unread);
            }
            let socket = match self.connected(deadline, timeout) {
                Ok(socket) => socket,
                Err(Error::Timeout { .. }) => return Ok(Received::Timeout),
                Err(error) => return Err(error),
            };
            if !self.lock().unread.is_empty() {
                continue;
            }
            let left = deadline.0.map(|_| deadline.left());
            match socket.recv(left) {
                Ok(Received::Data(data)) => return Ok(Received::Data(data)),
                Ok(Received::Timeout) => return Ok(Received::Timeout),
                Err(error) => self.lost(&socket, error, deadline, timeout)?,
            }
        }
    }

    /// Sends all of the data on the present connection, or on a new one. Returns when the module has accepted them. If
    /// the connection ends meanwhile, the data are part of its gap and are *not* sent again: the peer may have them,
    /// and only the application can decide.
    ///
    /// # Errors
    /// [`Error::Gap`] if the connection ended before the module had accepted all of the data, or earlier without a
    /// report; [`recv`](Self::recv) returns the gap. [`Error::Timeout`] if no connection could be made, or not all data
    /// were [accepted](Error::Timeout::accepted), in time; data in flight are part of the gap if the connection ends
    /// then. On UDP, the errors of [`Socket::send`] for a lost datagram. Errors that a new connection can't change.
    pub fn send(&self, data: &[u8], timeout: Duration) -> Result<()> {
        let deadline = Deadline::after(Some(timeout));
        let late = || Error::timeout("send", timeout);
        let _turn = self.shared.writing.take(deadline).ok_or_else(late)?;
        self.report_gap(data, deadline, timeout)?;
        let socket = self.connected(deadline, timeout)?;
        match self.settle(&socket, deadline) {
            Ok(()) => {}
            Err(Error::Timeout { .. }) => return Err(late()),
            Err(error) => {
                self.put_away(&socket, data);
                return self.interrupted(&socket, error, deadline, timeout);
            }
        }
        self.put_away(&socket, data);
        let before = socket.statistics().given;
        match socket.send_within(data, Some(deadline.left())) {
            Ok(()) => Ok(()),
            Err(error @ (Error::Timeout { .. } | Error::InvalidInput { .. } | Error::Refused { .. })) => {
                // The error shows the caller that the rest was not sent.
                let taken = socket.statistics().given.saturating_sub(before);
                let mut state = self.lock();
                if state.connection.is(&socket) {
                    state.sent.take_back(data.len().saturating_sub(taken as usize));
                }
                if let Error::Timeout { command, accepted, .. } = error {
                    state.sent.doubtful = taken.saturating_sub(accepted.into());
                    return Err(Error::Timeout { command, after: timeout, accepted });
                }
                Err(error)
            }
            Err(error) => self.interrupted(&socket, error, deadline, timeout),
        }
    }

    /// Accepts the data of one write. Data that were not accepted are no part of a gap.
    pub(super) fn write_some(&self, data: &[u8]) -> Result<usize> {
        let timeout = self.lock().write_timeout;
        let (deadline, span) = (Deadline::after(timeout), timeout.unwrap_or(Duration::MAX));
        if self.carries_datagrams() {
            return self.send(data, span).map(|()| data.len());
        }
        let late = || Error::timeout(crate::error::WRITE, span);
        let _turn = self.shared.writing.take(deadline).ok_or_else(late)?;
        self.report_gap(&[], deadline, span)?;
        let socket = self.connected(deadline, span)?;
        let taken =
            self.settle(&socket, deadline).and_then(|()| socket.write_within([data], deadline, timeout));
        match taken {
            Ok(taken) => {
                self.put_away(&socket, &data[..taken]);
                Ok(taken)
            }
            Err(Error::Timeout { .. }) => Err(late()),
            Err(error) => self.interrupted(&socket, error, deadline, span),
        }
    }

    /// Waits until the module has accepted the written data.
    pub(super) fn flush_some(&self) -> Result<()> {
        let timeout = self.lock().write_timeout;
        let (deadline, span) = (Deadline::after(timeout), timeout.unwrap_or(Duration::MAX));
        let Some(socket) = self.lock().connection.socket() else { return Ok(()) };
        match socket.drained_within(deadline.left()) {
            Ok(()) => Ok(()),
            Err(Error::Timeout { .. }) => Err(Error::timeout("flush", span)),
            Err(error) => self.interrupted(&socket, error, deadline, span),
        }
    }

    /// The connection ended before the data were sent.
    fn interrupted<T>(
        &self,
        socket: &Socket<Any>,
        error: Error,
        deadline: Deadline,
        timeout: Duration,
    ) -> Result<T> {
        self.lost(socket, error, deadline, timeout)?;
        let mut state = self.lock();
        state.reported = state.count;
        Err(Error::Gap { number: state.count })
    }

    /// Reports a gap before data are sent on the new connection. Otherwise a caller that does not know about the gap
    /// would send data that belong to the old connection. The data are part of the gap.
    fn report_gap(&self, data: &[u8], deadline: Deadline, timeout: Duration) -> Result<()> {
        let number = {
            let mut state = self.lock();
            if state.reported == state.count {
                return Ok(());
            }
            state.reported = state.count;
            if let Some(missing) = state.last_missing() {
                missing.extend(data);
            }
            state.count
        };
        match self.connected(deadline, timeout) {
            Ok(_) | Err(Error::Timeout { .. }) => Err(Error::Gap { number }),
            Err(error) => Err(error),
        }
    }

    /// Waits until the module has accepted or refused the data that were in flight when an earlier send timed out.
    fn settle(&self, socket: &Socket<Any>, deadline: Deadline) -> Result<()> {
        if self.lock().sent.doubtful == 0 {
            return Ok(());
        }
        socket.drained_within(deadline.left())?;
        let mut state = self.lock();
        if state.connection.is(socket) {
            state.sent.settle(socket);
        }
        Ok(())
    }

    /// Returns another handle of the same connection.
    ///
    /// # Errors
    /// None today; as [`std::net::TcpStream::try_clone`].
    pub fn try_clone(&self) -> Result<Self> {
        Ok(Self { shared: self.shared.clone() })
    }

    /// A channel that gets a signal when [`recv`](Self::recv) has something to return or the connection has ended, like
    /// [`Socket::readable`], for [`crossbeam_channel::select!`]. After a signal call [`recv`](Self::recv) with a short
    /// time-out until it times out. Without a connection there is no signal: a call with a longer time-out makes a
    /// connection.
    pub fn readable(&self) -> &Receiver<()> {
        &self.shared.signal
    }

    /// Sets the time-out of [`Read`](std::io::Read). `None`, the default, waits without a limit.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for zero.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.lock().read_timeout = not_zero(timeout)?;
        Ok(())
    }

    /// Sets the time-out of [`Write`](std::io::Write), which includes the wait for a connection. `None` waits without a
    /// limit. Default 120 s.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for zero.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.lock().write_timeout = not_zero(timeout)?;
        Ok(())
    }

    /// The gap that [`Read`](std::io::Read) has reported last.
    pub fn last_gap(&self) -> Option<Gap> {
        self.lock().last_gap.clone()
    }

    /// The number of gaps so far.
    pub fn gaps(&self) -> u64 {
        self.lock().count
    }

    /// Closes the connection, if there is one, for every handle, and waits like [`Socket::close`]. A call of another
    /// handle that makes the connection ends after its attempt or pause, and runs no further step of the ladder.
    ///
    /// # Errors
    /// As for [`Socket::close`].
    pub fn close(self) -> Result<()> {
        let connection = std::mem::replace(&mut self.lock().connection, ConnectionState::Closed);
        match connection {
            ConnectionState::Connected(socket) => socket.close(),
            ConnectionState::New | ConnectionState::Away { .. } | ConnectionState::Closed => Ok(()),
        }
    }

    pub(super) fn carries_datagrams(&self) -> bool {
        self.shared.connector.carries_datagrams()
    }

    pub(super) fn read_timeout(&self) -> Option<Duration> {
        self.lock().read_timeout
    }

    /// A read reports a gap.
    pub(super) fn gap_error(&self, gap: Gap) -> Error {
        let number = gap.number;
        self.lock().last_gap = Some(gap);
        Error::Gap { number }
    }

    /// Puts back the data that a read had no room for.
    pub(super) fn put_back(&self, data: Vec<u8>) {
        self.lock().unread.push_front(Received::Data(data));
        self.signal();
    }

    fn signal(&self) {
        // One waiting signal is enough.
        let _ = self.shared.sender.try_send(());
    }

    /// Returns the connection; makes one if there is none.
    fn connected(&self, deadline: Deadline, timeout: Duration) -> Result<Socket<Any>> {
        if let Some(socket) = self.standing()? {
            return Ok(socket);
        }
        let late = || Error::timeout("connect", timeout);
        let _turn = self.shared.connecting.take(deadline).ok_or_else(late)?;
        if let Some(socket) = self.standing()? {
            return Ok(socket);
        }
        let shared = &self.shared;
        let pause = self.lock().pause.left(Instant::now());
        if !shared.supervisor.pause(pause, deadline) {
            return Err(late());
        }
        let remote = (shared.host.as_str(), shared.port);
        let is_wanted = || !matches!(self.lock().connection, ConnectionState::Closed);
        let socket =
            shared.supervisor.connect_until(&shared.connector, remote, deadline, timeout, is_wanted)?;
        socket.also_signals(&shared.sender, shared.unknown.is_none());
        let mut state = self.lock();
        if matches!(state.connection, ConnectionState::Closed) {
            return Err(Error::Closed(CloseReason::Local));
        }
        if let Some(words) = state.stands(socket.clone()) {
            self.say(Level::Info, format_args!("{words}"));
            self.signal();
        }
        Ok(socket)
    }

    fn standing(&self) -> Result<Option<Socket<Any>>> {
        match &self.lock().connection {
            ConnectionState::Connected(socket) => Ok(Some(socket.clone())),
            ConnectionState::New | ConnectionState::Away { .. } => Ok(None),
            ConnectionState::Closed => Err(Error::Closed(CloseReason::Local)),
        }
    }

    /// The connection has ended: a gap begins, and a new connection is made if that succeeds in time.
    fn lost(&self, socket: &Socket<Any>, error: Error, deadline: Deadline, timeout: Duration) -> Result<()> {
        let is_closed = matches!(error, Error::PortLost(_)) && self.shared.supervisor.modem().is_closed();
        if is_closed || matches!(error, Error::InvalidInput { .. }) {
            return Err(error);
        }
        if self.begin_gap(socket, &error) {
            // The next connection may need this channel. If it can't be closed in time, it is closed later.
            drop(socket.close_within(deadline.left()));
            // Without a port nothing can be closed, and other threads may have handles.
            socket.abandon();
        }
        match self.connected(deadline, timeout) {
            // The next call continues.
            Ok(_) | Err(Error::Timeout { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn say(&self, level: Level, words: fmt::Arguments<'_>) {
        let ReconnectingShared { supervisor, host, port, .. } = &*self.shared;
        let name = supervisor.modem().driver.name();
        log::log!(target: LOG_TARGET, level, "{name}: {host}:{port}: {}", OneLine(words));
    }

    /// Begins a gap, unless another thread has done so. Received data can still be read.
    fn begin_gap(&self, socket: &Socket<Any>, error: &Error) -> bool {
        let mut state = self.lock();
        if !state.connection.is(socket) {
            return false;
        }
        while let Ok(data) = socket.try_recv()
            && !data.is_empty()
        {
            state.unread.push_back(Received::Data(data));
        }
        state.count += 1;
        self.say(Level::Warn, format_args!("gap {} begins: {error}", state.count));
        let since = Instant::now().checked_sub(socket.ended_for()).unwrap_or_else(Instant::now);
        state.pause.ended(since, socket.statistics().received > 0);
        let missing = std::mem::take(&mut state.sent).missing(socket, self.shared.unknown);
        state.connection = ConnectionState::Away { since, reason: error.to_string(), missing };
        true
    }

    /// The application sends these bytes on a connection. If that has ended meanwhile, they are part of its gap.
    fn put_away(&self, socket: &Socket<Any>, data: &[u8]) {
        let mut state = self.lock();
        let unknown = self.shared.unknown;
        if state.connection.is(socket) {
            state.sent.forget_acknowledged(socket);
            state.sent.put_away(data, unknown);
        } else if let Some(missing) = state.last_missing() {
            missing.extend(data);
        }
    }

    fn lock(&self) -> MutexGuard<'_, ReconnectingState> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ReconnectingSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("ReconnectingSocket")
            .field("host", &self.shared.host)
            .field("port", &self.shared.port)
            .field("socket", &state.connection.socket())
            .field("gaps", &state.count)
            .finish_non_exhaustive()
    }
}
