//! The run of `AT+CIPPING`: one echo request after the other, each with its answer or time-out.

use std::net::IpAddr;

use super::Machine;
use crate::sim::ping::Ping;
use crate::sim::result::{Continuation, Outcome, Pause};

impl Machine {
    /// Begins a series, which occupies the command line.
    pub(in crate::sim) fn begin_pings(&mut self, ping: Ping) -> Outcome {
        self.ip.ping = Some(ping);
        self.ask_again()
    }

    /// An answer has come.
    pub(super) fn pinged(&mut self, query: u64, address: IpAddr) {
        if let Some(ping) = &mut self.ip.ping {
            ping.answer(query, address);
        }
    }

    /// Continues the series; `None`: it still waits. Without a bearer it ends at once (manual, CIPPING).
    pub(super) fn ping_on(&mut self, overdue: bool) -> Option<Outcome> {
        let Some(ping) = self.ip.ping.clone() else {
            return Some(Outcome::ERROR);
        };
        let value = ping.shown(self.now, overdue)?;
        self.keyed("+CIPPING", &value);
        if !ping.is_over() {
            return Some(self.ask_again());
        }
        self.ip.ping = None;
        Some(Outcome::Ok)
    }

    fn ask_again(&mut self) -> Outcome {
        let query = self.ip.number();
        let now = self.now;
        let Some(ping) = &mut self.ip.ping else {
            return Outcome::ERROR;
        };
        ping.ask(now, query);
        self.network.ping(now, query, &ping.host);
        Outcome::Pause(Pause { until: now + ping.timeout, then: Continuation::Pinging })
    }
}
