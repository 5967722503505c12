//! Keeping a silent connection alive.

use std::time::Duration;

use crate::at::ChannelId;
use crate::error::{CloseReason, Error};
use crate::time::Timestamp;

use super::channel::{End, Send, Socket};
use super::channels::Channels;
use super::engine::Engine;
use super::outbox::Outbox;
use super::{Command, Event, Output, Response, SocketId, Ticket};

/// When a heartbeat is sent, and what is made of its answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pulse {
    /// After this span without traffic either way; at least [`Pulse::MIN_SPAN`].
    pub every: Duration,
    /// What is sent, at least one byte; `None`: the shell is asked each time ([`Output::Beat`]) and answers with
    /// [`Request::Beat`](super::Request::Beat); until then it is not asked again.
    pub payload: Option<Vec<u8>>,
    /// How many heartbeats in a row may stay without any data from the peer before the socket ends with
    /// [`CloseReason::HeartbeatLost`]; `None`: no answer is expected.
    pub max_missed: Option<u32>,
}

/// A heartbeat whose words the shell makes up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Beat {
    /// Its number, as [`Output::Beat`] told it.
    pub count: u64,
    /// What it says; empty: nothing this time. `None`: what makes up the words has failed, so the heartbeat ends.
    pub words: Option<Vec<u8>>,
}

/// Why a heartbeat was not sent. It counts neither as sent nor as missed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HeartbeatFailure {
    /// The function that makes up its words panicked: this socket has no heartbeat any more.
    Panicked,
    /// Its words are longer than a datagram; the next heartbeat is due a span later.
    TooLong {
        /// How many bytes they are.
        len: usize,
    },
    /// Its words do not fit into the [send queue](crate::Config::send_queue); the next heartbeat is due a span later.
    QueueFull {
        /// How many bytes they are.
        len: usize,
        /// How many bytes would have fitted.
        room: usize,
    },
}

/// What has become of the heartbeats of a socket.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct HeartbeatStatistics {
    /// How many were handed over to be sent.
    pub sent: u64,
    /// How many were followed by data from the peer before the next one.
    pub answered: u64,
    /// How many in a row were not, up to now.
    pub missed: u32,
    /// From heartbeat to data, the last time.
    pub last_round_trip: Option<Duration>,
    /// The shortest.
    pub min_round_trip: Option<Duration>,
    /// The longest.
    pub max_round_trip: Option<Duration>,
}

/// The heartbeat of one socket.
#[derive(Debug)]
pub(super) struct Heart {
    pulse: Pulse,
    /// The last traffic either way.
    traffic_at: Timestamp,
    awaited: Awaited,
    /// How many were due, which is the number of the latest.
    count: u64,
    statistics: HeartbeatStatistics,
}

/// What the latest heartbeat waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Awaited {
    /// Nothing: there was none, it was answered, or it was not sent.
    Nothing,
    /// Its words, from the shell.
    Words,
    /// Data from the peer, since then.
    Data(Timestamp),
}

impl Pulse {
    /// The shortest span between heartbeats. A heartbeat is there for minutes of silence; 100 a second of each socket are
    /// what the line and a processor bear beside other work. A shorter one is refused.
    pub const MIN_SPAN: Duration = Duration::from_millis(10);

    /// A heartbeat of fixed bytes after `every` of silence, without expecting an answer.
    pub fn new(every: Duration, payload: impl Into<Vec<u8>>) -> Self {
        Self { every, payload: Some(payload.into()), max_missed: None }
    }

    /// Whether it can be the heartbeat of such a socket.
    fn check(&self, socket: &Socket) -> Result<(), Error> {
        let invalid = |why: std::fmt::Arguments<'_>| Err(Error::invalid("heartbeat", why));
        if self.every < Self::MIN_SPAN {
            return invalid(format_args!("has less than {:?} between its beats", Self::MIN_SPAN));
        }
        match &self.payload {
            Some(payload) if payload.is_empty() => invalid(format_args!("says nothing")),
            Some(payload) if !socket.carries(payload.len()) => Err(too_long("heartbeat")),
            Some(_) | None => Ok(()),
        }
    }
}

impl Socket {
    /// Whether `len` bytes can be sent at once: a datagram can't be cut.
    pub(super) fn carries(&self, len: usize) -> bool {
        !self.window.has_borders() || len <= Command::MAX_CHUNK
    }
}

/// What is said of a datagram that can't be sent.
pub(super) fn too_long(what: &'static str) -> Error {
    Error::invalid(what, format_args!("is longer than {} bytes", Command::MAX_CHUNK))
}

impl Heart {
    pub(super) fn new(now: Timestamp, pulse: Pulse) -> Self {
        let statistics = HeartbeatStatistics::default();
        Self { pulse, traffic_at: now, awaited: Awaited::Nothing, count: 0, statistics }
    }

    pub(super) fn due_at(&self) -> Timestamp {
        self.traffic_at + self.pulse.every
    }

    /// Whether a heartbeat has had no answer yet.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.awaited, Awaited::Data(_))
    }

    /// The module has taken data.
    pub(super) fn sent(&mut self, now: Timestamp) {
        self.traffic_at = now;
    }

    /// Data have come.
    pub(super) fn received(&mut self, now: Timestamp) {
        self.traffic_at = now;
        let statistics = &mut self.statistics;
        statistics.missed = 0;
        let Awaited::Data(beat_at) = self.awaited else { return };
        self.awaited = Awaited::Nothing;
        let round_trip = now - beat_at;
        statistics.answered += 1;
        statistics.last_round_trip = Some(round_trip);
        statistics.min_round_trip =
            Some(statistics.min_round_trip.map_or(round_trip, |min| min.min(round_trip)));
        statistics.max_round_trip =
            Some(statistics.max_round_trip.map_or(round_trip, |max| max.max(round_trip)));
    }

    /// The next heartbeat; `None` if too many had no answer.
    fn beat(&mut self, now: Timestamp) -> Option<()> {
        self.traffic_at = now;
        if matches!(self.awaited, Awaited::Data(_)) {
            self.statistics.missed += 1;
        }
        if self.pulse.max_missed.is_some_and(|max| self.statistics.missed >= max.max(1)) {
            return None;
        }
        self.awaited = Awaited::Words;
        self.count += 1;
        Some(())
    }

    /// Its words are on their way.
    fn spoke(&mut self, now: Timestamp) {
        self.awaited = Awaited::Data(now);
        self.statistics.sent += 1;
    }
}

impl Engine {
    /// Begins, changes or ends the heartbeat of a socket.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a span shorter than [`Pulse::MIN_SPAN`], an empty payload or one that is longer than a
    /// datagram, and then the heartbeat stays as it was; how the socket ended, if it did.
    pub fn set_heartbeat(
        &mut self,
        now: Timestamp,
        socket: SocketId,
        pulse: Option<Pulse>,
    ) -> Result<(), Error> {
        self.channels.set_heartbeat(now, socket, pulse)
    }

    /// What has become of the heartbeats of a socket; `None` if it has none.
    pub fn heartbeat_statistics(&mut self, socket: SocketId) -> Option<HeartbeatStatistics> {
        self.channels.heartbeat_statistics(socket)
    }
}

impl Channels {
    /// Begins, changes or ends the heartbeat of a socket.
    pub(super) fn set_heartbeat(
        &mut self,
        now: Timestamp,
        id: SocketId,
        pulse: Option<Pulse>,
    ) -> Result<(), Error> {
        let Some(socket) = self.channel(id.channel).socket_of(id) else {
            return Err(Error::Closed(CloseReason::Local));
        };
        match socket.error() {
            Some(error) => Err(error),
            None => {
                if let Some(pulse) = &pulse {
                    pulse.check(socket)?;
                }
                socket.heart = pulse.map(|pulse| Heart::new(now, pulse));
                Ok(())
            }
        }
    }

    pub(super) fn heartbeat_statistics(&mut self, id: SocketId) -> Option<HeartbeatStatistics> {
        Some(self.channel(id.channel).socket_of(id)?.heart.as_ref()?.statistics)
    }

    /// Sends the heartbeats that are due.
    pub(super) fn beat(&mut self, now: Timestamp, out: &mut Outbox) {
        for id in ChannelId::all() {
            let channel = self.channel(id);
            let socket_id = channel.socket_id();
            let Some(socket) = channel.open_socket() else { continue };
            let Some(heart) = socket.heart.as_mut().filter(|heart| heart.due_at() <= now) else { continue };
            if !socket.sends.is_empty() || heart.awaited == Awaited::Words {
                // What waits to go out will be traffic, and so will the words that are being made up.
                heart.sent(now);
                continue;
            }
            let before = heart.statistics.missed;
            let beat = heart.beat(now);
            let (missed, count) = (heart.statistics.missed, heart.count);
            match (beat, &heart.pulse.payload) {
                (None, _) => self.end(id, End::Closed(CloseReason::HeartbeatLost), out),
                (Some(()), Some(payload)) => {
                    let send = Send::queued(payload.clone());
                    heart.spoke(now);
                    socket.push(send, out);
                }
                (Some(()), None) => out.push(Output::Beat(socket_id, count)),
            }
            if missed > before {
                out.event(Event::HeartbeatMissed(socket_id, missed));
            }
        }
    }

    /// The words of a heartbeat that the shell was asked for.
    pub(super) fn beat_with(
        &mut self,
        now: Timestamp,
        id: SocketId,
        ticket: Ticket,
        beat: Beat,
        out: &mut Outbox,
    ) {
        let answer = self.speak(now, id, beat, out);
        out.answer(ticket, answer.map(|()| Response::Done));
    }

    fn speak(
        &mut self,
        now: Timestamp,
        id: SocketId,
        Beat { count, words }: Beat,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let limit = self.queue_limit;
        let channel = self.channel(id.channel);
        let can_send = channel.link.can_send();
        let Some(socket) = channel.socket_of(id) else { return Err(Error::Closed(CloseReason::Local)) };
        if let Some(error) = socket.error() {
            return Err(error);
        }
        if !can_send {
            return Err(Error::Closed(CloseReason::Peer));
        }
        let room = limit.saturating_sub(socket.queued());
        let carries = words.as_ref().is_none_or(|words| socket.carries(words.len()));
        let is_asked = |heart: &&mut Heart| heart.count == count && heart.awaited == Awaited::Words;
        let Some(heart) = socket.heart.as_mut().filter(is_asked) else {
            // The heartbeat was ended or changed meanwhile, or these words come twice.
            return Ok(());
        };
        heart.awaited = Awaited::Nothing;
        let (failure, error) = match words {
            Some(words) if words.is_empty() => return Ok(()),
            None => (HeartbeatFailure::Panicked, Ok(())),
            Some(words) if !carries => {
                (HeartbeatFailure::TooLong { len: words.len() }, Err(too_long("heartbeat")))
            }
            Some(words) if words.len() > room => {
                (HeartbeatFailure::QueueFull { len: words.len(), room }, Err(Error::QueueFull { room }))
            }
            Some(words) => {
                heart.spoke(now);
                socket.push(Send::queued(words), out);
                return Ok(());
            }
        };
        if failure == HeartbeatFailure::Panicked {
            socket.heart = None;
        }
        out.event(Event::HeartbeatFailed(id, failure));
        error
    }

    /// The next heartbeat of any socket.
    pub(super) fn heartbeat_deadline(&self) -> Timestamp {
        let sockets = self.all.iter().filter_map(|channel| channel.socket.as_ref());
        let hearts = sockets.filter(|socket| socket.end.is_none()).filter_map(|socket| socket.heart.as_ref());
        hearts.map(Heart::due_at).min().unwrap_or(Timestamp::MAX)
    }
}
