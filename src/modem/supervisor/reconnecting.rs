//! A connection that comes back, and says what may have been lost meanwhile.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::time::{Duration, Instant};

use super::super::deadline::Deadline;
use super::super::transport::Any;
use super::super::{Connector, Received, Socket};
use super::Supervisor;
use crate::error::{DeliveryUnknown, Error, Result};

/// A connection that is made again whenever it ends, for whatever reason.
///
/// The peer sees a new connection each time, so the application must hear of it: every loss is a [`Gap`], which comes
/// from [`recv`](Self::recv) in its place between the data before and behind it, and says what the peer may lack of what
/// was sent.
pub struct ReconnectingSocket {
    supervisor: Supervisor,
    connector: Connector<Any>,
    /// Why it is unknown what the peer has received, where it is.
    unknown: Option<DeliveryUnknown>,
    host: String,
    port: u16,
    socket: Option<Socket<Any>>,
    /// How many bytes were sent on the connection.
    sent: u64,
    /// The last of them, as far as a gap may have to give them back.
    kept: VecDeque<u8>,
    /// How many of the very last were on their way when the time of their call was up: the module may not have them.
    doubtful: u64,
    gaps: VecDeque<Gap>,
    count: u64,
}

/// An interruption.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Gap {
    /// The number of this gap, counted for each socket from 1.
    pub number: u64,
    /// Why the connection ended, in words.
    pub reason: String,
    /// What the peer may not have received of what was sent before.
    pub missing: Missing,
    /// From the end until the new connection stood, or until the time of the call was up without one.
    pub lasted: Duration,
}

/// The data that a peer may not have received before a [`Gap`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Missing {
    /// TCP: what is not known to be acknowledged. Everything before it is.
    Unacknowledged {
        /// The last of it, in order, at most 256 KiB. The peer may have any number of these bytes, from the front.
        last: Vec<u8>,
        /// How many bytes before those are not known to be acknowledged either.
        before: u64,
    },
    /// UDP and TLS: it is unknown. Anything that was sent may be missing, from some byte on (TLS) or any datagram (UDP).
    Unknown {
        /// Why.
        why: DeliveryUnknown,
        /// How many bytes were sent on the connection that has ended.
        sent: u64,
    },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unacknowledged { last, before } => write!(f, "{} bytes", last.len() as u64 + before),
            Self::Unknown { why, sent } => write!(f, "any of {sent} bytes: {why}"),
        }
    }
}

/// How many sent bytes are kept for the next [`Gap`].
const MAX_KEPT: u64 = 256 * 1024;
/// From here on the module is asked now and then what the peer has acknowledged.
const ASK_BEYOND: usize = 32 * 1024;

impl ReconnectingSocket {
    pub(super) fn new(
        supervisor: Supervisor,
        connector: Connector<Any>,
        unknown: Option<DeliveryUnknown>,
        host: String,
        port: u16,
    ) -> Self {
        Self {
            supervisor,
            connector,
            unknown,
            host,
            port,
            socket: None,
            sent: 0,
            kept: VecDeque::new(),
            doubtful: 0,
            gaps: VecDeque::new(),
            count: 0,
        }
    }

    /// Waits for data or for news of a gap, making a new connection if there is none.
    ///
    /// # Errors
    /// The errors that a new connection can't mend, as for [`Supervisor::connect`]; with TLS also a step that the firmware
    /// refuses twice.
    pub fn recv(&mut self, timeout: Duration) -> Result<Received<Infallible, Gap>> {
        let deadline = Deadline::after(Some(timeout));
        loop {
            if let Some(gap) = self.gaps.pop_front() {
                return Ok(Received::Gap(gap));
            }
            let socket = match self.connected(deadline, timeout) {
                Ok(socket) => socket,
                Err(Error::Timeout { .. }) => return Ok(Received::Timeout),
                Err(error) => return Err(error),
            };
            match socket.recv(deadline.left()) {
                Ok(Received::Data(data)) => return Ok(Received::Data(data)),
                Ok(Received::Timeout) => return Ok(Received::Timeout),
                Err(error) => self.lost(error, deadline, timeout)?,
            }
        }
    }

    /// Sends all of the data on the connection that stands, or on a new one; returns when the module has accepted them.
    /// If the connection ends meanwhile, the data are part of its gap and are *not* sent again: the peer may have them, and
    /// only the application knows what that means.
    ///
    /// # Errors
    /// [`Error::Gap`] when the connection ended before the module had accepted all of the data: [`recv`](Self::recv) gives
    /// the gap, and the socket goes on, by then on a new connection if one could be made in time.
    /// [`Error::Timeout`] when no connection could be made, or not all was [accepted](Error::Timeout::accepted), in time:
    /// as of [`Socket::send`], and what was on its way then is part of the gap if the connection ends. On UDP, the
    /// errors of [`Socket::send`] for a datagram that is lost. The errors that a new connection can't mend.
    pub fn send(&mut self, data: &[u8], timeout: Duration) -> Result<()> {
        let deadline = Deadline::after(Some(timeout));
        let socket = self.connected(deadline, timeout)?.clone();
        match self.settle(&socket, deadline) {
            Ok(()) => {}
            Err(Error::Timeout { .. }) => return Err(Error::timeout("send", timeout)),
            Err(error) => {
                self.put_away(data);
                return self.interrupted(socket, error, deadline, timeout);
            }
        }
        self.keep(data, &socket, deadline);
        let before = socket.statistics().given;
        // Zero is no time-out that a socket takes.
        socket.set_write_timeout(Some(deadline.left().max(Duration::from_millis(1))))?;
        match socket.send(data) {
            Ok(()) => Ok(()),
            Err(error @ (Error::Timeout { .. } | Error::InvalidInput { .. } | Error::Refused { .. })) => {
                // The caller knows that the rest is not on its way.
                let taken = socket.statistics().given.saturating_sub(before);
                self.take_back(data.len().saturating_sub(taken as usize));
                if let Error::Timeout { command, accepted, .. } = error {
                    self.doubtful = taken.saturating_sub(accepted.into());
                    return Err(Error::Timeout { command, after: timeout, accepted });
                }
                Err(error)
            }
            Err(error) => self.interrupted(socket, error, deadline, timeout),
        }
    }

    /// The connection has ended while data were to be sent. A handle that is left would keep its channel, which others may wait for.
    fn interrupted(
        &mut self,
        handle: Socket<Any>,
        error: Error,
        deadline: Deadline,
        timeout: Duration,
    ) -> Result<()> {
        drop(handle);
        self.lost(error, deadline, timeout)?;
        Err(Error::Gap { number: self.count })
    }

    /// Waits until it is known what the module has of the data that were on their way when an earlier send gave up.
    fn settle(&mut self, socket: &Socket<Any>, deadline: Deadline) -> Result<()> {
        if self.doubtful == 0 {
            return Ok(());
        }
        socket.drained_within(deadline.left())?;
        let refused = self.sent.saturating_sub(socket.statistics().given).min(self.doubtful);
        self.take_back(refused as usize);
        self.doubtful = 0;
        Ok(())
    }

    /// The number of gaps so far.
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
    fn connected(&mut self, deadline: Deadline, timeout: Duration) -> Result<&Socket<Any>> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => {
                (self.sent, self.kept, self.doubtful) = (0, VecDeque::new(), 0);
                self.supervisor.connect_until(
                    &self.connector,
                    (self.host.as_str(), self.port),
                    deadline,
                    timeout,
                )?
            }
        };
        Ok(self.socket.insert(socket))
    }

    /// The connection has ended: makes a new one, and a gap of what was between.
    fn lost(&mut self, error: Error, deadline: Deadline, timeout: Duration) -> Result<()> {
        let is_closed = matches!(error, Error::PortLost(_)) && self.supervisor.modem().is_closed();
        if is_closed || matches!(error, Error::InvalidInput { .. }) {
            return Err(error);
        }
        let since = Instant::now();
        let missing = self.missing();
        if let Some(socket) = self.socket.take() {
            // The next connection may need this very channel. One that can't be closed in time is closed later.
            drop(socket.close_within(deadline.left()));
        }
        self.count += 1;
        let reason = error.to_string();
        let gap = Gap { number: self.count, reason, missing, lasted: Duration::ZERO };
        let again = self.connected(deadline, timeout).map(drop);
        self.gaps.push_back(Gap { lasted: since.elapsed(), ..gap });
        match again {
            // The next call goes on trying.
            Err(Error::Timeout { .. }) => Ok(()),
            other => other,
        }
    }

    /// The data that the peer may not have received on the connection that has just ended.
    fn missing(&mut self) -> Missing {
        if let Some(why) = self.unknown {
            return Missing::Unknown { why, sent: self.sent };
        }
        let known = self.socket.as_ref().map_or(0, |socket| socket.statistics().acknowledged);
        let unacknowledged = self.sent.saturating_sub(known);
        self.forget_beyond(unacknowledged);
        let last = Vec::from(std::mem::take(&mut self.kept));
        let before = unacknowledged.saturating_sub(last.len() as u64);
        Missing::Unacknowledged { last, before }
    }

    /// Keeps what is about to be sent, until it is known to be acknowledged.
    fn keep(&mut self, data: &[u8], socket: &Socket<Any>, deadline: Deadline) {
        if self.unknown.is_none()
            && self.kept.len() + data.len() > ASK_BEYOND
            && let Ok(left) = socket.unacknowledged_within(deadline.left())
        {
            self.forget_beyond(left.into());
        }
        self.put_away(data);
    }

    /// The application has given these bytes.
    fn put_away(&mut self, data: &[u8]) {
        self.sent += data.len() as u64;
        if self.unknown.is_some() {
            return;
        }
        self.kept.extend(&data[data.len().saturating_sub(MAX_KEPT as usize)..]);
        self.forget_beyond(MAX_KEPT);
    }

    /// Keeps at most `count` of the last bytes.
    fn forget_beyond(&mut self, count: u64) {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.kept.drain(..self.kept.len().saturating_sub(count));
    }

    /// `count` of the last bytes were not sent after all.
    fn take_back(&mut self, count: usize) {
        self.sent -= count as u64;
        self.kept.truncate(self.kept.len().saturating_sub(count));
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
