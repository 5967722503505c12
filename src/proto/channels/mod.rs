//! All channels: what the application asks of them, and what it reads.

mod acknowledgements;
mod channel;
mod close;
mod damage;
mod fetch;
mod flush;
mod frame;
mod heartbeat;
mod heartbeats;
mod link;
mod open;
mod opening;
mod preparation;
mod pressure;
mod queue;
mod receive;
mod refused_sends;
mod scheduler;
mod security;
mod sends;
mod stream;
mod tls_setup;
mod tls_state;
mod turn;
mod unconfirmed;
mod unconfirmed_sends;
mod urcs;
mod window;

pub(super) use acknowledgements::Wanted;
pub(super) use channel::{End, too_long};
pub(super) use frame::{Fetched, Late};
pub use heartbeat::{Beat, HeartbeatFailure, HeartbeatStatistics, Pulse};
pub(super) use link::Remains;
pub(super) use opening::Opening;
pub(super) use stream::{Piece, StreamSocket};
pub(super) use unconfirmed::Acceptance;

use std::net::SocketAddr;
use std::time::Duration;

use channel::{Channel, Send};
use frame::{Receiving, Unproved};
use link::Link;
use queue::Queue;
use tls_state::Tls;

use crate::at::ChannelId;
use crate::config::{Config, ReceiveMode};
use crate::error::{CloseReason, Error};
use crate::proto::bearer::{BearerDoubt, Sign};
use crate::proto::outbox::Outbox;
use crate::proto::statistics::{Retired, SocketStatistics};
use crate::proto::{Response, SocketId, Ticket};
use crate::time::Timestamp;

/// The channels, and which of them is next.
#[derive(Debug)]
pub(in crate::proto) struct Channels {
    all: Vec<Channel>,
    /// How many of them the firmware offers.
    offered: usize,
    window: usize,
    queue_limit: usize,
    pub(in crate::proto) mode: ReceiveMode,
    poll: Duration,
    /// The channel whose turn it is.
    turn: usize,
    /// Connections that wait for a channel.
    queue: Queue,
    /// What is in flight, and for which channel.
    pub(in crate::proto) job: Option<(ChannelId, Job)>,
    /// The socket that the payload under way belongs to.
    receiving: Option<Receiving>,
    /// Pushed data of which all have come, before anything has followed.
    unproved: Option<Unproved>,
    /// What the fetch in flight has brought.
    pub(in crate::proto) fetched: Fetched,
    /// The channel whose fetch was refused last, or brought nothing, and when.
    refused_fetch: Option<(ChannelId, Timestamp)>,
    tls: Tls,
    /// How the module confirms a send.
    acceptance: Acceptance,
    baud_rate: u32,
    /// How often the module was asked about doubtful news without an answer.
    checks: u32,
    /// Whether the bearer may be gone, and the news of that lost.
    bearer: BearerDoubt,
    retired: Retired,
}

/// The work in flight for a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum Job {
    Prepare,
    Start,
    Send,
    Fetch,
    Acknowledgement,
    Close,
}

/// How long a late result of a connection that timed out may still come: the module gives up after 75 s (protocol
/// section 8; capture s04).
pub(in crate::proto) const STALE: Duration = Duration::from_secs(75);

impl Channels {
    pub(in crate::proto) fn new(config: &Config) -> Self {
        Self {
            all: ChannelId::all().map(Channel::new).collect(),
            offered: ChannelId::COUNT,
            window: config.receive_window,
            queue_limit: config.send_queue,
            mode: config.receive_mode,
            poll: config.receive_poll,
            turn: 0,
            queue: Queue::default(),
            job: None,
            receiving: None,
            unproved: None,
            fetched: Fetched::Nothing,
            refused_fetch: None,
            tls: Tls::new(config),
            acceptance: Acceptance::Quick,
            baud_rate: config.baud_rate,
            checks: 0,
            bearer: BearerDoubt::default(),
            retired: Retired::default(),
        }
    }

    /// The firmware offers this many channels. Connections that were asked for before it had said so, and got another
    /// one, wait for one of these.
    pub(in crate::proto) fn offer(&mut self, now: Timestamp, count: usize, out: &mut Outbox) {
        self.offered = count.clamp(1, ChannelId::COUNT);
        self.withdraw_beyond_offer(now, out);
    }

    pub(in crate::proto) fn channel(&mut self, id: ChannelId) -> &mut Channel {
        &mut self.all[id.index()]
    }

    /// A sign that the bearer may be gone.
    pub(in crate::proto) fn bearer_sign(&mut self, now: Timestamp, sign: Sign) {
        self.bearer.sign(now, sign);
    }

    /// Whether the module is to be asked for its bearer now, once.
    pub(in crate::proto) fn takes_bearer_question(&mut self, now: Timestamp) -> bool {
        self.bearer.take(now)
    }

    /// Whether `AT+CIPSTART` is in flight.
    pub(in crate::proto) fn is_starting(&self) -> bool {
        matches!(self.job, Some((_, Job::Start)))
    }

    /// Whether this channel's data are being fetched.
    pub(in crate::proto) fn is_fetching(&self, id: ChannelId) -> bool {
        self.job == Some((id, Job::Fetch))
    }

    /// Sets how the module confirms a send, when that is known.
    pub(in crate::proto) fn confirms_sends(&mut self, acceptance: Acceptance) {
        self.acceptance = acceptance;
    }

    /// The module has connections of an earlier session, which are to be closed before anything else is made there.
    pub(in crate::proto) fn found_in_use(&mut self, ids: &[ChannelId]) {
        for id in ids {
            let channel = self.channel(*id);
            if let Some(opening) = channel.link.withdrawn() {
                channel.socket = None;
                self.queue.0.push_front(opening);
            }
            self.channel(*id).link.found_in_use();
        }
    }

    /// Everything on the module is shut down: what was left to be closed is closed.
    pub(in crate::proto) fn shut_down(&mut self, out: &mut Outbox) {
        for id in ChannelId::all() {
            if self.channel(id).link.shut_down() {
                self.settle(id, out);
            }
        }
    }

    /// Puts data behind those that wait already.
    pub(in crate::proto) fn send(
        &mut self,
        now: Timestamp,
        id: SocketId,
        ticket: Ticket,
        data: Vec<u8>,
        timeout: Duration,
        out: &mut Outbox,
    ) {
        let channel = self.channel(id.channel);
        let (can_send, ended) = (channel.link.can_send(), channel.link.ended());
        match channel.socket_of(id) {
            Some(socket) if data.is_empty() && socket.window.has_borders() => {
                out.answer(ticket, Err(empty_datagram()));
            }
            _ if data.is_empty() => out.answer(ticket, Ok(Response::Sent { accepted: 0, data })),
            Some(socket) if !socket.carries(data.len()) => out.answer(ticket, Err(too_long("datagram"))),
            Some(socket) if can_send && socket.end.is_none() => {
                socket.push(Send::new(ticket, data, now, timeout), out);
            }
            Some(socket) => {
                // Without an end, but not up either: what the peer has sent is still being fetched.
                let error = socket.error().unwrap_or(Error::Closed(ended));
                out.answer(ticket, Err(error));
            }
            None => out.answer(ticket, Err(Error::Closed(CloseReason::Local))),
        }
    }

    /// Puts data behind those that wait already; no request waits for them, so there is a limit.
    pub(in crate::proto) fn queue(&mut self, id: SocketId, ticket: Ticket, data: Vec<u8>, out: &mut Outbox) {
        let limit = self.queue_limit;
        let channel = self.channel(id.channel);
        let (can_send, ended) = (channel.link.can_send(), channel.link.ended());
        let answer = match channel.socket_of(id) {
            Some(socket) if data.is_empty() && socket.window.has_borders() => Err(empty_datagram()),
            Some(socket) if !socket.carries(data.len()) => Err(too_long("datagram")),
            Some(socket) if can_send && socket.end.is_none() => {
                let room = limit.saturating_sub(socket.queued());
                if data.len() > room {
                    Err(Error::QueueFull { room })
                } else {
                    if !data.is_empty() {
                        socket.push(Send::queued(data), out);
                    }
                    Ok(Response::Done)
                }
            }
            Some(socket) => Err(socket.error().unwrap_or(Error::Closed(ended))),
            None => Err(Error::Closed(CloseReason::Local)),
        };
        out.answer(ticket, answer);
    }

    /// The number of a socket's bytes that the module does not have yet.
    pub(in crate::proto) fn queued(&mut self, id: SocketId) -> usize {
        self.channel(id.channel).socket_of(id).map_or(0, |socket| socket.queued())
    }

    /// The counters of a socket.
    pub(in crate::proto) fn statistics(&self, id: SocketId) -> Option<&SocketStatistics> {
        let channel = &self.all[id.channel.index()];
        let socket = channel.socket.as_ref().filter(|_| channel.socket_id() == id);
        socket.map(|socket| &socket.statistics).or_else(|| self.retired.of(id))
    }

    /// Reads what has come. The error says why nothing more will come; `None` means that nothing has come yet.
    pub(in crate::proto) fn read(
        &mut self,
        id: SocketId,
        buf: &mut [u8],
        keep: bool,
    ) -> Result<Option<usize>, Error> {
        let channel = self.channel(id.channel);
        let Some(socket) = channel.socket_of(id) else { return Err(Error::Closed(CloseReason::Local)) };
        if buf.is_empty() {
            return Ok(Some(0));
        }
        if socket.window.readable() > 0 {
            let count = if keep { socket.window.peek(buf) } else { socket.window.read(buf) };
            return Ok(Some(count));
        }
        match &socket.end {
            None => Ok(None),
            Some(end) => Err(end.error()),
        }
    }

    /// The sender of the datagram that is read next, as far as the firmware reports it.
    pub(in crate::proto) fn sender(&mut self, id: SocketId) -> Option<SocketAddr> {
        self.channel(id.channel).socket_of(id)?.window.sender()
    }

    /// The number of bytes that can be read, and whether the socket has ended.
    pub(in crate::proto) fn readable(&mut self, id: SocketId) -> (usize, bool) {
        match self.channel(id.channel).socket_of(id) {
            Some(socket) => (socket.window.readable(), socket.end.is_some()),
            None => (0, true),
        }
    }

    /// The connections that the module is making.
    pub(in crate::proto) fn pending(&self) -> impl Iterator<Item = ChannelId> {
        self.all.iter().filter(|channel| channel.link.is_connecting()).map(|channel| channel.id)
    }

    /// The channel whose connection was begun first, of those under way.
    pub(in crate::proto) fn connecting(&self) -> Option<ChannelId> {
        let connecting = self.all.iter().filter(|channel| matches!(channel.link, Link::Connecting(_)));
        let begun = connecting.filter_map(|channel| Some((channel.link.opening()?.started_at, channel.id)));
        begun.min().map(|(_, id)| id)
    }

    /// Until when the module may be making a connection; some firmware answers nothing else meanwhile, but gives up
    /// itself. A caller that has given up before changes nothing for the module.
    pub(in crate::proto) fn connecting_until(&self) -> Option<Timestamp> {
        self.all.iter().map(|channel| channel.making_until).max().filter(|until| *until > Timestamp::ZERO)
    }

    /// The module says that it has given up a connection, and nothing waits for one: that of a caller that has given up,
    /// if there is one.
    pub(in crate::proto) fn gave_up_connection(&mut self, now: Timestamp) -> bool {
        let left = |channel: &&mut Channel| channel.making_until > now && !channel.link.is_connecting();
        let made = self.all.iter_mut().filter(left);
        let Some(first) = made.min_by_key(|channel| channel.making_until) else { return false };
        first.making_until = Timestamp::ZERO;
        true
    }
}

/// The module has no way to send one: a length of zero is a send that Ctrl-Z ends.
fn empty_datagram() -> Error {
    Error::invalid("datagram", "is empty, and the module can't send one")
}
