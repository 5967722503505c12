//! Data that are written without waiting, as to a `TcpStream`. They are sent together, and errors are returned by a
//! later call.
//!
//! | moment | effect |
//! |---|---|
//! | no send of the socket is in flight | the data are sent at once |
//! | a send is in flight | the data are appended to those that wait; the next send takes up to 1460 bytes of them |
//! | the buffer is full | the writer waits until half of it is free, or nothing can be sent any more |
//! | the socket ends | the next call returns the reason once; so does a close |
//! | the socket is closed | written data are sent first, for at most [`LEAVING`] |
//! | the peer has closed, and data of it are unread | data are accepted while the buffer has room, and are lost |

use std::time::Duration;

use crate::at::ChannelId;
use crate::error::{CloseReason, Error};
use crate::proto::outbox::Outbox;
use crate::proto::{Event, Response, SocketId, Ticket};
use crate::time::Timestamp;

use super::Channels;
use super::channel::{End, Origin, Send, Socket};
use super::link::Link;
use super::sends::push;
use super::written::{Joining, LeaveWaiter, PendingError};

/// The limit of written bytes of a socket that the module has not accepted yet. It is eleven full sends, so that the
/// line is busy while a writer waits for half of the buffer. A line of 115200 baud transfers them in 1.5 s.
const MAX_WRITTEN: usize = 16 * 1024;
/// The limit of waiting writes that must not be joined.
const MAX_APART: usize = 256;
/// How long the written data of a closed socket are still sent. A slow line transfers a full buffer in this time.
const LEAVING: Duration = Duration::from_secs(30);

impl Socket {
    /// True if it was closed and still sends written data.
    pub(super) fn is_leaving(&self) -> bool {
        self.end.is_none() && self.writes.leaves_until().is_some()
    }

    /// The error for a call that can't be served. If written data were lost and no call has returned the reason yet, it
    /// is that reason; otherwise the end of the socket. The error counts as returned.
    pub(super) fn report_error(&mut self) -> Option<Error> {
        self.writes.take_loss().or_else(|| self.error())
    }

    /// Like [`report_error`](Self::report_error), but `None` for an end that a call has returned before.
    fn takes_error(&mut self) -> Option<Error> {
        match self.writes.take_error() {
            PendingError::Nothing => None,
            PendingError::End => self.error(),
            PendingError::Lost(error) => Some(error),
        }
    }

    fn holds_written(&self) -> bool {
        self.sends.iter().any(|send| send.origin == Origin::Written)
    }

    fn written(&self) -> usize {
        let written = self.sends.iter().filter(|send| send.origin == Origin::Written);
        written.map(|send| send.data.len()).sum()
    }

    /// Accepts the bytes that there is room for. `None` if there is no room.
    fn take<'a>(
        &mut self,
        parts: impl IntoIterator<Item = &'a [u8]>,
        joining: Joining,
        out: &mut Outbox,
    ) -> Option<usize> {
        let room = MAX_WRITTEN.saturating_sub(self.written());
        if room == 0 || self.sends.len() >= MAX_APART {
            self.writes.writer_waits();
            return None;
        }
        // A request that waits for the data before it must not wait for later data.
        let may_join = joining == Joining::Joined && !self.delivery.awaits_acceptance();
        let last = self.sends.back_mut().filter(|send| may_join && send.origin == Origin::Written);
        let Some(last) = last else {
            let mut data = self.writes.buffer();
            let taken = fill(&mut data, parts, room);
            push(self, Send::written(data), out);
            return Some(taken);
        };
        let taken = fill(&mut last.data, parts, room);
        self.statistics.given += taken as u64;
        let queued = self.queued();
        out.count().queued(&mut self.statistics, queued);
        Some(taken)
    }

    /// The module has accepted a piece of the first send, which is a written one.
    pub(super) fn written_piece_is_over(&mut self, id: SocketId, out: &mut Outbox) {
        let Some(send) = self.sends.front_mut() else { return };
        send.data.drain(..send.accepted);
        send.accepted = 0;
        if send.data.is_empty()
            && let Some(send) = self.sends.pop_front()
        {
            self.writes.give_back(send.data);
        }
        self.signal_room(id, out);
    }

    /// Signals a waiting writer, if there is room again.
    pub(super) fn signal_room(&mut self, id: SocketId, out: &mut Outbox) {
        let has_room = self.written() <= MAX_WRITTEN / 2 && self.sends.len() < MAX_APART;
        if has_room && self.writes.take_waiting_writer() {
            out.writable(id);
        }
    }

    /// Signals a waiting writer that the socket has ended.
    pub(super) fn signal_writer(&mut self, id: SocketId, out: &mut Outbox) {
        if self.writes.take_waiting_writer() {
            out.writable(id);
        }
    }
}

impl Channels {
    /// Accepts data without waiting. Returns their number; `None` if there is no room.
    pub(in crate::proto) fn write<'a>(
        &mut self,
        id: SocketId,
        parts: impl IntoIterator<Item = &'a [u8]>,
        joining: Joining,
        out: &mut Outbox,
    ) -> Result<Option<usize>, Error> {
        let channel = self.channel(id.channel);
        let (can_send, ended) = (channel.link.can_send(), channel.link.ended());
        let drains = matches!(channel.link, Link::Draining(CloseReason::Peer));
        let Some(socket) = channel.socket_of(id) else { return Err(Error::Closed(CloseReason::Local)) };
        if socket.window.keeps_boundaries() {
            return Err(Error::invalid("socket", "carries datagrams, which are not written but sent"));
        }
        if can_send && socket.error().is_none() {
            return Ok(socket.take(parts, joining, out));
        }
        let is_over = socket.end == Some(End::Closed(CloseReason::Peer)) || drains;
        if is_over && (drains || socket.window.readable() > 0) {
            let len: usize = parts.into_iter().map(<[u8]>::len).sum();
            let len = socket.writes.accept_after_close(len, MAX_WRITTEN);
            if len > 0 {
                socket.writes.lost(Error::Closed(CloseReason::Peer));
                socket.statistics.given += len as u64;
                socket.statistics.unsent += len as u64;
                out.event(Event::Unsent(id, len));
                return Ok(Some(len));
            }
        }
        Err(socket.report_error().unwrap_or(Error::Closed(ended)))
    }

    /// True if the module has accepted all data.
    pub(in crate::proto) fn is_flushed(&mut self, id: SocketId) -> Result<bool, Error> {
        let Some(socket) = self.channel(id.channel).socket_of(id) else {
            return Err(Error::Closed(CloseReason::Local));
        };
        match socket.report_error() {
            Some(error) => Err(error),
            None => Ok(socket.is_drained()),
        }
    }

    /// The error that no call has returned yet.
    pub(in crate::proto) fn take_error(&mut self, id: SocketId) -> Option<Error> {
        self.channel(id.channel).socket_of(id)?.takes_error()
    }

    /// True if the socket is open in both directions.
    pub(in crate::proto) fn is_open(&mut self, id: SocketId) -> bool {
        let channel = self.channel(id.channel);
        let can_send = channel.link.can_send();
        channel.socket_of(id).is_some_and(|socket| can_send && socket.error().is_none())
    }

    /// Begins to send the rest of the written data of a closed socket. Later data are dropped. Returns false if no
    /// written data wait.
    pub(super) fn leave(
        &mut self,
        now: Timestamp,
        id: SocketId,
        is_forgotten: bool,
        out: &mut Outbox,
    ) -> bool {
        let channel = self.channel(id.channel);
        let is_up = matches!(channel.link, Link::Up);
        let Some(socket) = channel.socket_of(id) else { return false };
        if !is_up || socket.end.is_some() || !socket.holds_written() {
            return false;
        }
        socket.writes.linger(now + LEAVING, is_forgotten);
        socket.heartbeat = None;
        socket.signal_writer(id, out);
        let after =
            socket.sends.iter().rposition(|send| send.origin == Origin::Written).map_or(0, |at| at + 1);
        let left = socket.sends.split_off(after);
        let closed = || Error::Closed(CloseReason::Local);
        if let Some(first) = left.front() {
            out.answer_all(socket.delivery.not_accepted(first.number, &|_| closed()));
        }
        self.fail_these(id.channel, left, &closed, out);
        out.readable(id);
        true
    }

    /// Ends the closed sockets whose written data the module has accepted, or whose time has passed.
    pub(super) fn end_leaving(&mut self, now: Timestamp, out: &mut Outbox) {
        if self.leavers.is_empty() && !self.has_leaving() {
            return;
        }
        for id in ChannelId::all() {
            let Some(socket) = &mut self.channel(id).socket else { continue };
            let Some(until) = socket.writes.leaves_until().filter(|_| socket.end.is_none()) else { continue };
            let is_late = until <= now;
            if is_late && socket.closers.is_empty() {
                socket.writes.lost(Error::timeout("send", LEAVING));
            }
            // They don't wait for the module's close, which may take as long again.
            for closer in socket.closers.extract_if(.., |_| is_late) {
                out.answer(closer.ticket, Err(Error::timeout("send", now - closer.asked_at)));
            }
            if is_late || !socket.holds_written() {
                self.end(id, End::Closed(CloseReason::Local), out);
            }
        }
        self.answer_leavers(out);
        self.leavers.retain(|waiter| {
            let keep = waiter.deadline > now;
            if !keep {
                out.answer(waiter.ticket, Err(Error::timeout("send", waiter.timeout)));
            }
            keep
        });
    }

    /// Answers the requests that wait for closed sockets, if none is sending any more.
    pub(super) fn answer_leavers(&mut self, out: &mut Outbox) {
        if !self.leavers.is_empty() && !self.has_leaving() {
            for waiter in std::mem::take(&mut self.leavers) {
                out.answer(waiter.ticket, Ok(Response::Done));
            }
        }
    }

    /// True while a closed socket still sends written data.
    pub(in crate::proto) fn has_leaving(&self) -> bool {
        self.all.iter().filter_map(|channel| channel.socket.as_ref()).any(Socket::is_leaving)
    }

    /// A request that waits until no closed socket is sending any more.
    pub(in crate::proto) fn wait_left(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        timeout: Duration,
        out: &mut Outbox,
    ) {
        self.leavers.push(LeaveWaiter { ticket, deadline: now + timeout, timeout });
        self.end_leaving(now, out);
    }

    /// The first time-out of a closed socket, or of a request that waits for one.
    pub(super) fn leaving_deadline(&self) -> Timestamp {
        let sockets = self.all.iter().filter_map(|channel| channel.socket.as_ref());
        let linger =
            sockets.filter(|socket| socket.end.is_none()).filter_map(|socket| socket.writes.leaves_until());
        let waiting = self.leavers.iter().map(|waiter| waiter.deadline);
        linger.chain(waiting).min().unwrap_or(Timestamp::MAX)
    }
}

/// Appends at most `room` bytes. Returns their number.
fn fill<'a>(data: &mut Vec<u8>, parts: impl IntoIterator<Item = &'a [u8]>, room: usize) -> usize {
    let mut left = room;
    for part in parts {
        let len = part.len().min(left);
        data.extend_from_slice(&part[..len]);
        left -= len;
    }
    room - left
}
