//! The moment of the next heartbeat of a socket, and the results of earlier ones.

use std::fmt;
use std::time::Duration;

use crate::time::Timestamp;

/// The settings of a heartbeat: when it is sent, and whether it must be answered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pulse {
    /// The span without traffic in either direction after which it is sent, at least [`Pulse::MIN_SPAN`].
    pub every: Duration,
    /// The payload, at least one byte. `None`: the engine asks the shell each time
    /// ([`Output::Beat`](crate::proto::Output::Beat)), and the shell answers with
    /// [`Request::Beat`](crate::proto::Request::Beat). Until then it is not asked again.
    pub payload: Option<Vec<u8>>,
    /// The number of heartbeats in a row without data from the peer after which the socket ends with
    /// [`CloseReason::HeartbeatLost`](crate::CloseReason::HeartbeatLost). `None`: no answer is expected.
    pub max_missed: Option<u32>,
}

/// A heartbeat whose payload comes from the shell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Beat {
    /// The number that [`Output::Beat`](crate::proto::Output::Beat) had.
    pub count: u64,
    /// The payload. Empty: nothing is sent this time. `None`: the function that makes it has failed, and the heartbeat
    /// ends.
    pub words: Option<Vec<u8>>,
}

/// The reason why a heartbeat was not sent. It counts neither as sent nor as missed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HeartbeatFailure {
    /// The function that makes the payload panicked. The socket has no heartbeat any more.
    Panicked,
    /// The payload is longer than a datagram. The next heartbeat is due one span later.
    TooLong {
        /// The length of the payload.
        len: usize,
    },
    /// The payload does not fit into the [send queue](crate::Config::send_queue). The next heartbeat is due one span
    /// later.
    QueueFull {
        /// The length of the payload.
        len: usize,
        /// The room in the send queue.
        room: usize,
    },
}

impl fmt::Display for HeartbeatFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked => f.write_str("its function panicked, so the socket has no heartbeat any more"),
            Self::TooLong { len } => write!(f, "its {len} bytes are more than a datagram can carry"),
            Self::QueueFull { len, room } => {
                write!(f, "its {len} bytes do not fit into the send queue, which has room for {room}")
            }
        }
    }
}

/// The counters of a socket's heartbeats.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct HeartbeatStatistics {
    /// The number of heartbeats that were given to be sent.
    pub sent: u64,
    /// The number of heartbeats with data from the peer before the next one.
    pub answered: u64,
    /// The number of heartbeats without such data in a row, up to now.
    pub missed: u32,
    /// The last time from a heartbeat to data.
    pub last_round_trip: Option<Duration>,
    /// The shortest time from a heartbeat to data.
    pub min_round_trip: Option<Duration>,
    /// The longest time from a heartbeat to data.
    pub max_round_trip: Option<Duration>,
}

/// The heartbeat of one socket.
#[derive(Debug)]
pub(super) struct SocketHeartbeat {
    pulse: Pulse,
    /// The moment of the last traffic in either direction.
    traffic_at: Timestamp,
    awaited: Awaited,
    /// The number of heartbeats so far, which is the number of the latest one.
    count: u64,
    statistics: HeartbeatStatistics,
}

/// The event that the latest heartbeat waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Awaited {
    /// Nothing: there was no heartbeat, it was answered, or it was not sent.
    Nothing,
    /// The payload, from the shell.
    Words,
    /// Data from the peer, since this moment.
    Data(Timestamp),
}

impl Pulse {
    /// The shortest span between heartbeats; a shorter one is refused. Heartbeats are meant for minutes of silence. 100
    /// in a second from each socket leave the line and a processor time for other work.
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

    /// The fixed payload; `None` if the shell makes it.
    pub(super) fn payload(&self) -> Option<&[u8]> {
        self.pulse.payload.as_deref()
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn statistics(&self) -> HeartbeatStatistics {
        self.statistics
    }

    /// True while the shell makes the payload.
    pub(super) fn waits_for_payload(&self) -> bool {
        self.awaited == Awaited::Words
    }

    /// The shell has answered with the payload of the heartbeat of this number. Returns false if it was not asked for
    /// it, or has answered already.
    pub(super) fn payload_came(&mut self, count: u64) -> bool {
        let is_asked = self.count == count && self.waits_for_payload();
        if is_asked {
            self.awaited = Awaited::Nothing;
        }
        is_asked
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

    /// The payload of the heartbeat waits to be sent.
    pub(super) fn spoke(&mut self, now: Timestamp) {
        self.awaited = Awaited::Data(now);
        self.statistics.sent += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::transition_table;

    const LATER: Timestamp = Timestamp::from_secs(60);

    /// A heartbeat that waits for this, and ends with the third one without an answer.
    fn states() -> Vec<SocketHeartbeat> {
        let pulse = Pulse { max_missed: Some(3), ..Pulse::new(Duration::from_secs(60), "ping") };
        let of = |awaited, missed| {
            let mut heartbeat = SocketHeartbeat::new(Timestamp::ZERO, pulse.clone());
            (heartbeat.awaited, heartbeat.count) = (awaited, 1);
            heartbeat.statistics.missed = missed;
            heartbeat
        };
        let data = Awaited::Data(Timestamp::ZERO);
        vec![of(Awaited::Nothing, 0), of(Awaited::Words, 0), of(data, 0), of(data, 1), of(data, 2)]
    }

    fn name(heartbeat: &SocketHeartbeat) -> String {
        let awaited = match heartbeat.awaited {
            Awaited::Nothing => "nothing",
            Awaited::Words => "payload",
            Awaited::Data(_) => "data",
        };
        format!("{awaited}, {} missed", heartbeat.statistics.missed)
    }

    #[test]
    fn every_transition_is_as_the_table_says() {
        transition_table::check(
            "
            | input | nothing, 0 missed | payload, 0 missed | data, 0 missed | data, 1 missed | data, 2 missed |
            | the span is over | payload, 0 missed | x | payload, 1 missed | payload, 2 missed | data, 3 missed |
            | the payload | - | nothing, 0 missed | - | - | - |
            | the payload of another one | - | - | - | - | - |
            | it is given to be sent | data, 0 missed | data, 0 missed | x | x | x |
            | data are accepted | - | - | - | - | - |
            | data of the peer | - | - | nothing, 0 missed | nothing, 0 missed | nothing, 0 missed |",
            states,
            &[
                ("the span is over", |it| {
                    let _ = it.beat(LATER);
                }),
                ("the payload", |it| {
                    let _ = it.payload_came(1);
                }),
                ("the payload of another one", |it| {
                    let _ = it.payload_came(2);
                }),
                ("it is given to be sent", |it| it.spoke(LATER)),
                ("data are accepted", |it| it.sent(LATER)),
                ("data of the peer", |it| it.received(LATER)),
            ],
            name,
        );
    }

    #[test]
    fn the_last_heartbeat_without_an_answer_ends_the_socket() {
        let beats: Vec<bool> = states().iter_mut().map(|it| it.beat(LATER).is_some()).collect();
        assert_eq!(beats, [true, true, true, true, false]);
    }
}
