//! All channels: requests of the application, and reads.

mod acknowledgements;
mod channel;
mod channel_command;
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
mod pending_connect;
mod preparation;
mod pressure;
mod prompts;
mod question_pace;
mod queue;
mod receive;
mod refused_closes;
mod refused_sends;
mod scheduler;
mod security;
mod sends;
mod stream;
mod tls_setup;
mod tls_state;
mod unconfirmed;
mod unconfirmed_sends;
mod unproved_fetch;
mod urcs;
mod window;
mod writes;
mod written;

pub(super) use acknowledgements::WaitCondition;
pub(in crate::proto) use channel::End;
pub(super) use frame::LateFetch;
pub use heartbeat::{Beat, HeartbeatFailure, HeartbeatStatistics, Pulse};
pub(in crate::proto) use link::ModuleSide;
pub(super) use opening::Opening;
pub(in crate::proto) use stream::{Piece, StreamSocket};
pub(in crate::proto) use unconfirmed::Acceptance;
pub use written::Joining;

use std::time::Duration;

use channel::Channel;
use frame::{Fetched, Receiving, UnconfirmedFrame, UnprovedFetch};
use link::Link;
use prompts::Prompts;
use queue::Queue;
use tls_state::Tls;
use written::LeaveWaiter;

use crate::at::{ChannelId, ChannelNews};
use crate::config::{Config, ReceiveMode};
use crate::proto::SocketId;
use crate::proto::bearer::{BearerDoubt, Sign};
use crate::proto::outbox::Outbox;
use crate::proto::statistics::{RetiredStatistics, SocketStatistics};
use crate::time::Timestamp;

/// The channels, and the order in which they get their commands.
#[derive(Debug)]
pub(super) struct Channels {
    all: Vec<Channel>,
    /// The number of channels that the firmware offers.
    offered: usize,
    window: usize,
    queue_limit: usize,
    mode: ReceiveMode,
    poll: Duration,
    /// The channel that may write the next command.
    turn: usize,
    /// Connections that wait for a channel.
    queue: Queue,
    /// The socket that receives payload now.
    receiving: Option<Receiving>,
    /// Complete pushed data that no byte has followed yet.
    unconfirmed: Option<UnconfirmedFrame>,
    /// The data that came for the fetch in flight.
    fetched: Fetched,
    /// The channel of the last fetch that was refused or empty, and its moment.
    refused_fetch: Option<(ChannelId, Timestamp)>,
    /// The last fetch that was confirmed, until its `OK` is proved.
    unproved_fetch: Option<UnprovedFetch>,
    tls: Tls,
    /// How the module confirms a send.
    acceptance: Acceptance,
    /// How it asks for the payload of one.
    prompts: Prompts,
    baud_rate: u32,
    /// The number of the last question for the state of the channels.
    question: u32,
    /// When the next suspicion leads to a question. The text of people can raise one with each message.
    suspicion_at: Timestamp,
    /// The number of questions about doubtful lines without an answer.
    checks: u32,
    /// The signs that the bearer is lost without a report.
    bearer: BearerDoubt,
    retired: RetiredStatistics,
    /// The requests that wait until all closed sockets have sent their written data.
    leavers: Vec<LeaveWaiter>,
}

/// The span in which the late result of a timed-out connect may come. The module ends a connect after 75 s (protocol
/// section 8; capture s04).
pub(super) const STALE: Duration = Duration::from_secs(75);

impl Channels {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            all: ChannelId::all().map(Channel::new).collect(),
            offered: ChannelId::COUNT,
            window: config.receive_window,
            queue_limit: config.send_queue,
            mode: config.receive_mode,
            poll: config.receive_poll,
            turn: 0,
            queue: Queue::default(),
            receiving: None,
            unconfirmed: None,
            fetched: Fetched::Nothing,
            refused_fetch: None,
            unproved_fetch: None,
            tls: Tls::new(config),
            acceptance: Acceptance::Quick,
            prompts: Prompts::new(!config.send_prompt),
            baud_rate: config.baud_rate,
            question: 0,
            suspicion_at: Timestamp::ZERO,
            checks: 0,
            bearer: BearerDoubt::default(),
            retired: RetiredStatistics::default(),
            leavers: Vec::new(),
        }
    }

    /// Sets the number of channels that the firmware offers. Connections that were given another channel before wait
    /// for one of these.
    pub(super) fn offer(&mut self, now: Timestamp, count: usize, out: &mut Outbox) {
        self.offered = count.clamp(1, ChannelId::COUNT);
        self.withdraw_beyond_offer(now, out);
    }

    pub(in crate::proto) fn channel(&mut self, id: ChannelId) -> &mut Channel {
        &mut self.all[id.index()]
    }

    /// Notes a sign that the bearer may be lost.
    pub(super) fn bearer_sign(&mut self, now: Timestamp, sign: Sign) {
        self.bearer.sign(now, sign);
    }

    /// True if a question about the bearer is due; then it counts as asked.
    pub(super) fn takes_bearer_question(&mut self, now: Timestamp) -> bool {
        self.bearer.take(now)
    }

    /// Whether data can be sent on a channel.
    pub(super) fn can_send(&self, id: ChannelId) -> bool {
        self.all[id.index()].link.can_send()
    }

    /// Sets how the module confirms a send, when that is known.
    pub(super) fn confirms_sends(&mut self, acceptance: Acceptance) {
        self.acceptance = acceptance;
        self.prompts.counts(acceptance == Acceptance::Quick);
    }

    /// Bring-up has switched the prompt of sends on, if the firmware can.
    pub(super) fn prompt_is_written(&mut self) {
        self.prompts.begun();
    }

    /// The module has connections of an earlier session. They are closed before their channels are used.
    pub(super) fn found_in_use(&mut self, ids: &[ChannelId]) {
        for id in ids {
            let channel = self.channel(*id);
            if let Some(opening) = channel.link.withdrawn() {
                channel.socket = None;
                self.queue.0.push_front(opening);
            }
            self.channel(*id).link.found_in_use();
            self.channel(*id).may_have_connection();
        }
    }

    /// All connections of the module were shut down.
    pub(super) fn shut_down(&mut self, out: &mut Outbox) {
        for id in ChannelId::all() {
            if self.channel(id).link.shut_down() {
                self.settle(id, out);
            }
        }
    }

    /// The number of a socket's bytes that the module has not accepted yet.
    pub(super) fn queued(&mut self, id: SocketId) -> usize {
        self.channel(id.channel).socket_of(id).map_or(0, |socket| socket.queued())
    }

    /// The counters of a socket.
    pub(super) fn statistics(&self, id: SocketId) -> Option<&SocketStatistics> {
        let channel = &self.all[id.channel.index()];
        let socket = channel.socket.as_ref().filter(|_| channel.socket_id() == id);
        socket.map(|socket| &socket.statistics).or_else(|| self.retired.of(id))
    }

    /// The connections that the module is making.
    pub(super) fn pending(&self) -> impl Iterator<Item = ChannelId> {
        self.all.iter().filter(|channel| channel.link.is_connecting()).map(|channel| channel.id)
    }
}

/// The connections that the module may be making.
impl Channels {
    /// The moment until which the module may be making a connection. Some firmware answers nothing else meanwhile; it
    /// ends the attempt by itself.
    pub(super) fn connecting_until(&self) -> Option<Timestamp> {
        self.all
            .iter()
            .filter_map(|channel| channel.pending_connect)
            .map(|pending_connect| pending_connect.until)
            .max()
    }

    /// True if the module is making a connection, as far as it has reported. A doubtful line may have reported the
    /// result.
    pub(super) fn makes_connection(&self, now: Timestamp) -> bool {
        let is_made = |channel: &Channel| {
            channel.pending_connect.is_some_and(|pending_connect| pending_connect.is_on(now))
        };
        self.all.iter().any(|channel| channel.link.is_connecting() && is_made(channel))
    }

    /// The module has answered the `AT+CIPSTART` of a channel.
    fn making_accepted(&mut self, now: Timestamp, id: ChannelId) {
        if let Some(pending_connect) = &mut self.channel(id).pending_connect {
            pending_connect.begins(now);
        }
    }

    /// The module is not making a connection on the channel any more, and may begin the next one.
    fn making_settled(&mut self, now: Timestamp, id: ChannelId) {
        if self.channel(id).pending_connect.take().is_some_and(|pending_connect| pending_connect.is_on(now)) {
            let others = self.all.iter_mut().filter_map(|channel| channel.pending_connect.as_mut());
            others
                .filter(|pending_connect| pending_connect.is_on(now))
                .for_each(|pending_connect| pending_connect.begins(now));
        }
    }

    /// The module has ended an attempt without naming its channel: the one that was begun first. Returns `false` if
    /// there is none, or if its `AT+CIPSTART` is not answered yet, because the line is the answer then.
    pub(super) fn gave_up_first(&mut self, now: Timestamp, out: &mut Outbox) -> bool {
        let may_be_made = |channel: &&Channel| {
            channel.pending_connect.is_some_and(|pending_connect| pending_connect.is_on(now))
                || matches!(channel.link, Link::Connecting(_))
        };
        let made = self.all.iter().filter(may_be_made);
        let Some(first) =
            made.min_by_key(|channel| channel.pending_connect.map(|pending_connect| pending_connect.since))
        else {
            return false;
        };
        let id = first.id;
        let is_starting = matches!(first.link, Link::Starting(_));
        if matches!(first.link, Link::Connecting(_)) {
            self.news(now, id, ChannelNews::ConnectFail, out);
        } else if !is_starting {
            self.making_settled(now, id);
        }
        !is_starting
    }
}
