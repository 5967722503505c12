//! What comes on a channel unasked: payload, and news of connections.

use crate::at::{ChannelId, ChannelNews, Header, HeaderKind, Refusal};
use crate::config::ReceiveMode;
use crate::error::{CloseReason, Error};
use crate::time::Timestamp;

use super::channel::End;
use super::channels::Channels;
use super::link::Link;
use super::outbox::Outbox;
use super::{Event, Response, SocketId};

/// Payload under way.
#[derive(Debug)]
pub(super) struct Receiving {
    socket: SocketId,
    len: usize,
    /// Whether anybody wants it: the socket may have ended, or be overrun.
    kept: bool,
}

impl Channels {
    /// A header announces payload.
    pub(super) fn begin_frame(&mut self, header: &Header, out: &mut Outbox) {
        let (id, left) = match header.kind {
            HeaderKind::Pushed { channel, .. } => (channel, None),
            HeaderKind::Fetched { channel, left, .. } => (channel, Some(left)),
            HeaderKind::Single => return,
        };
        let channel = self.channel(id);
        let socket = channel.socket_id();
        let kept = match channel.open_socket() {
            Some(open) => {
                if let Some(left) = left {
                    open.waiting = left > 0;
                }
                open.window.room() >= header.len
            }
            None => false,
        };
        if !kept {
            self.overrun(id, header.len, out);
        }
        self.receiving = Some(Receiving { socket, len: header.len, kept });
    }

    /// A piece of the payload.
    pub(super) fn piece(&mut self, bytes: &[u8], last: bool, out: &mut Outbox) {
        let Some(receiving) = &self.receiving else { return };
        let (id, kept) = (receiving.socket, receiving.kept);
        if last {
            self.receiving = None;
        }
        let Some(socket) = self.channel(id.channel).socket_of(id).filter(|_| kept) else { return };
        socket.window.push(bytes);
        if last {
            let was_empty = socket.window.readable() == 0;
            socket.window.finish_frame();
            if was_empty && socket.window.readable() > 0 {
                out.readable(id);
            }
        }
    }

    /// The rest of the payload does not come. The socket fails; what came may be text that followed a frame cut short,
    /// and is given back.
    pub(super) fn cut_short(&mut self, out: &mut Outbox) -> Vec<u8> {
        let Some(receiving) = self.receiving.take() else { return Vec::new() };
        let id = receiving.socket;
        let Some(socket) = self.channel(id.channel).socket_of(id).filter(|_| receiving.kept) else {
            return Vec::new();
        };
        let came = socket.window.take_unfinished();
        self.end(id.channel, End::Closed(CloseReason::Truncated { lost: receiving.len }), out);
        came
    }

    /// Data wait in the module.
    pub(super) fn data_wait(&mut self, id: ChannelId) {
        let channel = self.channel(id);
        if channel.link.can_fetch()
            && let Some(socket) = channel.open_socket()
        {
            socket.waiting = true;
        }
    }

    /// News of a channel that answer nothing.
    pub(super) fn news(&mut self, now: Timestamp, id: ChannelId, news: ChannelNews, out: &mut Outbox) {
        match news {
            ChannelNews::ConnectOk => self.connected(now, id, out),
            ChannelNews::ConnectFail => self.connect_failed(id, out),
            ChannelNews::AlreadyConnect => {
                if let Some(opening) = self.channel(id).link.take_opening(Link::Used) {
                    self.retry_connect(now, id, opening, out);
                }
            }
            // Asked for, a close is answered in `Closing`; unasked, it is how a TLS peer's close is told (section 10).
            ChannelNews::Closed | ChannelNews::CloseOk => self.peer_closed(now, id, CloseReason::Peer, out),
            ChannelNews::TcpError(_) | ChannelNews::UdpError(_) => {
                self.peer_closed(now, id, CloseReason::Reset, out)
            }
            // Results of sends that nobody waits for any more.
            ChannelNews::SendOk | ChannelNews::SendFail | ChannelNews::DataAccept(_) => {}
        }
    }

    fn connected(&mut self, now: Timestamp, id: ChannelId, out: &mut Outbox) {
        let (mode, poll) = (self.mode, self.poll);
        let channel = self.channel(id);
        if matches!(channel.link, Link::Idle) {
            // A late success of a connection that was given up: it must not stay open.
            channel.link = Link::Used;
            return;
        }
        if !channel.link.is_connecting() {
            return;
        }
        let Some(opening) = channel.link.take_opening(Link::Up) else { return };
        let Some(ticket) = opening.ticket else {
            channel.link.release();
            return;
        };
        let socket_id = channel.socket_id();
        if let (ReceiveMode::Manual, Some(socket)) = (mode, channel.open_socket()) {
            socket.poll_at = now + poll;
        }
        out.event(Event::Connected(socket_id));
        out.answer(ticket, Ok(Response::Connected(socket_id)));
    }

    fn connect_failed(&mut self, id: ChannelId, out: &mut Outbox) {
        let channel = self.channel(id);
        if matches!(channel.link, Link::Connecting(_))
            && let Some(opening) = channel.link.take_opening(Link::Used)
        {
            self.fail_connect(id, opening, Error::ConnectFailed(Refusal::ConnectFail), out);
        }
    }

    fn peer_closed(&mut self, now: Timestamp, id: ChannelId, reason: CloseReason, out: &mut Outbox) {
        let manual = self.mode == ReceiveMode::Manual;
        let channel = self.channel(id);
        match &channel.link {
            Link::Up if manual && reason == CloseReason::Peer => {
                // The module may still hold data, and may still give them.
                channel.link = Link::Draining;
                if let Some(socket) = channel.open_socket() {
                    socket.poll_at = now;
                }
            }
            Link::Up => self.end(id, End::Closed(reason), out),
            Link::Connecting(_) => self.connect_failed(id, out),
            Link::Idle
            | Link::Wanted(_)
            | Link::Starting(_)
            | Link::Draining
            | Link::Used
            | Link::Closing => {}
        }
    }

    /// Data came that cannot be kept: the socket, and it alone, fails; data that still come are counted.
    fn overrun(&mut self, id: ChannelId, len: usize, out: &mut Outbox) {
        let lost = len as u64;
        if self.channel(id).open_socket().is_some() {
            self.end(id, End::Overrun { lost }, out);
            return;
        }
        if let Some(socket) = &mut self.channel(id).socket
            && let Some(End::Overrun { lost: before }) = &mut socket.end
        {
            *before += lost;
        }
    }
}
