use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::pending::Pending;
use super::write_turn::NextTurn;
use crate::driver::TaskKey;
use crate::error::{CloseReason, Error, Result};
use crate::modem::deadline::Deadline;
use crate::modem::socket::{CLOSE_TIMEOUT, MAX_HANDED_OVER, timed_out};
use crate::modem::transport::{Stream, Tcp, Transport, Udp};
use crate::modem::{Socket, ToRemote, unexpected};
use crate::proto::{Engine, Joining, Request, Response};
use crate::time::Timestamp;

/// An open connection of the module for code that is `async`; the future form of [`Socket`]. Feature `async`.
///
/// The type is a handle, like [`Socket`]: clones refer to the same socket, and most methods take `&self`, so one task
/// can receive while another sends. Dropping the last handle closes the socket without waiting.
///
/// On TCP and TLS it implements `AsyncRead` and `AsyncWrite` of the crates `futures-io` (feature `futures-io`) and
/// `tokio` (feature `tokio`). A read returns the available bytes. A write accepts data as that of a [`Socket`] does:
/// they are sent later, and an error is returned by the next call or by a flush. A close or shutdown by these traits
/// flushes and ends writes, like [`Socket::shutdown`]: the module can't close half a connection, so the peer notices it
/// when the socket is closed.
///
/// [Read time-outs](Socket::set_read_timeout) have no effect here. A future can be dropped instead; no data are lost.
pub struct AsyncSocket<T: Transport = Tcp> {
    socket: Socket<T>,
    key: TaskKey,
    /// A flush that was begun.
    flush: Option<Pending>,
}

impl<T: Transport> AsyncSocket<T> {
    /// The same socket for code that blocks. It has the methods without a future: addresses, statistics, heartbeats.
    pub fn blocking(&self) -> &Socket<T> {
        &self.socket
    }

    /// Waits for data, and returns all that came, at least one byte. A future that is dropped before it is ready has
    /// taken no data.
    ///
    /// # Errors
    /// The reason why the socket ended, after all of its data were read: [`Error::Closed`] with [`CloseReason::Peer`]
    /// if the peer closed it.
    pub async fn recv(&self) -> Result<Vec<u8>> {
        let id = self.socket.socket_id();
        self.looks(|engine, now| {
            let mut data = vec![0; engine.readable(id).0];
            // With nothing to read, the call returns the reason.
            let into = if data.is_empty() { &mut [0][..] } else { &mut data[..] };
            Ok(engine.read(now, id, into)?.map(|_| data))
        })
        .await
    }

    /// Sends all of the data, of any length ([`Socket::send`]). The future is ready when the module has accepted them.
    /// It takes at most the [write time-out](Socket::set_write_timeout), 120 s by default, in addition to the time of
    /// earlier sends.
    ///
    /// If the future is dropped before it is ready, the number of sent bytes is unknown, as with `write_all` of tokio.
    /// The data that the driver has accepted by then, at most 64 KiB, are still sent in order;
    /// [`Event::Sent`](crate::Event::Sent) or [`Event::Unsent`](crate::Event::Unsent) reports their result. The rest is
    /// not sent.
    ///
    /// # Errors
    /// As for [`Socket::send`].
    pub async fn send(&self, data: &[u8]) -> Result<()> {
        self.socket.check_write(data)?;
        if data.is_empty() {
            return Ok(());
        }
        let _turn = NextTurn::of(&self.socket.shared.turns).await;
        let timeout = self.socket.write_span();
        let deadline = Deadline::after(timeout);
        let mut sent = 0;
        while sent < data.len() {
            self.socket.check_write(&data[sent..])?;
            let rest = &data[sent..];
            let piece = rest[..rest.len().min(MAX_HANDED_OVER)].to_vec();
            let request =
                Request::Send { socket: self.socket.socket_id(), data: piece, timeout: deadline.left() };
            match self.asks(request).await {
                Ok(Response::Sent { accepted, .. }) => sent += accepted,
                Ok(other) => return Err(unexpected(&other)),
                Err(Error::Timeout { command, after, .. }) => {
                    let after = if deadline.left().is_zero() { timeout.unwrap_or(after) } else { after };
                    let accepted = u32::try_from(sent).unwrap_or(u32::MAX);
                    return Err(Error::Timeout { command, after, accepted });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits until the module has accepted or refused all data that were sent, written and queued
    /// ([`Socket::wait_accepted`]).
    ///
    /// # Errors
    /// As for [`Socket::wait_accepted`].
    pub async fn wait_accepted(&self) -> Result<()> {
        let timeout = self.socket.write_span().unwrap_or(Duration::MAX);
        self.asks(Request::Drain { socket: self.socket.socket_id(), timeout }).await.map(drop)
    }

    /// Closes the socket for every handle and waits until the module has closed it ([`Socket::close`]). The module
    /// closes it even if the future is dropped.
    ///
    /// # Errors
    /// As for [`Socket::close`].
    pub async fn close(self) -> Result<()> {
        self.asks(Request::Close { socket: self.socket.socket_id(), timeout: CLOSE_TIMEOUT }).await.map(drop)
    }

    fn asks(&self, request: Request) -> Pending {
        Pending::ask(self.socket.modem(), request)
    }

    /// Waits until `look` returns a value.
    async fn looks<R>(&self, mut look: impl FnMut(&mut Engine, Timestamp) -> Result<Option<R>>) -> Result<R> {
        // Each future has its own key, because several futures of one handle may wait.
        let waiter = Waiter { socket: &self.socket, key: TaskKey::new() };
        poll_fn(|cx| poll_look(waiter.socket, waiter.key, cx, &mut look)).await
    }
}

impl AsyncSocket<Tcp> {
    /// Waits until the peer has acknowledged all data that were sent ([`Socket::wait_acknowledged`]).
    ///
    /// # Errors
    /// As for [`Socket::wait_acknowledged`].
    pub async fn wait_acknowledged(&self) -> Result<()> {
        let timeout = self.socket.write_span().unwrap_or(Duration::MAX);
        self.asks(Request::Flush { socket: self.socket.socket_id(), timeout }).await.map(drop)
    }
}

impl AsyncSocket<Udp> {
    /// Sends a datagram to the peer, by its name or its address ([`Socket::send_to`]).
    ///
    /// # Errors
    /// As for [`Socket::send_to`].
    pub async fn send_to(&self, data: &[u8], peer: impl ToRemote) -> Result<()> {
        self.socket.check_peer(peer)?;
        self.send(data).await
    }

    /// Waits for a datagram and copies it into `buf`. Returns the number of bytes, and the sender if the firmware
    /// reports it ([`Socket::recv_from`]). A future that is dropped before it is ready has taken no datagram.
    ///
    /// # Errors
    /// The reason why the socket ended.
    pub async fn recv_from(&self, buf: &mut [u8]) -> Result<(usize, Option<SocketAddr>)> {
        let id = self.socket.socket_id();
        let look = |engine: &mut Engine, now| {
            let from = engine.sender(id);
            Ok(engine.read(now, id, buf)?.map(|count| (count, from)))
        };
        match self.looks(look).await {
            Err(Error::Closed(CloseReason::Peer | CloseReason::ShutDown)) => Ok((0, None)),
            other => other,
        }
    }
}

/// The functions that the traits of a stream use.
#[allow(dead_code, reason = "each trait is a feature")]
impl<T: Stream> AsyncSocket<T> {
    pub(in crate::modem) fn poll_read(&self, cx: &Context<'_>, buf: &mut [u8]) -> Poll<Result<usize>> {
        let id = self.socket.socket_id();
        let look = |engine: &mut Engine, now| engine.read(now, id, buf);
        Poll::Ready(match ready!(poll_look(&self.socket, self.key, cx, look)) {
            // The end of a stream is no error.
            Err(Error::Closed(CloseReason::Peer | CloseReason::ShutDown)) => Ok(0),
            other => other,
        })
    }

    pub(in crate::modem) fn poll_write<'a>(
        &mut self,
        cx: &Context<'_>,
        parts: impl IntoIterator<Item = &'a [u8]> + Clone,
    ) -> Poll<Result<usize>> {
        if parts.clone().into_iter().all(<[u8]>::is_empty) {
            return Poll::Ready(Ok(0));
        }
        // A flush that was begun does not include the data of this write.
        self.flush = None;
        let shared = &self.socket.shared;
        self.socket.check_writable()?;
        // A send in progress ends first.
        let turn = ready!(shared.turns.poll_take(self.key, cx));
        let joining = if self.socket.nodelay()? { Joining::Apart } else { Joining::Joined };
        let polled = shared.modem.driver.poll_write(shared.id, self.key, cx, parts, joining);
        drop(turn);
        if polled.is_pending() {
            // The socket may have been shut down between the check and the registration of the waker.
            self.socket.check_writable()?;
        }
        polled
    }

    pub(in crate::modem) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let id = self.socket.socket_id();
        let flush = match &mut self.flush {
            Some(flush) => flush,
            None => {
                if self.socket.is_flushed()? {
                    return Poll::Ready(Ok(()));
                }
                let modem = self.socket.modem();
                let timeout = self.socket.write_span().unwrap_or(Duration::MAX);
                self.flush.insert(Pending::ask(modem, Request::Drain { socket: id, timeout }))
            }
        };
        let result = ready!(Pin::new(flush).poll(cx));
        self.flush = None;
        Poll::Ready(match result {
            Err(Error::Timeout { .. }) => Err(timed_out("flush", self.socket.write_span())),
            other => other.map(drop),
        })
    }

    /// Flushes, and ends writes.
    pub(in crate::modem) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if !self.socket.shared.no_more_writes.load(Ordering::SeqCst) {
            match ready!(self.poll_flush(cx)) {
                // The socket has ended already.
                Err(Error::Closed(CloseReason::Peer | CloseReason::Local)) | Ok(()) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(self.socket.shutdown(std::net::Shutdown::Write))
    }
}

/// Runs a function that reads the socket. If there is nothing to read, the task is woken when data come.
fn poll_look<T: Transport, R>(
    socket: &Socket<T>,
    key: TaskKey,
    cx: &Context<'_>,
    look: impl FnOnce(&mut Engine, Timestamp) -> Result<Option<R>>,
) -> Poll<Result<R>> {
    let shared = &socket.shared;
    let mut more = false;
    let polled = shared.modem.driver.poll_read(shared.id, key, cx, |engine, now| {
        // This is checked under the lock. A shutdown sets the flag and then wakes the tasks.
        if shared.no_more_reads.load(Ordering::SeqCst) {
            more = true;
            return Err(Error::Closed(CloseReason::ShutDown));
        }
        let result = look(engine, now);
        more = engine.readable(shared.id) != (0, false);
        result
    });
    if more {
        // The signal for waiting calls.
        shared.readable.rearm();
    }
    polled
}

/// A future that waits on a socket.
struct Waiter<'a, T: Transport> {
    socket: &'a Socket<T>,
    key: TaskKey,
}

impl<T: Transport> Drop for Waiter<'_, T> {
    fn drop(&mut self) {
        self.socket.modem().driver.quit(self.socket.socket_id(), self.key);
    }
}

impl<T: Transport> Clone for AsyncSocket<T> {
    fn clone(&self) -> Self {
        self.socket.clone().into()
    }
}

impl<T: Transport> From<Socket<T>> for AsyncSocket<T> {
    fn from(socket: Socket<T>) -> Self {
        Self { socket, key: TaskKey::new(), flush: None }
    }
}

impl<T: Transport> fmt::Debug for AsyncSocket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncSocket").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl<T: Transport> Drop for AsyncSocket<T> {
    fn drop(&mut self) {
        self.socket.modem().driver.quit(self.socket.socket_id(), self.key);
        self.socket.shared.turns.quit(self.key);
    }
}
