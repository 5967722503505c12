//! The state of `AT+CIPPING`.

use std::net::IpAddr;
use std::time::Duration;

use crate::time::Timestamp;

/// The time to live of an answer without a router between (assumed; the manual's example shows 54).
const ANSWER_TTL: u8 = 64;

/// A series of pings.
#[derive(Clone, Debug)]
pub(super) struct Ping {
    pub(super) host: String,
    pub(super) count: u16,
    pub(super) timeout: Duration,
    /// The number of the current ping, from 1.
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

    /// Another request is sent; it has a number of its own.
    pub(super) fn ask(&mut self, now: Timestamp, query: u64) {
        (self.number, self.query, self.asked_at, self.answered) = (self.number + 1, query, now, None);
    }

    /// An answer has come.
    pub(super) fn answer(&mut self, query: u64, address: IpAddr) {
        if self.query == query {
            self.answered = Some(address);
        }
    }

    /// The values of `+CIPPING:` for the current request; `None`: there is no answer yet.
    pub(super) fn shown(&self, now: Timestamp, overdue: bool) -> Option<String> {
        match self.answered {
            Some(address) => {
                let millis = (now - self.asked_at).as_millis();
                Some(format!("{},\"{address}\",{millis},{ANSWER_TTL}", self.number))
            }
            // No answer: 600 and 255 (manual).
            None if overdue => Some(format!("{},\"{}\",600,255", self.number, self.host)),
            None => None,
        }
    }

    /// True if it was the last.
    pub(super) fn is_over(&self) -> bool {
        self.number >= self.count
    }
}
