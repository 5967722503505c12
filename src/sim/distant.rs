//! A network at a larger distance: actions of the peers arrive later.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::link_options::LinkOptions;
use super::network::{Link, Network, NetworkEvent, Target, Waker};
use crate::time::Timestamp;

/// The most bytes of one link in transit. Further ones remain in the inner network.
const UNDER_WAY: usize = 64 * 1024;

/// A network in which every answer comes a round trip later: the result of a connect, data, closes, names, pings.
///
/// ```
/// use air724ug::sim::{Distant, MemoryNetwork, Peer, Settings, Simulator, VirtualHost};
/// use std::time::Duration;
///
/// let mut network = MemoryNetwork::new();
/// network.serve("echo.test", 7, Peer::echo());
/// let network = Distant::new(network, Duration::from_millis(80));
/// let mut host = VirtualHost::new(Simulator::new(Settings::default().echo(false), network));
/// host.write(b"AT+CSTT;+CIICR;+CIFSR\r\n");
/// assert_eq!(host.write(b"AT+CIPSTART=TCP,echo.test,7\r\n"), b"\r\nOK\r\n");
/// assert_eq!(host.wait(Duration::from_millis(79)), b"");
/// assert_eq!(host.wait(Duration::from_millis(1)), b"\r\nCONNECT OK\r\n");
/// ```
#[derive(Debug)]
pub struct Distant<N> {
    after: N,
    round_trip: Duration,
    /// Each event with its time, and the number of bytes of its link that may be acknowledged by then.
    events: VecDeque<(Timestamp, NetworkEvent, u64)>,
    links: BTreeMap<Link, DistantLink>,
}

/// The data of one link in transit from its peer.
#[derive(Debug, Default)]
struct DistantLink {
    data: VecDeque<(Timestamp, Vec<u8>)>,
    bytes: usize,
    sent: u64,
    acknowledged: u64,
    /// True if the end is reported: the remaining data of the inner network are due.
    ended: bool,
}

impl<N: Network> Distant<N> {
    /// The inner network, and the time of a round trip to its peers.
    pub fn new(after: N, round_trip: Duration) -> Self {
        Self { after, round_trip, events: VecDeque::new(), links: BTreeMap::new() }
    }

    /// The inner network.
    pub fn after(&mut self) -> &mut N {
        &mut self.after
    }

    /// Fetches received data of a link into the free room.
    fn fill(&mut self, now: Timestamp, link: Link) {
        let Some(distant) = self.links.get_mut(&link) else { return };
        let due = if distant.ended { now } else { now + self.round_trip };
        let mut piece = vec![0; UNDER_WAY];
        while distant.bytes < UNDER_WAY {
            let room = UNDER_WAY - distant.bytes;
            let count = self.after.receive(now, link, &mut piece[..room]);
            if count == 0 {
                break;
            }
            distant.bytes += count;
            distant.data.push_back((due, piece[..count].to_vec()));
            self.events.push_back((due, NetworkEvent::Readable(link), 0));
        }
    }

    /// Fetches the events of the inner network.
    fn take_events(&mut self, now: Timestamp) {
        while let Some(event) = self.after.poll(now) {
            match &event {
                NetworkEvent::Connected { link, .. } => {
                    self.links.insert(*link, DistantLink::default());
                }
                NetworkEvent::Readable(link) => {
                    self.fill(now, *link);
                    continue;
                }
                NetworkEvent::Closed(link) | NetworkEvent::Reset(link) => self.fill(now, *link),
                NetworkEvent::Writable(_)
                | NetworkEvent::Failed { .. }
                | NetworkEvent::Pinged { .. }
                | NetworkEvent::Resolved { .. } => {}
            }
            self.events.push_back((now + self.round_trip, event, u64::MAX));
        }
    }
}

impl<N: Network> Network for Distant<N> {
    fn prepare(&mut self, link: Link, options: LinkOptions) {
        self.after.prepare(link, options);
    }

    fn connect(&mut self, now: Timestamp, link: Link, target: &Target) {
        self.after.connect(now, link, target);
    }

    fn send(&mut self, now: Timestamp, link: Link, bytes: &[u8]) -> usize {
        let count = self.after.send(now, link, bytes);
        if let Some(distant) = self.links.get_mut(&link).filter(|_| count > 0) {
            distant.sent += count as u64;
            self.events.push_back((now + self.round_trip, NetworkEvent::Writable(link), distant.sent));
        }
        count
    }

    fn acknowledged(&self, link: Link) -> u64 {
        self.links.get(&link).map_or(0, |link| link.acknowledged)
    }

    fn receive(&mut self, now: Timestamp, link: Link, into: &mut [u8]) -> usize {
        self.fill(now, link);
        let Some(distant) = self.links.get_mut(&link) else { return 0 };
        if distant.data.front().is_none_or(|(due, _)| *due > now && !distant.ended) {
            return 0;
        }
        let Some((_, mut piece)) = distant.data.pop_front() else { return 0 };
        let count = piece.len().min(into.len());
        into[..count].copy_from_slice(&piece[..count]);
        distant.bytes -= count;
        if count < piece.len() {
            distant.data.push_front((now, piece.split_off(count)));
        }
        count
    }

    fn close(&mut self, now: Timestamp, link: Link) {
        self.links.remove(&link);
        self.after.close(now, link);
    }

    fn resolve(&mut self, now: Timestamp, query: u64, host: &str) {
        self.after.resolve(now, query, host);
    }

    fn ping(&mut self, now: Timestamp, query: u64, host: &str) {
        self.after.ping(now, query, host);
    }

    fn poll(&mut self, now: Timestamp) -> Option<NetworkEvent> {
        self.take_events(now);
        while self.events.front().is_some_and(|(due, _, _)| *due <= now) {
            let (_, event, acknowledged) = self.events.pop_front()?;
            let link = match &event {
                NetworkEvent::Connected { link, .. }
                | NetworkEvent::Readable(link)
                | NetworkEvent::Writable(link)
                | NetworkEvent::Closed(link)
                | NetworkEvent::Reset(link) => *link,
                NetworkEvent::Failed { .. } | NetworkEvent::Pinged { .. } | NetworkEvent::Resolved { .. } => {
                    return Some(event);
                }
            };
            // Events of a link that was closed in the meantime are dropped.
            let Some(distant) = self.links.get_mut(&link) else { continue };
            let known = self.after.acknowledged(link).min(acknowledged);
            distant.acknowledged = distant.acknowledged.max(known);
            distant.ended |= matches!(event, NetworkEvent::Closed(_) | NetworkEvent::Reset(_));
            return Some(event);
        }
        None
    }

    fn deadline(&self) -> Option<Timestamp> {
        let events = self.events.front().map(|(due, _, _)| *due);
        [events, self.after.deadline()].into_iter().flatten().min()
    }

    fn set_waker(&mut self, waker: Waker) {
        self.after.set_waker(waker);
    }
}
