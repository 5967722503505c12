//! The substitute without feature `sim-tls`: there is no session, and `AT+CIPSSL=1` is refused.

use super::handshake::{Progress, Wanted};
use crate::sim::network::{Link, Network};
use crate::time::Timestamp;

/// True if `AT+CIPSSL=1` is possible.
pub(in crate::sim) const AVAILABLE: bool = false;

/// The session that does not exist: this type has no value.
#[derive(Debug)]
pub(in crate::sim) enum NoTls {}

impl NoTls {
    pub(in crate::sim) fn new(_: &Wanted<'_>) -> Result<Self, String> {
        Err("built without sim-tls".to_owned())
    }

    pub(in crate::sim) fn drive(&mut self, _: Timestamp, _: Link, _: &mut dyn Network) -> (bool, Progress) {
        match *self {}
    }

    pub(in crate::sim) fn send(&mut self, _: &[u8]) -> usize {
        match *self {}
    }

    pub(in crate::sim) fn receive(&mut self, _: &mut [u8]) -> usize {
        match *self {}
    }

    pub(in crate::sim) fn acknowledged(&self, _: u64) -> u64 {
        match *self {}
    }

    pub(in crate::sim) fn end(&mut self, _: Timestamp, _: Link, _: &mut dyn Network) {
        match *self {}
    }
}
