//! A direction of the line, with the faults of its bytes.

use std::collections::VecDeque;
use std::time::Duration;

use super::behaviour::Transit;
use super::direction::Direction;
use super::schedule::FaultSchedule;
use crate::time::Timestamp;

/// The most bytes that wait in a disturbed line; further ones wait at the sender (limits memory).
const WAITING_LIMIT: usize = 64 * 1024;
/// The time between the parts of a split piece: more than a burst of the line.
const GAP: Duration = Duration::from_millis(2);

/// Bytes that arrive together.
#[derive(Debug)]
struct Piece {
    at: Timestamp,
    bytes: Vec<u8>,
}

/// One direction.
#[derive(Debug)]
pub(in crate::sim) struct Wire {
    direction: Direction,
    pieces: VecDeque<Piece>,
    waiting: usize,
    /// No bytes arrive before this time.
    stalled_until: Timestamp,
    /// The last piece accepts further bytes, up to this number in total.
    merges_up_to: usize,
}

impl Wire {
    pub(in crate::sim) fn new(direction: Direction) -> Self {
        Self {
            direction,
            pieces: VecDeque::new(),
            waiting: 0,
            stalled_until: Timestamp::ZERO,
            merges_up_to: 0,
        }
    }

    /// The number of bytes that it accepts.
    pub(in crate::sim) fn room(&self) -> usize {
        WAITING_LIMIT.saturating_sub(self.waiting)
    }

    /// Transmits bytes.
    pub(in crate::sim) fn push(&mut self, now: Timestamp, bytes: Vec<u8>, faults: &mut FaultSchedule) {
        if bytes.is_empty() {
            return;
        }
        let bytes = if faults.disturbs_bytes(self.direction) { self.disturb(bytes, faults) } else { bytes };
        let mut transit = Transit {
            part: bytes.len(),
            at: now,
            merges_up_to: self.merges_up_to,
            stalled_until: self.stalled_until,
        };
        if let Some(fault) = faults.disturbs_piece(self.direction) {
            fault.behaviour().piece(now, &mut transit);
        }
        self.merges_up_to = transit.merges_up_to;
        self.stalled_until = transit.stalled_until;
        let (mut at, part) = (transit.at, transit.part.max(1));
        for part in bytes.chunks(part) {
            self.append(now, at, part);
            at += GAP;
        }
    }

    /// The next piece that has arrived.
    pub(in crate::sim) fn pop(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        if self.deadline()? > now {
            return None;
        }
        let mut piece = self.pieces.pop_front()?;
        // Bytes that a stall has held arrive together.
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

    /// Appends a piece, or joins it to the last one while that accepts bytes.
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
            // Bytes arrive in order.
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
    fn disturb(&self, bytes: Vec<u8>, faults: &mut FaultSchedule) -> Vec<u8> {
        let mut disturbed = Vec::with_capacity(bytes.len());
        for byte in bytes {
            faults.carry_byte(self.direction, byte, &mut disturbed);
        }
        disturbed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::fault::{
        CorruptByte, DelayPiece, DropByte, DuplicateByte, Fault, MergePieces, Rule, SplitPiece, StallLine,
        Trigger,
    };

    const TO_HOST: Direction = Direction::ToHost;

    fn faults(fault: impl Into<Fault>, trigger: Trigger) -> FaultSchedule {
        FaultSchedule::new(&[Rule { fault: fault.into(), trigger }], 7)
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// The output of a wire that is read at each due time, with the times in milliseconds.
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
        let mut wire = Wire::new(Direction::FromHost);
        let mut faults = faults(DropByte(TO_HOST), Trigger::Chance(1.0));
        wire.push(at(3), b"abc".to_vec(), &mut faults);
        assert_eq!(wire.pop(at(3)), Some(b"abc".to_vec()), "the fault is in the other direction");
        assert_eq!(wire.deadline(), None);
    }

    #[test]
    fn one_byte_is_lost_doubled_or_corrupted() {
        let shown = |fault: Fault| {
            let mut wire = Wire::new(TO_HOST);
            wire.push(at(0), b"abc".to_vec(), &mut faults(fault, Trigger::Next));
            wire.pop(at(0)).unwrap_or_default()
        };
        assert_eq!(shown(DropByte(TO_HOST).into()), b"bc");
        assert_eq!(shown(DuplicateByte(TO_HOST).into()), b"aabc");
        let corrupted = shown(CorruptByte(TO_HOST).into());
        assert_eq!((corrupted[0] ^ b'a').count_ones(), 1);
        assert_eq!(&corrupted[1..], b"bc");
    }

    #[test]
    fn a_piece_is_split_and_nothing_overtakes_its_parts() {
        let mut wire = Wire::new(TO_HOST);
        let mut faults = faults(SplitPiece { direction: TO_HOST, bytes: 2 }, Trigger::Next);
        wire.push(at(0), b"abcde".to_vec(), &mut faults);
        wire.push(at(1), b"f".to_vec(), &mut faults);
        let parts = [(0, b"ab".to_vec()), (2, b"cd".to_vec()), (4, b"e".to_vec()), (4, b"f".to_vec())];
        assert_eq!(drained(&mut wire), parts);
    }

    #[test]
    fn pieces_are_merged_until_there_are_enough_or_it_takes_too_long() {
        let mut wire = Wire::new(TO_HOST);
        let mut faults = faults(MergePieces { direction: TO_HOST, bytes: 4 }, Trigger::Chance(1.0));
        wire.push(at(0), b"ab".to_vec(), &mut faults);
        assert_eq!(wire.pop(at(50)), None);
        wire.push(at(60), b"cd".to_vec(), &mut faults);
        assert_eq!(wire.pop(at(60)), Some(b"abcd".to_vec()));
        wire.push(at(70), b"e".to_vec(), &mut faults);
        assert_eq!(drained(&mut wire), [(170, b"e".to_vec())]);
    }

    #[test]
    fn a_delay_holds_back_what_is_after_it() {
        let mut wire = Wire::new(TO_HOST);
        let mut faults =
            faults(DelayPiece { direction: TO_HOST, by: Duration::from_millis(20) }, Trigger::Next);
        wire.push(at(0), b"a".to_vec(), &mut faults);
        wire.push(at(5), b"b".to_vec(), &mut faults);
        assert_eq!(drained(&mut wire), [(20, b"a".to_vec()), (20, b"b".to_vec())]);
    }

    #[test]
    fn a_stall_gathers_what_comes() {
        let mut wire = Wire::new(TO_HOST);
        let mut faults =
            faults(StallLine { direction: TO_HOST, lasting: Duration::from_millis(20) }, Trigger::Next);
        wire.push(at(0), b"a".to_vec(), &mut faults);
        wire.push(at(5), b"b".to_vec(), &mut faults);
        assert_eq!(drained(&mut wire), [(20, b"ab".to_vec())]);
        wire.push(at(30), b"c".to_vec(), &mut faults);
        assert_eq!(wire.pop(at(30)), Some(b"c".to_vec()));
    }
}
