//! The socket of a transparent stream. It occupies a channel that the module does not use.

use crate::at::ChannelId;
use crate::error::{CloseReason, Error};
use crate::proto::outbox::Outbox;
use crate::proto::{Event, Response, SocketId, Ticket};
use crate::time::Timestamp;

use super::Channels;
use super::channel::{Channel, End};
use super::heartbeat::SocketHeartbeat;
use super::link::Link;
use super::window::Window;

/// The socket of the stream.
#[derive(Debug)]
pub(in crate::proto) enum StreamSocket {
    /// There is no socket: no stream, or one that is not connected yet.
    None,
    Open,
    Ended(End),
}

/// The next data of the stream's socket.
#[derive(Debug)]
pub(in crate::proto) struct Piece<'a> {
    pub(in crate::proto) bytes: &'a [u8],
    /// Whether more data follow at once.
    pub(in crate::proto) more: bool,
    /// Whether a heartbeat waits for its answer. These data may be the heartbeat.
    pub(in crate::proto) is_heartbeat: bool,
}

impl StreamSocket {
    pub(in crate::proto) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// The end of the socket, if it has ended.
    pub(in crate::proto) fn end(&self) -> Option<&End> {
        match self {
            Self::Ended(end) => Some(end),
            Self::None | Self::Open => None,
        }
    }
}

impl Channels {
    /// True if any socket is open or being opened: a transparent stream would end it.
    pub(in crate::proto) fn has_open_socket(&self) -> bool {
        let is_open = |channel: &Channel| channel.has_open_socket() || channel.link.opening().is_some();
        !self.queue.is_empty() || self.all.iter().any(is_open)
    }

    /// True if a channel is free for a stream.
    pub(in crate::proto) fn has_free(&self) -> bool {
        self.all.iter().any(Channel::is_free)
    }

    /// Gives the stream a free channel.
    pub(in crate::proto) fn occupy_for_stream(&mut self) {
        if let Some(channel) = self.all.iter_mut().find(|channel| channel.is_free()) {
            channel.link.stream_begins();
        }
    }

    /// Takes the channel back from the stream.
    pub(in crate::proto) fn vacate_stream(&mut self, out: &mut Outbox) {
        if let Some(id) = self.stream_id() {
            self.channel(id).link.stream_is_over();
            self.settle(id, out);
        }
    }

    /// The stream is connected: opens its socket.
    pub(in crate::proto) fn open_stream(&mut self, ticket: Ticket, out: &mut Outbox) {
        let window = Window::stream(self.window);
        let Some(id) = self.stream_id() else { return };
        let socket = self.channel(id).occupy(window);
        out.event(Event::Connected(socket));
        out.answer(ticket, Ok(Response::Connected(socket)));
    }

    /// Ends the socket of the stream.
    pub(in crate::proto) fn end_stream(&mut self, end: End, out: &mut Outbox) {
        if let Some(id) = self.stream_id() {
            self.end(id, end, out);
        }
    }

    /// The state of the stream's socket.
    pub(in crate::proto) fn stream_socket(&self) -> StreamSocket {
        let socket = self.stream_id().and_then(|id| self.all[id.index()].socket.as_ref());
        match socket.map(|socket| &socket.end) {
            None => StreamSocket::None,
            Some(None) => StreamSocket::Open,
            Some(Some(end)) => StreamSocket::Ended(end.clone()),
        }
    }

    /// The reason why this socket has no command mode, if it has none.
    pub(in crate::proto) fn has_no_modes(&mut self, id: SocketId) -> Option<Error> {
        let channel = self.channel(id.channel);
        let is_stream = matches!(channel.link, Link::Stream);
        match channel.socket_of(id) {
            Some(socket) => socket
                .error()
                .or_else(|| (!is_stream).then(|| Error::invalid("socket", "is no transparent stream"))),
            None => Some(Error::Closed(CloseReason::Local)),
        }
    }

    /// Payload for the socket. Payload that does not fit into the window ends the socket.
    pub(in crate::proto) fn stream_payload(&mut self, now: Timestamp, payload: &[u8], out: &mut Outbox) {
        let Some(id) = self.stream_id().filter(|_| !payload.is_empty()) else { return };
        let channel = self.channel(id);
        let socket_id = channel.socket_id();
        let Some(socket) = &mut channel.socket else { return };
        match &mut socket.end {
            None => {}
            Some(End::Overrun { lost }) => {
                *lost += payload.len() as u64;
                out.count().lost(&mut socket.statistics, payload.len());
                return;
            }
            Some(End::Closed(_) | End::Restarted | End::PortLost(_)) => return,
        }
        let (kept, lost) = payload.split_at(payload.len().min(socket.window.room()));
        let was_empty = socket.window.readable() == 0;
        socket.window.push(kept);
        out.count().unread(&mut socket.statistics, socket.window.held());
        let len = socket.window.finish_frame();
        if len > 0 {
            socket.received(now, len);
            out.event(Event::Received(socket_id, len));
            if was_empty {
                out.readable(socket_id);
            }
        }
        if !lost.is_empty() {
            out.count().lost(&mut socket.statistics, lost.len());
            self.end(id, End::Overrun { lost: lost.len() as u64 }, out);
        }
    }

    /// The data that are to be written next.
    pub(in crate::proto) fn stream_piece(&self) -> Option<Piece<'_>> {
        let channel = &self.all[self.stream_id()?.index()];
        let socket = channel.socket.as_ref().filter(|socket| socket.end.is_none())?;
        let send = socket.sends.front()?;
        Some(Piece {
            bytes: &send.data[send.accepted..],
            more: socket.sends.len() > 1,
            is_heartbeat: socket.heartbeat.as_ref().is_some_and(SocketHeartbeat::is_waiting),
        })
    }

    /// `len` bytes of them were written.
    pub(in crate::proto) fn write_stream(&mut self, now: Timestamp, len: usize, out: &mut Outbox) {
        let Some(id) = self.stream_id() else { return };
        let Some(send) = self.channel(id).open_socket().and_then(|socket| socket.sends.front()) else {
            return;
        };
        out.write(send.data[send.accepted..][..len].to_vec());
        self.piece_given(now, id, len, out);
    }

    fn stream_id(&self) -> Option<ChannelId> {
        self.all.iter().find(|channel| matches!(channel.link, Link::Stream)).map(|channel| channel.id)
    }
}
