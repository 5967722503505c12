//! The network of this machine: real TCP and UDP sockets.

mod names;
mod pipe;
mod report;
mod sockets;
mod tcp;
mod udp;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use crossbeam_channel::Receiver;

use report::{Report, Reporter, spawn};
use tcp::TcpLink;
use udp::UdpLink;

use super::link_options::LinkOptions;
use super::network::{ConnectFailure, Link, Network, NetworkEvent, Protocol, Target, Waker};
use crate::time::Timestamp;

/// The most threads that connect or resolve at the same time, including those whose result is no longer needed. Beyond
/// it a connect fails at once, so that a host that opens and closes links without an answer can't fill the machine with
/// threads.
const MAX_PENDING: usize = 64;

/// Real sockets as the modem's network: the modem reaches the servers that this machine reaches.
///
/// Threads wait for the sockets and report to the simulator through a channel. Each link has at most 64 KiB in transit
/// in each direction, so a slow line slows the peer down and uses no further memory.
#[derive(Debug)]
pub struct HostNetwork {
    names: Arc<BTreeMap<String, IpAddr>>,
    links: BTreeMap<Link, HostLink>,
    reporter: Reporter,
    reports: Receiver<Report>,
    ready: VecDeque<NetworkEvent>,
    /// The options of links that are not connected yet.
    prepared: BTreeMap<Link, LinkOptions>,
    pending: Arc<()>,
}

#[derive(Debug)]
enum HostLink {
    Connecting,
    Tcp(TcpLink),
    Udp(UdpLink),
}

impl HostNetwork {
    /// This machine's network, with the system's name resolution.
    pub fn new() -> Self {
        let (sender, reports) = crossbeam_channel::unbounded();
        Self {
            names: Arc::default(),
            links: BTreeMap::new(),
            reporter: Reporter::new(sender),
            reports,
            ready: VecDeque::new(),
            prepared: BTreeMap::new(),
            pending: Arc::new(()),
        }
    }

    /// Sets the address of a host, in place of the system's.
    #[must_use]
    pub fn name(mut self, host: &str, address: impl Into<IpAddr>) -> Self {
        Arc::make_mut(&mut self.names).insert(host.to_owned(), address.into());
        self
    }

    /// Runs work in a thread; `false` if there are too many.
    fn in_thread(&self, name: &str, number: u64, work: impl FnOnce() + Send + 'static) -> bool {
        let token = self.pending.clone();
        let work = move || {
            work();
            drop(token);
        };
        Arc::strong_count(&self.pending) <= MAX_PENDING && spawn(name, number, work).is_ok()
    }

    /// The event for a thread's report, if its link is still in use.
    fn take(&mut self, report: Report) -> Option<NetworkEvent> {
        match report {
            Report::Stream { link, stream } => {
                let address = stream.peer_addr().ok().map(|peer| peer.ip());
                let started = |reporter: &Reporter| TcpLink::start(link, stream, reporter).map(HostLink::Tcp);
                self.opened(link, address, started)
            }
            Report::Socket { link, socket, address } => {
                let started = |reporter: &Reporter| UdpLink::start(link, socket, reporter).map(HostLink::Udp);
                self.opened(link, Some(address), started)
            }
            Report::Event(event) => {
                if let NetworkEvent::Failed { link, .. } = event {
                    self.links.remove(&link);
                }
                Some(event)
            }
        }
    }

    fn opened(
        &mut self,
        link: Link,
        address: Option<IpAddr>,
        start: impl FnOnce(&Reporter) -> std::io::Result<HostLink>,
    ) -> Option<NetworkEvent> {
        let place = self.links.get_mut(&link)?;
        match start(&self.reporter) {
            Ok(started) => {
                *place = started;
                Some(NetworkEvent::Connected { link, address })
            }
            Err(_) => {
                self.links.remove(&link);
                let why = ConnectFailure::Unreachable;
                Some(NetworkEvent::Failed { link, why })
            }
        }
    }
}

impl Default for HostNetwork {
    fn default() -> Self {
        Self::new()
    }
}

impl Network for HostNetwork {
    fn prepare(&mut self, link: Link, options: LinkOptions) {
        self.prepared.insert(link, options);
    }

    fn connect(&mut self, _: Timestamp, link: Link, target: &Target) {
        self.links.insert(link, HostLink::Connecting);
        let options = self.prepared.remove(&link).unwrap_or_default();
        let (reporter, names, target) = (self.reporter.clone(), self.names.clone(), target.clone());
        // A UDP socket to an address is ready at once, as in capture a04. It is created in the same way.
        let direct = target.protocol == Protocol::Udp && target.host.parse::<IpAddr>().is_ok();
        if direct {
            names::connect(&reporter, link, &target, options, &names);
            return;
        }
        let work = move || names::connect(&reporter, link, &target, options, &names);
        if !self.in_thread("connect", link.number(), work) {
            let why = ConnectFailure::Unreachable;
            self.ready.push_back(NetworkEvent::Failed { link, why });
        }
    }

    fn send(&mut self, _: Timestamp, link: Link, bytes: &[u8]) -> usize {
        match self.links.get(&link) {
            Some(HostLink::Tcp(tcp)) => tcp.send(bytes),
            Some(HostLink::Udp(udp)) => udp.send(bytes),
            Some(HostLink::Connecting) | None => 0,
        }
    }

    fn acknowledged(&self, link: Link) -> u64 {
        match self.links.get(&link) {
            Some(HostLink::Tcp(tcp)) => tcp.acknowledged(),
            Some(HostLink::Udp(udp)) => udp.acknowledged(),
            Some(HostLink::Connecting) | None => 0,
        }
    }

    fn receive(&mut self, _: Timestamp, link: Link, into: &mut [u8]) -> usize {
        match self.links.get(&link) {
            Some(HostLink::Tcp(tcp)) => tcp.receive(into),
            Some(HostLink::Udp(udp)) => udp.receive(into),
            Some(HostLink::Connecting) | None => 0,
        }
    }

    fn close(&mut self, _: Timestamp, link: Link) {
        self.links.remove(&link);
    }

    fn resolve(&mut self, _: Timestamp, query: u64, host: &str) {
        let (reporter, names, host) = (self.reporter.clone(), self.names.clone(), host.to_owned());
        let work = move || {
            let addresses = names::addresses(&names, &host);
            reporter.event(NetworkEvent::Resolved { query, addresses });
        };
        if !self.in_thread("resolve", query, work) {
            let addresses = Vec::new();
            self.ready.push_back(NetworkEvent::Resolved { query, addresses });
        }
    }

    fn ping(&mut self, _: Timestamp, query: u64, host: &str) {
        let (reporter, names, host) = (self.reporter.clone(), self.names.clone(), host.to_owned());
        // Without a thread there is no answer.
        self.in_thread("ping", query, move || {
            if let Some(address) = names::ping(&names, &host) {
                reporter.event(NetworkEvent::Pinged { query, address });
            }
        });
    }

    fn poll(&mut self, _: Timestamp) -> Option<NetworkEvent> {
        while self.ready.is_empty() {
            let report = self.reports.try_recv().ok()?;
            let event = self.take(report);
            self.ready.extend(event);
        }
        self.ready.pop_front()
    }

    fn deadline(&self) -> Option<Timestamp> {
        None
    }

    fn set_waker(&mut self, waker: Waker) {
        self.reporter.set_waker(waker);
    }
}
