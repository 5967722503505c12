//! The end of sockets and connections, and the requests that wait for it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::at::ChannelId;
use crate::error::{CloseReason, Error};
use crate::proto::outbox::Outbox;
use crate::proto::{Event, Response, SocketId, Ticket};
use crate::time::Timestamp;

use super::Channels;
use super::channel::{Closer, End, Origin, Send};
use super::frame::Fetched;
use super::link::{Link, ModuleSide};
use super::open::refuse_connect;

impl Channels {
    /// Ends a socket for the application. The request may wait until the module has closed the connection.
    pub(in crate::proto) fn close(
        &mut self,
        now: Timestamp,
        id: SocketId,
        ticket: Ticket,
        timeout: Duration,
        out: &mut Outbox,
    ) {
        let channel = self.channel(id.channel);
        if channel.socket_of(id).is_none() {
            out.answer(ticket, Ok(Response::Closed));
            return;
        }
        if !self.leave(now, id, false, out) {
            self.end(id.channel, End::Closed(CloseReason::Local), out);
        }
        self.channel(id.channel).close_is_asked_again();
        if let Some(socket) = self.channel(id.channel).socket_of(id) {
            socket.closers.push(Closer { ticket, asked_at: now, deadline: now + timeout, timeout });
        }
        self.settle(id.channel, out);
    }

    /// Ends a socket without handles. A close request that still waits fails, because the module has not confirmed the
    /// close, and the state of the socket is removed.
    pub(in crate::proto) fn forget(&mut self, now: Timestamp, id: SocketId, out: &mut Outbox) {
        self.retired.forget(id);
        if self.leave(now, id, true, out) {
            let socket = self.channel(id.channel).socket.as_mut();
            for closer in socket.into_iter().flat_map(|socket| std::mem::take(&mut socket.closers)) {
                out.answer(closer.ticket, Err(Error::Closed(CloseReason::Local)));
            }
        } else if self.channel(id.channel).socket_of(id).is_some() {
            self.end(id.channel, End::Closed(CloseReason::Local), out);
            let forgotten = self.channel(id.channel).socket.take();
            for closer in forgotten.into_iter().flat_map(|socket| socket.closers) {
                out.answer(closer.ticket, Err(Error::Closed(CloseReason::Local)));
            }
        }
    }

    /// Ends the socket on a channel, if it has not ended, and closes its link.
    pub(super) fn end(&mut self, id: ChannelId, end: End, out: &mut Outbox) {
        let channel = self.channel(id);
        let socket_id = channel.socket_id();
        let connecting = channel.link.take_ticket();
        channel.link.release();
        if connecting.is_some() {
            // The connection failed before it was made: the application has no handle.
            channel.socket = None;
            refuse_connect(connecting, end.error(), out);
            return;
        }
        let Some(socket) = channel.open_socket() else { return };
        socket.end = Some(end.clone());
        socket.waiting = false;
        socket.poll_at = Timestamp::MAX;
        socket.pressure.over();
        socket.window.take_unfinished();
        if !matches!(end, End::Closed(CloseReason::Local | CloseReason::Peer)) {
            socket.writes.ended();
        }
        let is_forgotten = socket.writes.is_forgotten();
        self.fail_sends(id, &|| end.error(), out);
        out.event(Event::Closed(socket_id, end.reason()));
        out.readable(socket_id);
        if is_forgotten {
            self.channel(id).socket = None;
        }
    }

    /// Nothing more can be sent on a channel.
    pub(super) fn fail_sends(&mut self, id: ChannelId, error: &dyn Fn() -> Error, out: &mut Outbox) {
        let socket_id = self.channel(id).socket_id();
        let Some(socket) = &mut self.channel(id).socket else { return };
        socket.signal_writer(socket_id, out);
        out.answer_all(socket.delivery.fail(error));
        let sends = std::mem::take(&mut socket.sends);
        self.fail_these(id, sends, error, out);
    }

    /// These data can't be sent on a channel.
    pub(super) fn fail_these(
        &mut self,
        id: ChannelId,
        sends: VecDeque<Send>,
        error: &dyn Fn() -> Error,
        out: &mut Outbox,
    ) {
        let socket_id = self.channel(id).socket_id();
        let Some(socket) = &mut self.channel(id).socket else { return };
        for send in sends {
            let Send { origin, data, accepted, .. } = send;
            match origin {
                Origin::Queued | Origin::Written => {
                    socket.statistics.unsent += (data.len() - accepted) as u64;
                    out.event(Event::Unsent(socket_id, data.len() - accepted));
                }
                Origin::Asked(ticket) if accepted > 0 => {
                    out.answer(ticket, Ok(Response::Sent { accepted, data }));
                }
                Origin::Asked(ticket) => out.answer(ticket, Err(error())),
            }
            if origin == Origin::Written {
                socket.writes.lost(error());
            }
        }
    }

    /// Ends every socket and connection, and the commands in flight for them. A close is confirmed if the module has no
    /// connection any more. Without a port it is never confirmed.
    pub(in crate::proto) fn end_all(
        &mut self,
        end: &End,
        module_side: ModuleSide,
        in_flight: Option<ChannelId>,
        out: &mut Outbox,
    ) {
        if let Some(id) = in_flight {
            self.fetched = Fetched::Nothing;
            if let Some(socket) = &mut self.channel(id).socket {
                socket.statistics.commands.abandoned += 1;
            }
        }
        self.bearer.settle();
        if *end == End::Restarted {
            self.tls.forget();
        }
        for id in ChannelId::all() {
            let channel = self.channel(id);
            // Nothing is left that a doubtful line could end.
            channel.doubt = None;
            channel.asked = None;
            if channel.link.opening().is_some() {
                channel.socket = None;
                refuse_connect(channel.link.take_ticket(), end.error(), out);
            }
            self.end(id, end.clone(), out);
            let channel = self.channel(id);
            channel.link.cut(module_side);
            channel.forget_refused_close();
            if module_side == ModuleSide::Released {
                channel.pending_connect = None;
            }
            if matches!(end, End::PortLost(_)) {
                self.fail_closers(id, end, out);
            } else {
                self.settle(id, out);
            }
        }
        self.refuse_queued(end, out);
        self.answer_leavers(out);
    }

    /// Answers the close requests when the module has no connection any more.
    pub(super) fn settle(&mut self, id: ChannelId, out: &mut Outbox) {
        let channel = self.channel(id);
        if !matches!(channel.link, Link::Idle) {
            return;
        }
        let Some(mut socket) = channel.socket.take_if(|socket| !socket.closers.is_empty()) else { return };
        for closer in socket.closers {
            // A waiting close returns the error that no call has returned yet.
            let answer = socket.writes.take_loss().map_or(Ok(Response::Closed), Err);
            out.answer(closer.ticket, answer);
        }
        let id = channel.socket_id();
        self.retired.keep(id, socket.statistics);
    }

    /// No close can be confirmed any more.
    fn fail_closers(&mut self, id: ChannelId, end: &End, out: &mut Outbox) {
        let closers = self.channel(id).socket.as_mut().map(|socket| std::mem::take(&mut socket.closers));
        for closer in closers.into_iter().flatten() {
            out.answer(closer.ticket, Err(end.error()));
        }
    }
}
