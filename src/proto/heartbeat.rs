//! Keeping a silent connection alive.

use std::time::Duration;

use crate::at::ChannelId;
use crate::error::{CloseReason, Error};
use crate::time::Timestamp;

use super::channel::{End, Send};
use super::channels::Channels;
use super::engine::Engine;
use super::outbox::Outbox;
use super::{Event, Output, SocketId};

/// When a heartbeat is sent, and what is made of its answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pulse {
    /// After so long without traffic either way.
    pub every: Duration,
    /// What is sent; `None`: the shell is asked each time ([`Output::Beat`]).
    pub payload: Option<Vec<u8>>,
    /// How many heartbeats in a row may stay without any data from the peer before the socket ends with
    /// [`CloseReason::HeartbeatLost`]; `None`: no answer is expected.
    pub max_missed: Option<u32>,
}

/// What has become of the heartbeats of a socket.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct HeartbeatStatistics {
    /// How many were sent.
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
    /// The heartbeat whose answer is awaited.
    beat_at: Option<Timestamp>,
    statistics: HeartbeatStatistics,
}

impl Pulse {
    /// A heartbeat of fixed bytes after `every` of silence, without expecting an answer.
    pub fn new(every: Duration, payload: impl Into<Vec<u8>>) -> Self {
        Self { every, payload: Some(payload.into()), max_missed: None }
    }
}

impl Heart {
    pub(super) fn new(now: Timestamp, pulse: Pulse) -> Self {
        Self { pulse, traffic_at: now, beat_at: None, statistics: HeartbeatStatistics::default() }
    }

    pub(super) fn due_at(&self) -> Timestamp {
        self.traffic_at + self.pulse.every
    }

    /// Whether a heartbeat has had no answer yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.beat_at.is_some()
    }

    /// The module has taken data.
    pub(super) fn sent(&mut self, now: Timestamp) {
        self.traffic_at = now;
    }

    /// Data have come.
    pub(super) fn received(&mut self, now: Timestamp) {
        self.traffic_at = now;
        let Some(beat_at) = self.beat_at.take() else { return };
        let round_trip = now - beat_at;
        let statistics = &mut self.statistics;
        statistics.answered += 1;
        statistics.missed = 0;
        statistics.last_round_trip = Some(round_trip);
        statistics.min_round_trip =
            Some(statistics.min_round_trip.map_or(round_trip, |min| min.min(round_trip)));
        statistics.max_round_trip =
            Some(statistics.max_round_trip.map_or(round_trip, |max| max.max(round_trip)));
    }

    /// The next heartbeat; `None` if too many had no answer.
    fn beat(&mut self, now: Timestamp) -> Option<()> {
        self.traffic_at = now;
        if self.beat_at.is_some() {
            self.statistics.missed += 1;
        }
        if self.pulse.max_missed.is_some_and(|max| self.statistics.missed >= max) {
            return None;
        }
        self.beat_at = Some(now);
        self.statistics.sent += 1;
        Some(())
    }
}

impl Engine {
    /// Begins, changes or ends the heartbeat of a socket.
    ///
    /// # Errors
    /// How the socket ended, if it did.
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
            if !socket.sends.is_empty() {
                // What waits to go out will be traffic.
                heart.sent(now);
                continue;
            }
            let before = heart.statistics.missed;
            let beat = heart.beat(now);
            let (missed, count) = (heart.statistics.missed, heart.statistics.sent);
            match (beat, &heart.pulse.payload) {
                (None, _) => self.end(id, End::Closed(CloseReason::HeartbeatLost), out),
                (Some(()), Some(payload)) => {
                    let send = Send::queued(payload.clone());
                    socket.push(send, out);
                }
                (Some(()), None) => out.push(Output::Beat(socket_id, count)),
            }
            if missed > before {
                out.event(Event::HeartbeatMissed(socket_id, missed));
            }
        }
    }

    /// The next heartbeat of any socket.
    pub(super) fn heartbeat_deadline(&self) -> Timestamp {
        let sockets = self.all.iter().filter_map(|channel| channel.socket.as_ref());
        let hearts = sockets.filter(|socket| socket.end.is_none()).filter_map(|socket| socket.heart.as_ref());
        hearts.map(Heart::due_at).min().unwrap_or(Timestamp::MAX)
    }
}
