//! The time of the next heartbeat, and the results of earlier ones.

use std::time::Duration;

use crate::time::Timestamp;

/// The settings of a heartbeat: when it is sent, and whether it must be answered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pulse {
    /// After this span without traffic either way; at least [`Pulse::MIN_SPAN`].
    pub every: Duration,
    /// What is sent, at least one byte; `None`: the shell is asked each time ([`Output::Beat`](crate::proto::Output::Beat)) and answers with
    /// [`Request::Beat`](crate::proto::Request::Beat); until then it is not asked again.
    pub payload: Option<Vec<u8>>,
    /// How many heartbeats in a row may stay without any data from the peer before the socket ends with
    /// [`CloseReason::HeartbeatLost`](crate::CloseReason::HeartbeatLost); `None`: no answer is expected.
    pub max_missed: Option<u32>,
}

/// A heartbeat whose words the shell makes up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Beat {
    /// Its number, as [`Output::Beat`](crate::proto::Output::Beat) told it.
    pub count: u64,
    /// What it says; empty: nothing this time. `None`: what makes up the words has failed, so the heartbeat ends.
    pub words: Option<Vec<u8>>,
}

/// The reason why a heartbeat was not sent. It counts neither as sent nor as missed.
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

/// The counters of a socket's heartbeats.
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
pub(super) struct SocketHeartbeat {
    pub(super) pulse: Pulse,
    /// The last traffic either way.
    pub(super) traffic_at: Timestamp,
    pub(super) awaited: Awaited,
    /// How many were due, which is the number of the latest.
    pub(super) count: u64,
    pub(super) statistics: HeartbeatStatistics,
}

/// The event that the latest heartbeat waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Awaited {
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
}

impl SocketHeartbeat {
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
    pub(super) fn beat(&mut self, now: Timestamp) -> Option<()> {
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
    pub(super) fn spoke(&mut self, now: Timestamp) {
        self.awaited = Awaited::Data(now);
        self.statistics.sent += 1;
    }
}
