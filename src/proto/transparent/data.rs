//! The bytes of a transparent stream in both directions.

use crate::proto::channels::Piece;
use crate::time::Timestamp;

use super::end_detector::Escape;
use super::end_lines::Ending;
use super::escape_guard::Allowed;
use super::wire::PIECE;
use super::{NO_ANSWER_YET, StreamAction, StreamState, Transparent};

impl Transparent {
    /// The port has accepted all written bytes.
    pub(in crate::proto) fn port_took(&mut self, now: Timestamp) {
        self.wire.taken(now);
    }

    /// True while the port has not accepted all written bytes.
    pub(in crate::proto) fn awaits_port(&self) -> bool {
        self.wire.is_busy()
    }

    /// Bytes came in data mode. `give` is called with the payload.
    pub(in crate::proto) fn received(&mut self, now: Timestamp, bytes: &[u8], mut give: impl FnMut(&[u8])) {
        self.wire.end_detector.escape_is(self.escape_at(now));
        let mirror = &mut self.wire.mirror;
        self.wire.end_detector.push(now, bytes, |payload| {
            mirror.received(payload);
            give(payload);
        });
    }

    /// Time has passed without a byte: held bytes may be payload.
    pub(in crate::proto) fn settle(&mut self, now: Timestamp, give: impl FnOnce(&[u8])) {
        if !matches!(
            self.state,
            StreamState::Online | StreamState::Guarding { .. } | StreamState::Escaping { .. }
        ) {
            return;
        }
        self.wire.end_detector.escape_is(self.escape_at(now));
        let mirror = &mut self.wire.mirror;
        self.wire.end_detector.settle(now, |payload| {
            mirror.received(payload);
            give(payload);
        });
    }

    /// The held bytes were payload.
    pub(super) fn give_held(&mut self) {
        let mut payload = Vec::new();
        self.wire.end_detector.give_up(|held| payload.extend_from_slice(held));
        self.give(payload);
    }

    /// The end of the connection, if the held bytes report it.
    pub(super) fn end_by_tail(&mut self, echo_is_off: bool) -> Option<Ending> {
        if !self.wire.end_detector.is_in_doubt() {
            return None;
        }
        let mut payload = Vec::new();
        let ending = self.wire.end_detector.end(echo_is_off, |held| payload.extend_from_slice(held));
        self.give(payload);
        ending
    }

    fn give(&mut self, payload: Vec<u8>) {
        if !payload.is_empty() {
            self.wire.mirror.received(&payload);
            self.act(StreamAction::Payload(payload));
        }
    }

    fn escape_at(&self, now: Timestamp) -> Escape {
        match self.state {
            // The answer to an earlier escape may come late.
            StreamState::Escaping { failed: 1.., .. } | StreamState::Guarding { failed: 1.., .. } => {
                Escape::Answerable
            }
            StreamState::Escaping { since, .. } if now >= since + NO_ANSWER_YET => Escape::Answerable,
            StreamState::Escaping { .. } => Escape::Written,
            StreamState::Off | StreamState::Preparing(_) | StreamState::Dialling(_) => Escape::None,
            StreamState::Online | StreamState::Guarding { .. } | StreamState::Proving(_) => Escape::None,
            StreamState::Command | StreamState::Resuming => Escape::None,
            StreamState::Closing | StreamState::Recovering => Escape::None,
        }
    }

    /// Writes as many of the next data as possible now, and returns their number. Zero while the port has not accepted
    /// the last ones.
    pub(in crate::proto) fn write(&mut self, now: Timestamp, next: Option<Piece<'_>>) -> usize {
        let wire = &mut self.wire;
        wire.resume_at = None;
        let Some(Piece { bytes, more, is_heartbeat }) = next else { return 0 };
        if wire.is_busy() || wire.end_detector.is_in_doubt() {
            return 0;
        }
        let bytes = &bytes[..bytes.len().min(PIECE)];
        let len = match wire.escape_guard.allow(now, bytes, more || bytes.len() == PIECE) {
            Allowed::Now(len) => len,
            Allowed::Wait(until) => {
                wire.resume_at = Some(until);
                return 0;
            }
        };
        wire.wrote(now, &bytes[..len]);
        if is_heartbeat {
            wire.mirror.wrote(&bytes[..len]);
        } else {
            wire.mirror.forget();
        }
        len
    }
}
