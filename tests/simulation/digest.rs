//! A number for all bytes of a run. Two runs with the same number had the same bytes at the same times.

use air724ug::sim::Direction;
use air724ug::time::Timestamp;

/// A hash of type FNV-1a with 64 bits, which is the same on every platform and in every version of Rust.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    /// Adds bytes that the modem reads or writes.
    pub fn add(&mut self, now: Timestamp, way: Direction, bytes: &[u8]) {
        self.fold(&now.as_micros().to_le_bytes());
        self.fold(&[u8::from(way == Direction::ToHost)]);
        self.fold(bytes);
    }

    /// The number of a run of this kind and seed. The numbers of several runs are added, so their order does not
    /// matter.
    pub fn of_run(mut self, kind: &str, seed: u64) -> u64 {
        self.fold(kind.as_bytes());
        self.fold(&seed.to_le_bytes());
        self.0
    }

    fn fold(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
