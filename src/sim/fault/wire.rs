//! Disturbances of bytes on their way, below all grammar, in one direction.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::Faults;
use crate::time::Timestamp;

/// Bytes that wait in a disturbed line; the sender waits behind them (bounds memory).
const WAITING_LIMIT: usize = 64 * 1024;
/// How far the parts of a split piece are apart: more than a burst of the line.
const GAP: Duration = Duration::from_millis(2);
/// How long merged bytes wait for more.
const PATIENCE: Duration = Duration::from_millis(100);

/// A direction of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the modem to the host.
    ToHost,
    /// From the host to the modem.
    FromHost,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ToHost => "to-host",
            Self::FromHost => "from-host",
        })
    }
}

/// What happens to bytes. The first three strike single bytes, the others a piece: what arrives together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// A byte is lost.
    Drop,
    /// A byte comes twice.
    Duplicate,
    /// A bit of a byte is turned over.
    Corrupt,
    /// A piece arrives in parts of at most this many bytes, some time apart.
    Split(usize),
    /// What comes is held back until it is this many bytes, or 100 ms have passed.
    Merge(usize),
    /// A piece comes this much later, and everything behind it not before.
    Delay(Duration),
    /// Nothing passes for this long; then all that has gathered comes together.
    Stall(Duration),
}

impl Disturbance {
    pub(super) fn show(self, way: Way, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop => write!(f, "drop={way}"),
            Self::Duplicate => write!(f, "duplicate={way}"),
            Self::Corrupt => write!(f, "corrupt={way}"),
            Self::Split(bytes) => write!(f, "split={way},{bytes}"),
            Self::Merge(bytes) => write!(f, "merge={way},{bytes}"),
            Self::Delay(by) => write!(f, "delay={way},{}ms", by.as_millis()),
            Self::Stall(span) => write!(f, "stall={way},{}ms", span.as_millis()),
        }
    }

    /// Whether it strikes single bytes.
    pub(super) fn is_of_bytes(self) -> bool {
        match self {
            Self::Drop | Self::Duplicate | Self::Corrupt => true,
            Self::Split(_) | Self::Merge(_) | Self::Delay(_) | Self::Stall(_) => false,
        }
    }
}

/// Bytes that come out together.
#[derive(Debug)]
struct Piece {
    at: Timestamp,
    bytes: Vec<u8>,
}

/// One direction.
#[derive(Debug)]
pub(in crate::sim) struct Wire {
    way: Way,
    pieces: VecDeque<Piece>,
    waiting: usize,
    /// Nothing passes before.
    stalled_until: Timestamp,
    /// The last piece takes in what comes, up to this many bytes.
    merges_up_to: usize,
}

impl Wire {
    pub(in crate::sim) fn new(way: Way) -> Self {
        Self { way, pieces: VecDeque::new(), waiting: 0, stalled_until: Timestamp::ZERO, merges_up_to: 0 }
    }

    /// How many more bytes it takes.
    pub(in crate::sim) fn room(&self) -> usize {
        WAITING_LIMIT.saturating_sub(self.waiting)
    }

    /// Lets bytes in.
    pub(in crate::sim) fn push(&mut self, now: Timestamp, bytes: Vec<u8>, faults: &mut Faults) {
        if bytes.is_empty() {
            return;
        }
        let bytes = if faults.disturbs_bytes(self.way) { self.disturb(bytes, faults) } else { bytes };
        let mut at = now;
        let mut part = bytes.len().max(1);
        match faults.disturbs_piece(self.way) {
            Some(Disturbance::Split(bytes)) => part = bytes.max(1),
            Some(Disturbance::Merge(bytes)) => {
                self.merges_up_to = bytes;
                at = now + PATIENCE;
            }
            Some(Disturbance::Delay(by)) => at = now + by,
            Some(Disturbance::Stall(span)) => self.stalled_until = self.stalled_until.max(now + span),
            Some(Disturbance::Drop | Disturbance::Duplicate | Disturbance::Corrupt) | None => {}
        }
        for part in bytes.chunks(part) {
            self.append(now, at, part);
            at += GAP;
        }
    }

    /// The next piece that has come through.
    pub(in crate::sim) fn pop(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        if self.deadline()? > now {
            return None;
        }
        let mut piece = self.pieces.pop_front()?;
        // What a stall has held back comes together.
        let stalled_until = self.stalled_until;
        while piece.at < stalled_until && self.pieces.front().is_some_and(|next| next.at <= stalled_until) {
            piece.bytes.extend(self.pieces.pop_front()?.bytes);
        }
        self.waiting -= piece.bytes.len();
        self.merges_up_to = if self.pieces.is_empty() { 0 } else { self.merges_up_to };
        Some(piece.bytes)
    }

    pub(in crate::sim) fn deadline(&self) -> Option<Timestamp> {
        self.pieces.front().map(|piece| piece.at.max(self.stalled_until))
    }

    /// Puts a piece behind the others, or into the last one while that merges.
    fn append(&mut self, now: Timestamp, at: Timestamp, bytes: &[u8]) {
        self.waiting += bytes.len();
        let merges = self.merges_up_to;
        if let Some(last) = self.pieces.back_mut() {
            if merges > 0 && last.bytes.len() < merges {
                last.bytes.extend_from_slice(bytes);
                if last.bytes.len() >= merges {
                    last.at = now;
                    self.merges_up_to = 0;
                }
                return;
            }
            // Nothing overtakes.
            let at = at.max(last.at);
            self.pieces.push_back(Piece { at, bytes: bytes.to_vec() });
            return;
        }
        let full = merges > 0 && bytes.len() >= merges;
        let at = if full { now } else { at };
        self.merges_up_to = if full { 0 } else { merges };
        self.pieces.push_back(Piece { at, bytes: bytes.to_vec() });
    }

    /// Loses, doubles and corrupts single bytes.
    fn disturb(&self, bytes: Vec<u8>, faults: &mut Faults) -> Vec<u8> {
        let mut disturbed = Vec::with_capacity(bytes.len());
        for byte in bytes {
            match faults.disturbs_byte(self.way) {
                Some(Disturbance::Drop) => {}
                Some(Disturbance::Duplicate) => disturbed.extend([byte, byte]),
                Some(Disturbance::Corrupt) => disturbed.push(byte ^ (1 << faults.bit())),
                Some(
                    Disturbance::Split(_)
                    | Disturbance::Merge(_)
                    | Disturbance::Delay(_)
                    | Disturbance::Stall(_),
                )
                | None => disturbed.push(byte),
            }
        }
        disturbed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::fault::{Fault, Rule, When};

    fn faults(disturbance: Disturbance, when: When) -> Faults {
        Faults::new(&[Rule { fault: Fault::Wire(Way::ToHost, disturbance), when }], 7)
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// What comes out of a wire that is read whenever something is due, with the times in milliseconds.
    fn drained(wire: &mut Wire) -> Vec<(u64, Vec<u8>)> {
        let mut got = Vec::new();
        while let Some(due) = wire.deadline() {
            while let Some(bytes) = wire.pop(due) {
                got.push((due.as_micros() / 1000, bytes));
            }
        }
        got
    }

    #[test]
    fn without_faults_bytes_pass_at_once() {
        let mut wire = Wire::new(Way::FromHost);
        let mut faults = faults(Disturbance::Drop, When::Chance(1.0));
        wire.push(at(3), b"abc".to_vec(), &mut faults);
        assert_eq!(wire.pop(at(3)), Some(b"abc".to_vec()), "the fault is in the other direction");
        assert_eq!(wire.deadline(), None);
    }

    #[test]
    fn one_byte_is_lost_doubled_or_corrupted() {
        let shown = |disturbance| {
            let mut wire = Wire::new(Way::ToHost);
            wire.push(at(0), b"abc".to_vec(), &mut faults(disturbance, When::Next));
            wire.pop(at(0)).unwrap_or_default()
        };
        assert_eq!(shown(Disturbance::Drop), b"bc");
        assert_eq!(shown(Disturbance::Duplicate), b"aabc");
        let corrupted = shown(Disturbance::Corrupt);
        assert_eq!((corrupted[0] ^ b'a').count_ones(), 1);
        assert_eq!(&corrupted[1..], b"bc");
    }

    #[test]
    fn a_piece_is_split_and_nothing_overtakes_its_parts() {
        let mut wire = Wire::new(Way::ToHost);
        let mut faults = faults(Disturbance::Split(2), When::Next);
        wire.push(at(0), b"abcde".to_vec(), &mut faults);
        wire.push(at(1), b"f".to_vec(), &mut faults);
        let parts = [(0, b"ab".to_vec()), (2, b"cd".to_vec()), (4, b"e".to_vec()), (4, b"f".to_vec())];
        assert_eq!(drained(&mut wire), parts);
    }

    #[test]
    fn pieces_are_merged_until_there_are_enough_or_it_takes_too_long() {
        let mut wire = Wire::new(Way::ToHost);
        let mut faults = faults(Disturbance::Merge(4), When::Chance(1.0));
        wire.push(at(0), b"ab".to_vec(), &mut faults);
        assert_eq!(wire.pop(at(50)), None);
        wire.push(at(60), b"cd".to_vec(), &mut faults);
        assert_eq!(wire.pop(at(60)), Some(b"abcd".to_vec()));
        wire.push(at(70), b"e".to_vec(), &mut faults);
        assert_eq!(drained(&mut wire), [(170, b"e".to_vec())]);
    }

    #[test]
    fn a_delay_holds_back_what_is_behind_it() {
        let mut wire = Wire::new(Way::ToHost);
        let mut faults = faults(Disturbance::Delay(Duration::from_millis(20)), When::Next);
        wire.push(at(0), b"a".to_vec(), &mut faults);
        wire.push(at(5), b"b".to_vec(), &mut faults);
        assert_eq!(drained(&mut wire), [(20, b"a".to_vec()), (20, b"b".to_vec())]);
    }

    #[test]
    fn a_stall_gathers_what_comes() {
        let mut wire = Wire::new(Way::ToHost);
        let mut faults = faults(Disturbance::Stall(Duration::from_millis(20)), When::Next);
        wire.push(at(0), b"a".to_vec(), &mut faults);
        wire.push(at(5), b"b".to_vec(), &mut faults);
        assert_eq!(drained(&mut wire), [(20, b"ab".to_vec())]);
        wire.push(at(30), b"c".to_vec(), &mut faults);
        assert_eq!(wire.pop(at(30)), Some(b"c".to_vec()));
    }
}
