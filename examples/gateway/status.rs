//! The counts of the gateway, and the answers to requests for its pages.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::fleet::{Fleet, RefusalKind};
use crate::relay::Relays;
use crate::{metrics, page};

/// The counts of the gateway.
pub struct Counts {
    began: Instant,
    refused: Mutex<BTreeMap<RefusalKind, u64>>,
}

/// The counts at a time.
pub struct Traffic {
    pub uptime: Duration,
    pub open: u64,
    pub waiting: u64,
    pub refused: Vec<(&'static str, u64)>,
}

/// An answer to a request for a page: status, content type, body.
pub type Answer = (u16, &'static str, String);

impl Counts {
    pub fn new() -> Self {
        let refused = RefusalKind::ALL.map(|kind| (kind, 0)).into();
        Self { began: Instant::now(), refused: Mutex::new(refused) }
    }

    pub fn refused(&self, kind: RefusalKind) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += 1;
    }

    pub fn traffic(&self, fleet: &Fleet, relays: &Relays) -> Traffic {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        Traffic {
            uptime: self.began.elapsed(),
            open: relays.count() as u64,
            waiting: fleet.waiting.load(Ordering::SeqCst),
            refused: refused.iter().map(|(kind, count)| (kind.label(), *count)).collect(),
        }
    }

    /// The page of this path.
    pub fn answer(&self, path: &str, fleet: &Fleet, relays: &Relays) -> Answer {
        let snapshots = || fleet.members.iter().map(|member| member.snapshot()).collect::<Vec<_>>();
        match path {
            "/" => (
                200,
                "text/html; charset=utf-8",
                page::page(&snapshots(), &self.traffic(fleet, relays), Instant::now()),
            ),
            "/metrics" => {
                (200, metrics::CONTENT_TYPE, metrics::metrics(&snapshots(), &self.traffic(fleet, relays)))
            }
            _ => (
                404,
                "text/plain; charset=utf-8",
                "There are / (the status page) and /metrics here.\n".to_owned(),
            ),
        }
    }
}
