//! `AT+CIPPING`: one question after the other, each answered or not in its time.

use std::net::IpAddr;
use std::time::Duration;

use super::machine::Machine;
use super::network::Network;
use super::result::{Outcome, Pause, Then};
use crate::time::Timestamp;

/// The time to live of an answer that has passed no router (assumed; the manual's example shows 54).
const ANSWER_TTL: u8 = 64;

/// A series of pings.
#[derive(Clone, Debug)]
pub(super) struct Ping {
    pub(super) host: String,
    pub(super) count: u16,
    pub(super) timeout: Duration,
    /// The one under way, from 1 on.
    number: u16,
    query: u64,
    asked_at: Timestamp,
    answered: Option<IpAddr>,
}

impl Ping {
    pub(super) fn new(host: String, count: u16, timeout: Duration) -> Self {
        let asked_at = Timestamp::ZERO;
        Self { host, count, timeout, number: 0, query: 0, asked_at, answered: None }
    }
}

impl Machine {
    /// Begins a series, which keeps the command line busy.
    pub(super) fn begin_pings(&mut self, network: &mut dyn Network, ping: Ping) -> Outcome {
        self.ip.ping = Some(ping);
        self.ask_again(network)
    }

    /// An answer has come.
    pub(super) fn pinged(&mut self, query: u64, address: IpAddr) {
        if let Some(ping) = self.ip.ping.as_mut().filter(|ping| ping.query == query) {
            ping.answered = Some(address);
        }
    }

    /// Goes on with the series; `None`: it waits on. Without a bearer it ends at once (manual, CIPPING).
    pub(super) fn ping_on(&mut self, network: &mut dyn Network, overdue: bool) -> Option<Outcome> {
        let Some(ping) = self.ip.ping.clone() else {
            return Some(Outcome::ERROR);
        };
        let value = match ping.answered {
            Some(address) => {
                let millis = (self.now - ping.asked_at).as_millis();
                format!("{},\"{address}\",{millis},{ANSWER_TTL}", ping.number)
            }
            // No answer: 600 and 255 (manual).
            None if overdue => format!("{},\"{}\",600,255", ping.number, ping.host),
            None => return None,
        };
        self.keyed("+CIPPING", &value);
        if ping.number < ping.count {
            return Some(self.ask_again(network));
        }
        self.ip.ping = None;
        Some(Outcome::Ok)
    }

    fn ask_again(&mut self, network: &mut dyn Network) -> Outcome {
        let query = self.ip.number();
        let now = self.now;
        let Some(ping) = &mut self.ip.ping else {
            return Outcome::ERROR;
        };
        (ping.number, ping.query, ping.asked_at, ping.answered) = (ping.number + 1, query, now, None);
        network.ping(now, query, &ping.host);
        Outcome::Pause(Pause { until: now + ping.timeout, then: Then::Pinging })
    }
}
