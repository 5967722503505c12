//! Payload on its way to its socket.

// Numbers from outside can be anything: no arithmetic on them overflows, no cast cuts them.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use crate::at::{ChannelId, Header, HeaderKind, Protocol};
use crate::error::CloseReason;
use crate::time::Timestamp;

use super::channel::{Doubt, End};
use super::channels::{Channels, Job};
use super::link::Link;
use super::outbox::Outbox;
use super::{Event, SocketId};

/// Payload under way.
#[derive(Debug)]
pub(super) struct Receiving {
    socket: SocketId,
    len: usize,
    /// Whether anybody wants it: the socket may have ended, or be overrun.
    kept: bool,
    /// Whether it was asked for: then it can be read when the whole answer has come.
    fetched: bool,
}

impl Channels {
    /// A header announces payload.
    pub(super) fn begin_frame(&mut self, now: Timestamp, header: &Header, out: &mut Outbox) {
        let (id, left, from) = match header.kind {
            HeaderKind::Pushed { channel, from } => (channel, None, from),
            HeaderKind::Fetched { channel, left, from } => (channel, Some(left), from),
            HeaderKind::Single => return,
        };
        // What nobody asked for is the late answer of a fetch that timed out, perhaps of an earlier socket.
        let wanted = match left {
            Some(_) => self.job == Some((id, Job::Fetch)),
            None => !self.is_stray(now, id, header.len, out),
        };
        let channel = self.channel(id);
        let socket = channel.socket_id();
        let fits = channel.open_socket().filter(|_| wanted).map(|open| {
            if let Some(left) = left {
                open.waiting = left > 0;
            }
            open.window.begin_frame(from);
            open.window.room() >= header.len
        });
        if wanted && fits != Some(true) {
            self.overrun(id, header.len, out);
        }
        let (kept, fetched) = (fits == Some(true), left.is_some());
        self.receiving = Some(Receiving { socket, len: header.len, kept, fetched });
    }

    /// Whether data that the module pushes are no socket's: the connection of their channel is not confirmed, so they are
    /// an earlier one's, or nothing says whose they are.
    fn is_stray(&mut self, now: Timestamp, id: ChannelId, len: usize, out: &mut Outbox) -> bool {
        let channel = self.channel(id);
        match &channel.link {
            Link::Up | Link::Draining(_) | Link::Stream | Link::Used | Link::Closing => return false,
            Link::Idle | Link::Wanted(_) | Link::Preparing(_) | Link::Starting(_) | Link::Connecting(_) => {}
        }
        let is_connecting = channel.link.is_connecting();
        if let Some(opening) = channel.link.opening_mut().filter(|_| is_connecting)
            && opening.protocol == Protocol::Tcp
            && opening.strays.came(now)
        {
            channel.doubt.get_or_insert(Doubt::Standing);
        }
        out.event(Event::Stray(id, len));
        true
    }

    /// A piece of the payload.
    pub(super) fn piece(&mut self, now: Timestamp, bytes: &[u8], last: bool, out: &mut Outbox) {
        let Some(receiving) = &self.receiving else { return };
        let Receiving { socket: id, kept, fetched, .. } = *receiving;
        if last {
            self.receiving = None;
            self.fetched = self.fetched.saturating_add(usize::from(fetched && kept));
        }
        let Some(socket) =
            self.channel(id.channel).socket_of(id).filter(|socket| kept && socket.end.is_none())
        else {
            return;
        };
        socket.window.push(bytes);
        let unread = socket.window.held();
        out.statistics.unread(&mut socket.statistics, unread);
        if last && !fetched {
            let was_empty = socket.window.readable() == 0;
            let len = socket.window.finish_frame();
            // An empty datagram is a sign of life, too.
            if len > 0 || socket.window.has_borders() {
                socket.heard(now, len);
                out.event(Event::Received(id, len));
            }
            if was_empty && len > 0 {
                out.readable(id);
            }
        }
    }

    /// The rest of the payload does not come. The socket fails; what came may be text that followed a frame cut short,
    /// and is given back with the channel's number.
    pub(super) fn cut_short(&mut self, out: &mut Outbox) -> Option<(ChannelId, Vec<u8>)> {
        let receiving = self.receiving.take()?;
        let id = receiving.socket;
        let socket = self.channel(id.channel).socket_of(id).filter(|_| receiving.kept)?;
        let came = socket.window.take_unfinished();
        out.statistics.lost(&mut socket.statistics, receiving.len);
        if socket.window.has_borders() {
            // A lost datagram is no error.
            return Some((id.channel, came));
        }
        self.end(id.channel, End::Closed(CloseReason::Truncated { lost: receiving.len }), out);
        Some((id.channel, came))
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

    /// Data came that cannot be kept: the socket, and it alone, fails; data that still come are counted.
    fn overrun(&mut self, id: ChannelId, len: usize, out: &mut Outbox) {
        let lost = len as u64;
        if let Some(socket) = self.channel(id).open_socket() {
            out.statistics.lost(&mut socket.statistics, len);
            if socket.window.has_borders() {
                // A lost datagram is no error.
                return;
            }
            self.end(id, End::Overrun { lost }, out);
            return;
        }
        if let Some(socket) = &mut self.channel(id).socket
            && let Some(End::Overrun { lost: before }) = &mut socket.end
        {
            *before = before.saturating_add(lost);
            out.statistics.lost(&mut socket.statistics, len);
        }
    }
}
