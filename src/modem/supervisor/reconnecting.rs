//! A connection that comes back, and says what may have been lost meanwhile.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use super::super::deadline::Deadline;
use super::super::{Received, Socket};
use super::Supervisor;
use crate::error::{Error, Result};
use crate::proto::Protocol;

/// A TCP connection that is made anew whenever it ends, for whatever reason.
///
/// The peer sees a new connection each time, so the application must hear of it: every loss is a [`Gap`], which comes
/// from [`recv`](Self::recv) in its place between the data before and behind it, with the bytes that were sent and never
/// acknowledged.
pub struct ReconnectingSocket {
    supervisor: Supervisor,
    protocol: Protocol,
    host: String,
    port: u16,
    socket: Option<Socket>,
    /// Sent since the last moment at which everything was known to be acknowledged.
    sent: VecDeque<u8>,
    /// Bytes before those, that there was no room for.
    forgotten: u64,
    gaps: VecDeque<Gap>,
    count: u64,
}

/// An interruption.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Gap {
    /// Which one of this socket, from 1.
    pub number: u64,
    /// Why the connection ended, in words.
    pub reason: String,
    /// The last bytes that were sent and are not known to be acknowledged, in order. The peer may have any number of
    /// them, from the front.
    pub unacknowledged: Vec<u8>,
    /// How many bytes before those are not known to be acknowledged either: at most 256 KiB are kept.
    pub forgotten: u64,
    /// From the end until the new connection stood.
    pub lasted: Duration,
}

/// What [`ReconnectingSocket::recv`] came back with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Incoming {
    /// Data, at least one byte.
    Data(Vec<u8>),
    /// The connection had ended, and a new one stands.
    Gap(Gap),
    /// Nothing came in time, or no new connection could be made in time.
    Timeout,
}

/// How many sent bytes are kept for the next [`Gap`].
const MAX_KEPT: usize = 256 * 1024;
/// From here on the module is asked now and then what the peer has acknowledged.
const ASK_BEYOND: usize = 32 * 1024;

impl ReconnectingSocket {
    pub(super) fn new(supervisor: Supervisor, protocol: Protocol, host: String, port: u16) -> Self {
        Self {
            supervisor,
            protocol,
            host,
            port,
            socket: None,
            sent: VecDeque::new(),
            forgotten: 0,
            gaps: VecDeque::new(),
            count: 0,
        }
    }

    /// Waits for data or for news of a gap, making a new connection if there is none.
    ///
    /// # Errors
    /// What no new connection helps against: [`Error::InvalidInput`], [`Error::NoFreeChannel`], [`Error::PortLost`].
    pub fn recv(&mut self, timeout: Duration) -> Result<Incoming> {
        let deadline = Deadline::after(Some(timeout));
        loop {
            if let Some(gap) = self.gaps.pop_front() {
                return Ok(Incoming::Gap(gap));
            }
            let socket = match self.connected(deadline, timeout) {
                Ok(socket) => socket,
                Err(Error::Timeout { .. }) => return Ok(Incoming::Timeout),
                Err(error) => return Err(error),
            };
            match socket.recv(deadline.left()) {
                Ok(Received::Data(data)) => return Ok(Incoming::Data(data)),
                Ok(Received::Timeout) => return Ok(Incoming::Timeout),
                Err(error) => self.lost(error, deadline, timeout)?,
            }
        }
    }

    /// Sends all of the data on the connection that stands, or on a new one. If the connection ends meanwhile, the data
    /// are part of its gap and are *not* sent again: the peer may have them, and only the application knows what that
    /// means.
    ///
    /// # Errors
    /// [`Error::Timeout`] when no connection could be made, or not all was taken, in time; what no new connection helps
    /// against.
    pub fn send(&mut self, data: &[u8], timeout: Duration) -> Result<()> {
        let deadline = Deadline::after(Some(timeout));
        let socket = self.connected(deadline, timeout)?.clone();
        self.keep(data, &socket);
        // Zero is no time-out that a socket takes.
        socket.set_write_timeout(Some(deadline.left().max(Duration::from_millis(1))))?;
        match socket.send(data) {
            Ok(()) => Ok(()),
            Err(error @ Error::Timeout { .. }) => Err(error),
            Err(error) => self.lost(error, deadline, timeout),
        }
    }

    /// How many gaps there were.
    pub fn gaps(&self) -> u64 {
        self.count
    }

    /// Closes the connection, if there is one, politely.
    ///
    /// # Errors
    /// As for [`Socket::close`].
    pub fn close(mut self) -> Result<()> {
        self.socket.take().map_or(Ok(()), Socket::close)
    }

    /// The connection, made if need be.
    fn connected(&mut self, deadline: Deadline, timeout: Duration) -> Result<&Socket> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => self.supervisor.connect_until(self.protocol, &self.host, self.port, deadline, timeout)?,
        };
        Ok(self.socket.insert(socket))
    }

    /// The connection has ended: makes a new one, and a gap of what was between.
    fn lost(&mut self, error: Error, deadline: Deadline, timeout: Duration) -> Result<()> {
        if let Error::PortLost(_) | Error::InvalidInput { .. } = error {
            return Err(error);
        }
        let since = Instant::now();
        self.socket = None;
        self.count += 1;
        let gap = Gap {
            number: self.count,
            reason: error.to_string(),
            unacknowledged: std::mem::take(&mut self.sent).into(),
            forgotten: std::mem::take(&mut self.forgotten),
            lasted: Duration::ZERO,
        };
        let again = self.connected(deadline, timeout).map(drop);
        self.gaps.push_back(Gap { lasted: since.elapsed(), ..gap });
        match again {
            // The next call goes on trying.
            Err(Error::Timeout { .. }) => Ok(()),
            other => other,
        }
    }

    /// Keeps what is about to be sent, until it is known to be acknowledged.
    fn keep(&mut self, data: &[u8], socket: &Socket) {
        if self.sent.len() + data.len() > ASK_BEYOND
            && let Ok(left) = socket.unacknowledged()
        {
            let known = self.sent.len().saturating_sub(left as usize);
            self.sent.drain(..known);
            self.forgotten = 0;
        }
        self.sent.extend(data);
        let surplus = self.sent.len().saturating_sub(MAX_KEPT);
        self.sent.drain(..surplus);
        self.forgotten += surplus as u64;
    }
}

impl fmt::Debug for ReconnectingSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconnectingSocket")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("socket", &self.socket)
            .field("gaps", &self.count)
            .finish_non_exhaustive()
    }
}
