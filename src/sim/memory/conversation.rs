//! One connection in memory: two bounded queues and the peer.

use std::collections::VecDeque;
use std::time::Duration;

use super::peer::{Habit, Peer};
use crate::sim::link_options::LinkOptions;
use crate::sim::network::Target;
use crate::time::Timestamp;

/// The most bytes in transit in one direction: a TCP window. Beyond it a sender waits.
const WINDOW: usize = 65_535;
/// The most bytes in a peer's record. Further ones are only counted, so that a test with gigabytes needs little memory.
const RECORD_LIMIT: usize = 16 << 20;

/// The state of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkState {
    Connecting,
    Open,
    /// The peer has closed. Its last bytes and the end arrive at this time.
    PeerClosed(Timestamp),
    /// The peer has vanished.
    Vanished,
    /// The link is broken, or the modem has closed it.
    Over,
}

/// Bytes that arrive together.
#[derive(Debug)]
struct Parcel {
    arrives_at: Timestamp,
    bytes: Vec<u8>,
    taken: usize,
}

#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) target: Target,
    /// The options requested by the modem: local port, keep-alive.
    pub(super) options: LinkOptions,
    pub(super) peer: Peer,
    pub(super) state: LinkState,
    pub(super) received: Vec<u8>,
    pub(super) received_count: u64,
    to_peer: VecDeque<Parcel>,
    to_peer_bytes: usize,
    to_modem: VecDeque<Parcel>,
    to_modem_bytes: usize,
    sourced: u64,
}

impl Conversation {
    pub(super) fn new(target: Target, peer: Peer, options: LinkOptions) -> Self {
        Self {
            target,
            options,
            peer,
            state: LinkState::Connecting,
            received: Vec::new(),
            received_count: 0,
            to_peer: VecDeque::new(),
            to_peer_bytes: 0,
            to_modem: VecDeque::new(),
            to_modem_bytes: 0,
            sourced: 0,
        }
    }

    /// The peer sends. The window does not apply, so that a test may push more.
    pub(super) fn push(&mut self, arrives_at: Timestamp, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.to_modem_bytes += bytes.len();
        self.to_modem.push_back(Parcel { arrives_at, bytes: bytes.to_vec(), taken: 0 });
    }

    /// The modem sends. Returns the number of bytes accepted.
    pub(super) fn send(&mut self, arrives_at: Timestamp, bytes: &[u8], whole: bool) -> usize {
        let room = WINDOW.saturating_sub(self.to_peer_bytes);
        let count = bytes.len().min(room);
        if self.state == LinkState::Over || count == 0 || (whole && count < bytes.len()) {
            return 0;
        }
        self.to_peer_bytes += count;
        self.to_peer.push_back(Parcel { arrives_at, bytes: bytes[..count].to_vec(), taken: 0 });
        count
    }

    /// The modem reads; with `single` at most the bytes of one parcel, which were sent together.
    pub(super) fn receive(&mut self, now: Timestamp, into: &mut [u8], single: bool) -> usize {
        let mut count = 0;
        while count < into.len() {
            let Some(parcel) = self.to_modem.front_mut().filter(|parcel| parcel.arrives_at <= now) else {
                break;
            };
            let rest = &parcel.bytes[parcel.taken..];
            let part = rest.len().min(into.len() - count);
            into[count..count + part].copy_from_slice(&rest[..part]);
            parcel.taken += part;
            count += part;
            if parcel.taken == parcel.bytes.len() {
                self.to_modem.pop_front();
                if single {
                    break;
                }
            }
        }
        self.to_modem_bytes -= count;
        if self.state == LinkState::Open && count < into.len() && !(single && count > 0) {
            count += self.generate(&mut into[count..]);
        }
        count
    }

    /// True if bytes can be read now.
    pub(super) fn readable(&self, now: Timestamp) -> bool {
        let waiting = self.to_modem.front().is_some_and(|parcel| parcel.arrives_at <= now);
        waiting || (self.state == LinkState::Open && self.sourced < self.peer.source)
    }

    /// True if the peer has sent all bytes of its script.
    pub(super) fn sent_all(&self) -> bool {
        self.sourced == self.peer.source && self.to_modem.is_empty()
    }

    /// The peer reads the bytes that have arrived, unless its own answers fill the other direction. Returns true if it
    /// has read any.
    pub(super) fn deliver(&mut self, now: Timestamp, latency: Duration) -> bool {
        let mut delivered = false;
        while self.peer.reads && self.state != LinkState::Vanished && self.to_modem_bytes < WINDOW {
            if self.to_peer.front().is_none_or(|parcel| parcel.arrives_at > now) {
                break;
            }
            let Some(parcel) = self.to_peer.pop_front() else {
                break;
            };
            delivered = true;
            self.to_peer_bytes -= parcel.bytes.len();
            self.received_count += parcel.bytes.len() as u64;
            let kept = parcel.bytes.len().min(RECORD_LIMIT - self.received.len());
            self.received.extend_from_slice(&parcel.bytes[..kept]);
            if self.peer.habit == Habit::Echo && self.state == LinkState::Open {
                self.push(parcel.arrives_at.max(now) + latency, &parcel.bytes);
            }
        }
        delivered
    }

    /// The time at which the last byte of the peer in transit arrives.
    pub(super) fn last_arrival(&self) -> Option<Timestamp> {
        self.to_modem.iter().map(|parcel| parcel.arrives_at).max()
    }

    /// Drops the bytes in transit.
    pub(super) fn discard(&mut self) {
        self.to_peer.clear();
        self.to_modem.clear();
        self.to_peer_bytes = 0;
        self.to_modem_bytes = 0;
        self.state = LinkState::Over;
    }

    /// The time after `now` at which the next parcel arrives at either end.
    pub(super) fn deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let ends = [self.to_peer.front(), self.to_modem.front()];
        ends.into_iter().flatten().map(|parcel| parcel.arrives_at).filter(|at| *at > now).min()
    }

    fn generate(&mut self, into: &mut [u8]) -> usize {
        let count = (self.peer.source - self.sourced).min(into.len() as u64) as usize;
        for (place, byte) in (self.sourced..).zip(&mut into[..count]) {
            *byte = Peer::source_byte(place);
        }
        self.sourced += count as u64;
        count
    }
}
