//! All channels: what the application asks of them, and what it reads.

use std::time::Duration;

use crate::at::{ChannelId, Protocol, Quotable, Refusal};
use crate::config::{Config, ReceiveMode};
use crate::error::{CloseReason, Error};
use crate::time::Timestamp;

use super::channel::{Channel, Closer, End, Send};
use super::link::{Link, Opening};
use super::outbox::Outbox;
use super::pressure::Pressure;
use super::receive::Receiving;
use super::tls::{Preparation, Tls};
use super::window::Window;
use super::{Event, Response, SocketId, Ticket};

/// The channels and who is next.
#[derive(Debug)]
pub(super) struct Channels {
    pub(super) all: Vec<Channel>,
    /// How many of them the firmware offers.
    offered: usize,
    window: usize,
    pub(super) mode: ReceiveMode,
    pub(super) poll: Duration,
    /// The channel whose turn it is.
    pub(super) turn: usize,
    /// What is in flight, and for whom.
    pub(super) job: Option<(ChannelId, Job)>,
    /// The socket that the payload under way belongs to.
    pub(super) receiving: Option<Receiving>,
    /// Whole frames that the fetch in flight has brought.
    pub(super) fetched: usize,
    pub(super) tls: Tls,
    /// How often the module was asked about doubtful news without an answer.
    pub(super) checks: u32,
}

/// What is in flight for a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Job {
    Prepare,
    Start,
    Send,
    Fetch,
    Acknowledgement,
    Close,
}

/// How long a late result of a connection that timed out may still come: the module gives up after 75 s (protocol
/// section 8; capture s04).
pub(super) const STALE: Duration = Duration::from_secs(75);

impl Channels {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            all: ChannelId::all().map(Channel::new).collect(),
            offered: ChannelId::COUNT,
            window: config.receive_window,
            mode: config.receive_mode,
            poll: config.receive_poll,
            turn: 0,
            job: None,
            receiving: None,
            fetched: 0,
            tls: Tls::new(config),
            checks: 0,
        }
    }

    /// The firmware offers this many channels.
    pub(super) fn offer(&mut self, count: usize) {
        self.offered = count.clamp(1, ChannelId::COUNT);
    }

    pub(super) fn channel(&mut self, id: ChannelId) -> &mut Channel {
        &mut self.all[id.index()]
    }

    /// Takes a free channel for a new connection.
    pub(super) fn connect(&mut self, now: Timestamp, opening: Opening, out: &mut Outbox) {
        let free = self.all.iter_mut().take(self.offered).filter(|channel| channel.is_free());
        match free.min_by_key(|channel| (channel.stale_until > now, channel.id)) {
            Some(channel) => {
                channel.occupy(match opening.protocol {
                    Protocol::Tcp => Window::stream(self.window),
                    Protocol::Udp => Window::datagrams(self.window),
                });
                channel.link = Link::Wanted(opening);
            }
            None => {
                if let Some(ticket) = opening.ticket {
                    out.answer(ticket, Err(Error::NoFreeChannel));
                }
            }
        }
    }

    /// Puts data behind those that wait already.
    pub(super) fn send(
        &mut self,
        now: Timestamp,
        id: SocketId,
        ticket: Ticket,
        data: Vec<u8>,
        timeout: Duration,
        out: &mut Outbox,
    ) {
        if data.is_empty() {
            out.answer(ticket, Ok(Response::Sent { accepted: 0, data }));
            return;
        }
        let channel = self.channel(id.channel);
        let can_send = channel.link.can_send();
        match channel.socket_of(id) {
            Some(socket) if can_send && socket.end.is_none() => {
                let deadline = now + timeout;
                socket.sends.push_back(Send { ticket, data, accepted: 0, in_flight: 0, deadline, timeout });
            }
            Some(socket) => {
                // Without an end, but not up either: the peer has closed, and what it sent is still being fetched.
                let error = socket.error().unwrap_or(Error::Closed(CloseReason::Peer));
                out.answer(ticket, Err(error));
            }
            None => out.answer(ticket, Err(Error::Closed(CloseReason::Local))),
        }
    }

    /// Ends a socket for the application, who may wait until the module has closed it too.
    pub(super) fn close(
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
        self.end(id.channel, End::Closed(CloseReason::Local), out);
        if let Some(socket) = self.channel(id.channel).socket_of(id) {
            socket.closers.push(Closer { ticket, deadline: now + timeout, timeout });
        }
        self.settle(id.channel, out);
    }

    /// Ends a socket whose handle is gone.
    pub(super) fn forget(&mut self, id: SocketId, out: &mut Outbox) {
        if self.channel(id.channel).socket_of(id).is_some() {
            self.end(id.channel, End::Closed(CloseReason::Local), out);
            self.channel(id.channel).socket = None;
        }
    }

    /// Ends the socket on a channel, if it has not ended, and has the link closed.
    pub(super) fn end(&mut self, id: ChannelId, end: End, out: &mut Outbox) {
        let channel = self.channel(id);
        let socket_id = channel.socket_id();
        channel.link.release();
        let Some(socket) = channel.open_socket() else { return };
        socket.end = Some(end);
        socket.waiting = false;
        socket.poll_at = Timestamp::MAX;
        socket.pressure = Pressure::None;
        socket.window.take_unfinished();
        self.fail_sends(id, &|| end.error(), out);
        out.event(Event::Closed(socket_id, end.reason()));
        out.readable(socket_id);
    }

    /// Nothing more can be sent on a channel.
    pub(super) fn fail_sends(&mut self, id: ChannelId, error: &dyn Fn() -> Error, out: &mut Outbox) {
        let Some(socket) = &mut self.channel(id).socket else { return };
        for send in std::mem::take(&mut socket.sends) {
            let Send { ticket, data, accepted, .. } = send;
            let answer = if accepted > 0 { Ok(Response::Sent { accepted, data }) } else { Err(error()) };
            out.answer(ticket, answer);
        }
    }

    /// Ends every socket and connection because the module holds nothing any more.
    pub(super) fn end_all(&mut self, end: End, out: &mut Outbox) {
        self.job = None;
        if end == End::Restarted {
            self.tls.forget();
        }
        for id in ChannelId::all() {
            if let Some(opening) = self.channel(id).link.take_opening(Link::Idle) {
                self.channel(id).socket = None;
                if let Some(ticket) = opening.ticket {
                    out.answer(ticket, Err(end.error()));
                }
            }
            self.end(id, end, out);
            self.channel(id).link = Link::Idle;
            self.settle(id, out);
        }
    }

    /// Tells those who wait for the close when the module holds nothing any more.
    pub(super) fn settle(&mut self, id: ChannelId, out: &mut Outbox) {
        let channel = self.channel(id);
        if !matches!(channel.link, Link::Idle) {
            return;
        }
        let Some(socket) = &mut channel.socket else { return };
        if socket.closers.is_empty() {
            return;
        }
        for closer in std::mem::take(&mut socket.closers) {
            out.answer(closer.ticket, Ok(Response::Closed));
        }
        channel.socket = None;
    }

    /// A connection could not be made.
    pub(super) fn fail_connect(&mut self, id: ChannelId, opening: Opening, error: Error, out: &mut Outbox) {
        self.channel(id).socket = None;
        if let Some(ticket) = opening.ticket {
            out.answer(ticket, Err(error));
        }
    }

    /// The module still holds the channel: the connection is tried once more, on another one.
    pub(super) fn retry_connect(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        mut opening: Opening,
        out: &mut Outbox,
    ) {
        if opening.retried {
            let error = opening.refused(Refusal::AlreadyConnect);
            self.fail_connect(id, opening, error, out);
            return;
        }
        self.channel(id).socket = None;
        opening.preparation.restart();
        self.connect(now, Opening { retried: true, ..opening }, out);
    }

    /// Reads what has come, or says why nothing more will; `None` if nothing has come yet.
    pub(super) fn read(&mut self, id: SocketId, buf: &mut [u8], keep: bool) -> Result<Option<usize>, Error> {
        let channel = self.channel(id.channel);
        let Some(socket) = channel.socket_of(id) else { return Err(Error::Closed(CloseReason::Local)) };
        if buf.is_empty() {
            return Ok(Some(0));
        }
        if socket.window.readable() > 0 {
            let count = if keep { socket.window.peek(buf) } else { socket.window.read(buf) };
            return Ok(Some(count));
        }
        match socket.end {
            None => Ok(None),
            Some(end) => Err(end.error()),
        }
    }

    /// How many bytes can be read, and whether the socket has ended.
    pub(super) fn readable(&mut self, id: SocketId) -> (usize, bool) {
        match self.channel(id.channel).socket_of(id) {
            Some(socket) => (socket.window.readable(), socket.end.is_some()),
            None => (0, true),
        }
    }

    /// Until when the module may be making a connection; some firmware answers nothing else meanwhile, but gives up
    /// itself.
    pub(super) fn connecting_until(&self) -> Option<Timestamp> {
        let connecting = self.all.iter().filter(|channel| channel.link.is_connecting());
        let openings = connecting.filter_map(|channel| channel.link.opening());
        openings.map(|opening| opening.deadline.min(opening.started_at + STALE)).max()
    }
}

impl Opening {
    pub(super) fn new(
        ticket: Ticket,
        protocol: Protocol,
        host: Quotable,
        port: u16,
        now: Timestamp,
        timeout: Duration,
    ) -> Self {
        Self {
            ticket: Some(ticket),
            protocol,
            host,
            port,
            deadline: now + timeout,
            timeout,
            started_at: now,
            retried: false,
            preparation: Preparation::plain(),
        }
    }
}
