//! A network in memory, with virtual time, scripted peers, and access to every byte.

mod conversation;
mod peer;
mod records;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use conversation::{Conversation, LinkState};
use peer::Meeting;
use records::Records;

pub use peer::Peer;

use super::link_options::LinkOptions;
use super::network::{ConnectFailure, Link, Network, NetworkEvent, Protocol, Target};
use super::rng::Rng;
use crate::time::Timestamp;

/// The time after which TCP repeats lost bytes (RFC 6298: the initial time-out).
const RETRANSMISSION: Duration = Duration::from_secs(1);
/// The time until a name without an address fails (capture a27: about 12 s).
const DNS_FAILURE_TIME: Duration = Duration::from_secs(12);

/// Named hosts, scripted peers, and a record of every byte that each peer received.
///
/// ```
/// use air724ug::sim::{MemoryNetwork, Peer, Settings, Simulator};
///
/// let mut network = MemoryNetwork::new();
/// network.serve("echo.test", 7, Peer::echo());
/// let modem = Simulator::new(Settings::default(), network);
/// ```
#[derive(Debug, Default)]
pub struct MemoryNetwork {
    names: BTreeMap<String, IpAddr>,
    peers: BTreeMap<(String, u16), Peer>,
    /// The conversations that are not over, and those that ended since the last connect.
    conversations: BTreeMap<Link, Conversation>,
    records: Records,
    /// The options of links that are not connected yet.
    prepared: BTreeMap<Link, LinkOptions>,
    events: BTreeMap<(Timestamp, u64), NetworkEvent>,
    ready: VecDeque<NetworkEvent>,
    next_event: u64,
    latency: Duration,
    /// The probability that a packet is lost, and the random numbers for it.
    loss: f64,
    rng: Rng,
    /// The latest time of a call.
    now: Timestamp,
}

impl MemoryNetwork {
    /// A network without hosts and without delays.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time of a byte in one direction; a connect takes twice this time. Default: zero.
    pub fn set_latency(&mut self, latency: Duration) -> &mut Self {
        self.latency = latency;
        self
    }

    /// Sets the probability with which packets are lost. Lost bytes of TCP come 1 s later, and all bytes after them
    /// with them; a lost datagram never comes. Default: none.
    pub fn set_loss(&mut self, probability: f64, seed: u64) -> &mut Self {
        self.loss = probability;
        self.rng = Rng::new(seed);
        self
    }

    /// Sets the address of a host.
    pub fn name(&mut self, host: &str, address: impl Into<IpAddr>) -> &mut Self {
        self.names.insert(host.to_owned(), address.into());
        self
    }

    /// Puts a peer at this port of a host (name or address), for TCP and UDP. Each connect gets a copy of it. A name
    /// without an address gets the next free one: from 198.51.100.1 on, then from 198.18.0.1 on, then from 2001:db8::1
    /// on (RFC 5737, RFC 2544, RFC 3849).
    pub fn serve(&mut self, host: &str, port: u16, peer: Peer) -> &mut Self {
        if host.parse::<IpAddr>().is_err() && !self.names.contains_key(host) {
            let is_free = |address: &IpAddr| !self.names.values().any(|given| given == address);
            let address = (self.names.len()..).map(own_address).find(is_free);
            if let Some(address) = address {
                self.names.insert(host.to_owned(), address);
            }
        }
        self.peers.insert((host.to_owned(), port), peer);
        self
    }

    /// The links so far with their targets, in the order of their connects. Of those that are over, the newest 1024 are
    /// kept, with at most 64 MiB of received bytes.
    pub fn links(&self) -> impl Iterator<Item = (Link, &Target)> {
        let all: BTreeMap<_, _> = self.records.iter().chain(&self.conversations).collect();
        all.into_iter().map(|(link, talk)| (*link, &talk.target))
    }

    /// The link of the last connect.
    pub fn last_link(&self) -> Option<Link> {
        self.links().last().map(|(link, _)| link)
    }

    /// The bytes that the peer of this link has received, up to the first 16 MiB.
    pub fn received(&self, link: Link) -> &[u8] {
        self.recall(link).map_or(&[], |talk| &talk.received)
    }

    /// The number of bytes that the peer of this link has received.
    pub fn received_count(&self, link: Link) -> u64 {
        self.recall(link).map_or(0, |talk| talk.received_count)
    }

    /// The modem's local port of this link, if one was requested (`AT+CLPORT`).
    pub fn local_port(&self, link: Link) -> Option<u16> {
        self.recall(link)?.options.local_port
    }

    /// True if the modem has neither closed nor lost this link.
    pub fn is_open(&self, link: Link) -> bool {
        self.conversations.get(&link).is_some_and(|talk| talk.state != LinkState::Over)
    }

    /// The peer sends these bytes. For UDP, one call is one datagram.
    pub fn push(&mut self, link: Link, bytes: &[u8]) {
        let Some(arrives_at) = self.arrival(link) else {
            return;
        };
        if let Some(talk) = self.conversations.get_mut(&link).filter(|talk| talk.state == LinkState::Open) {
            talk.push(arrives_at, bytes);
            self.schedule(arrives_at, NetworkEvent::Readable(link));
        }
    }

    /// The peer reads, or stops reading: then the modem's bytes fill the window and wait.
    pub fn set_reading(&mut self, link: Link, reads: bool) {
        if let Some(talk) = self.conversations.get_mut(&link) {
            talk.peer.reads = reads;
        }
    }

    /// The peer closes. The bytes that it has sent still arrive.
    pub fn close_by_peer(&mut self, link: Link) {
        let arrives_at = self.now + self.latency;
        if let Some(talk) = self.conversations.get_mut(&link).filter(|talk| talk.state == LinkState::Open) {
            // The end arrives after the bytes that were sent before it.
            let arrives_at = talk.last_arrival().map_or(arrives_at, |last| last.max(arrives_at));
            talk.state = LinkState::PeerClosed(arrives_at);
            self.schedule(arrives_at, NetworkEvent::Closed(link));
        }
    }

    /// The connection breaks: bytes in transit are lost.
    pub fn reset_by_peer(&mut self, link: Link) {
        if let Some(talk) = self.conversations.get_mut(&link).filter(|talk| talk.state != LinkState::Over) {
            talk.discard();
            self.schedule(self.now, NetworkEvent::Reset(link));
        }
    }

    /// A link, open or over.
    fn recall(&self, link: Link) -> Option<&Conversation> {
        self.conversations.get(&link).or_else(|| self.records.get(link))
    }

    /// Moves connections that are over to the records, so that later steps do not examine them.
    fn put_away(&mut self) {
        let over = self.conversations.iter().filter(|(_, talk)| talk.state == LinkState::Over);
        let over: Vec<Link> = over.map(|(link, _)| *link).collect();
        for link in over {
            if let Some(talk) = self.conversations.remove(&link) {
                self.records.keep(link, talk);
            }
        }
    }

    /// The time at which a packet sent now arrives; `None`: never.
    fn arrival(&mut self, link: Link) -> Option<Timestamp> {
        let in_time = self.now + self.latency;
        if self.loss == 0.0 || !self.rng.chance(self.loss) {
            return Some(in_time);
        }
        match self.conversations.get(&link).map(|talk| talk.target.protocol) {
            Some(Protocol::Udp) => None,
            Some(Protocol::Tcp) | None => Some(in_time + RETRANSMISSION),
        }
    }

    fn schedule(&mut self, at: Timestamp, event: NetworkEvent) {
        self.events.insert((at, self.next_event), event);
        self.next_event += 1;
    }

    fn address_of(&self, host: &str) -> Option<IpAddr> {
        host.parse().ok().or_else(|| self.names.get(host).copied())
    }

    /// The peer at a host, by the host's name or address.
    fn peer_at(&self, host: &str, port: u16) -> Option<&Peer> {
        let address = self.address_of(host);
        let mut peers = self.peers.iter();
        let found =
            peers.find(|((name, at), _)| *at == port && (name == host || self.address_of(name) == address));
        found.map(|(_, peer)| peer)
    }

    /// True if an open connection has the same two ends, because TCP and UDP can't distinguish these.
    fn is_taken(&self, target: &Target, options: LinkOptions) -> bool {
        let address = self.address_of(&target.host);
        options.local_port.is_some()
            && self.conversations.values().any(|talk| {
                talk.state != LinkState::Over
                    && talk.options.local_port == options.local_port
                    && (talk.target.protocol, talk.target.port) == (target.protocol, target.port)
                    && self.address_of(&talk.target.host) == address
            })
    }

    fn meet(
        &mut self,
        link: Link,
        target: &Target,
        peer: Peer,
        address: Option<IpAddr>,
        options: LinkOptions,
    ) {
        let answered_at = self.now + self.latency.saturating_mul(2);
        match peer.meeting {
            Meeting::Silence => {}
            Meeting::Refuse => {
                let why = ConnectFailure::Refused;
                self.schedule(answered_at, NetworkEvent::Failed { link, why });
            }
            Meeting::Accept => self.schedule(answered_at, NetworkEvent::Connected { link, address }),
        }
        self.conversations.insert(link, Conversation::new(target.clone(), peer, options));
    }

    /// The link has ended, at either end.
    fn forget(&mut self, link: Link) {
        if let Some(talk) = self.conversations.get_mut(&link) {
            talk.discard();
        }
    }

    /// The connection is open: the peer sends its greeting.
    fn open(&mut self, at: Timestamp, link: Link) {
        let latency = self.latency;
        let Some(talk) = self.conversations.get_mut(&link).filter(|talk| talk.state == LinkState::Connecting)
        else {
            return;
        };
        talk.state = LinkState::Open;
        let greeting = std::mem::take(&mut talk.peer.greeting);
        talk.push(at + latency, &greeting);
    }

    /// Every peer reads, and closes or breaks according to its script.
    fn let_peers_act(&mut self) {
        let (now, latency) = (self.now, self.latency);
        let mut endings = Vec::new();
        let mut found_out = Vec::new();
        for (link, talk) in &mut self.conversations {
            if talk.deliver(now, latency) {
                self.ready.push_back(NetworkEvent::Writable(*link));
            }
            if talk.state != LinkState::Open {
                continue;
            }
            let reached = |limit: Option<u64>| limit.is_some_and(|limit| talk.received_count >= limit);
            if reached(talk.peer.vanish_after) {
                talk.state = LinkState::Vanished;
                // It has just acknowledged bytes; no probe will be answered.
                found_out.extend(talk.options.keep_alive.map(|keep_alive| (*link, keep_alive.timeout())));
                continue;
            }
            if reached(talk.peer.reset_after) {
                endings.push((*link, true));
            } else if reached(talk.peer.close_after) || (talk.peer.closes_when_sent && talk.sent_all()) {
                endings.push((*link, false));
            }
        }
        for (link, broken) in endings {
            if broken { self.reset_by_peer(link) } else { self.close_by_peer(link) }
        }
        for (link, timeout) in found_out {
            self.schedule(now + timeout, NetworkEvent::Reset(link));
        }
    }
}

/// The address of the n-th name, counted from 0.
fn own_address(n: usize) -> IpAddr {
    const FIRST: usize = 254;
    const SECOND: usize = 0x1_fffe;
    match n {
        0..FIRST => IpAddr::from([198, 51, 100, n as u8 + 1]),
        FIRST.. if n < FIRST + SECOND => {
            let n = (n - FIRST + 1) as u32;
            IpAddr::from((u32::from_be_bytes([198, 18, 0, 0]) + n).to_be_bytes())
        }
        _ => {
            let n = (n - FIRST - SECOND + 1) as u64;
            IpAddr::V6(((0x2001_0db8_u128 << 96) + u128::from(n)).into())
        }
    }
}

impl Network for MemoryNetwork {
    fn prepare(&mut self, link: Link, options: LinkOptions) {
        self.prepared.insert(link, options);
    }

    fn connect(&mut self, now: Timestamp, link: Link, target: &Target) {
        self.now = now;
        self.put_away();
        let options = self.prepared.remove(&link).unwrap_or_default();
        let address = self.address_of(&target.host);
        if self.is_taken(target, options) {
            let why = ConnectFailure::LocalPort;
            self.schedule(now, NetworkEvent::Failed { link, why });
            return;
        }
        if address.is_none() {
            let why = ConnectFailure::NoSuchHost;
            self.schedule(now + DNS_FAILURE_TIME, NetworkEvent::Failed { link, why });
            self.conversations.insert(link, Conversation::new(target.clone(), Peer::silent(), options));
            return;
        }
        let peer = self.peer_at(&target.host, target.port).cloned();
        let peer = peer.unwrap_or_else(|| match target.protocol {
            Protocol::Tcp => Peer::refuse(),
            // The sender of a datagram is not informed that there is no peer.
            Protocol::Udp => Peer::discard(),
        });
        self.meet(link, target, peer, address, options);
    }

    fn send(&mut self, now: Timestamp, link: Link, bytes: &[u8]) -> usize {
        self.now = now;
        let arrival = self.arrival(link);
        let Some(talk) = self.conversations.get_mut(&link) else {
            return 0;
        };
        let whole = talk.target.protocol == Protocol::Udp;
        let Some(arrives_at) = arrival else {
            // A lost datagram counts as sent.
            return bytes.len();
        };
        talk.send(arrives_at, bytes, whole)
    }

    fn acknowledged(&self, link: Link) -> u64 {
        self.received_count(link)
    }

    fn receive(&mut self, now: Timestamp, link: Link, into: &mut [u8]) -> usize {
        self.now = now;
        let Some(talk) = self.conversations.get_mut(&link) else {
            return 0;
        };
        let single = talk.target.protocol == Protocol::Udp;
        talk.receive(now, into, single)
    }

    fn close(&mut self, now: Timestamp, link: Link) {
        self.now = now;
        if let Some(talk) = self.conversations.get_mut(&link) {
            // The bytes of the modem arrive; those of the peer are dropped.
            while talk.deliver(Timestamp::MAX, Duration::ZERO) {}
            talk.discard();
        }
    }

    fn resolve(&mut self, now: Timestamp, query: u64, host: &str) {
        self.now = now;
        let addresses: Vec<IpAddr> = self.address_of(host).into_iter().collect();
        let wait = if addresses.is_empty() { DNS_FAILURE_TIME } else { self.latency.saturating_mul(2) };
        self.schedule(now + wait, NetworkEvent::Resolved { query, addresses });
    }

    /// A host with an address answers after a round trip.
    fn ping(&mut self, now: Timestamp, query: u64, host: &str) {
        self.now = now;
        let alive = |address: &IpAddr| {
            self.peers.iter().any(|((name, _), peer)| {
                self.address_of(name) == Some(*address) && peer.meeting != Meeting::Silence
            })
        };
        if let Some(address) = self.address_of(host).filter(alive) {
            self.schedule(now + self.latency.saturating_mul(2), NetworkEvent::Pinged { query, address });
        }
    }

    fn poll(&mut self, now: Timestamp) -> Option<NetworkEvent> {
        self.now = now;
        self.let_peers_act();
        while let Some(entry) = self.events.first_entry()
            && entry.key().0 <= now
        {
            let (at, event) = (entry.key().0, entry.remove());
            match &event {
                NetworkEvent::Connected { link, .. } => self.open(at, *link),
                NetworkEvent::Failed { link, .. } | NetworkEvent::Reset(link) => self.forget(*link),
                NetworkEvent::Readable(_)
                | NetworkEvent::Writable(_)
                | NetworkEvent::Closed(_)
                | NetworkEvent::Pinged { .. }
                | NetworkEvent::Resolved { .. } => {}
            }
            self.ready.push_back(event);
        }
        self.ready.pop_front()
    }

    fn deadline(&self) -> Option<Timestamp> {
        let event = self.events.first_key_value().map(|((at, _), _)| *at);
        let parcels = self.conversations.values().filter_map(|talk| talk.deadline(self.now));
        parcels.chain(event).min()
    }
}

impl MemoryNetwork {
    /// True if the modem can read from this link now.
    pub fn is_readable(&self, link: Link) -> bool {
        self.conversations.get(&link).is_some_and(|talk| talk.readable(self.now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_has_an_address_of_its_own_however_many_there_are() {
        let mut network = MemoryNetwork::new();
        network.name("given.test", [198, 51, 100, 3]);
        for number in 0..1_000 {
            network.serve(&format!("{number}.test"), 7, Peer::echo());
        }
        assert_eq!(network.names["0.test"], IpAddr::from([198, 51, 100, 2]), "the second name");
        assert_eq!(network.names["1.test"], IpAddr::from([198, 51, 100, 4]), "not that of another");
        let addresses: BTreeSet<IpAddr> = network.names.values().copied().collect();
        assert_eq!(addresses.len(), 1_001);
        let (last, next) = (own_address(254 + 0x1_fffe - 1), own_address(254 + 0x1_fffe));
        assert_eq!([last.to_string(), next.to_string()], ["198.19.255.254", "2001:db8::1"]);
    }
}
