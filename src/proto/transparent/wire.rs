//! The state of written data: on the line and in the port.

use std::time::Duration;

use crate::proto::Deadline;
use crate::proto::transparent::end_detector::EndDetector;
use crate::proto::transparent::escape_guard::EscapeGuard;
use crate::proto::transparent::mirror::Mirror;
use crate::time::Timestamp;

/// The line in data mode.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) end_detector: EndDetector,
    pub(super) escape_guard: EscapeGuard,
    pub(super) baud_rate: u32,
    /// Whether the port has accepted the written bytes.
    pub(super) port: PortWrite,
    /// When delayed payload that looks like an escape may continue.
    pub(super) resume_at: Option<Timestamp>,
    /// The comparison of received bytes with the last heartbeat.
    pub(super) mirror: Mirror,
    /// The lines after the answer to an escape, until that answer is proved.
    pub(super) news: Vec<u8>,
    /// The number of their bytes that came before the question which proves it.
    pub(super) after_answer: usize,
}

/// The state of the latest piece at the port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PortWrite {
    /// The port has accepted it. Its last byte leaves the port at this moment at the latest.
    Done(Timestamp),
    /// The port has not accepted it yet: its length, and the latest moment at which the bytes before it have left the
    /// port.
    Busy(usize, Timestamp),
}

/// The most bytes that are written at once. The next piece follows when the port has accepted this one. So at most one
/// piece and the buffer of the port are in flight: enough for a busy line, and few to wait for before an escape.
pub(super) const PIECE: usize = 4 * 1024;

/// The buffer of a port (a terminal of Linux: 4 KiB).
pub(super) const PORT_BUFFER: usize = 4 * 1024;

/// The bits on the line for one byte (8N1).
pub(super) const BITS: u64 = 10;

impl Wire {
    pub(super) fn new(baud_rate: u32) -> Self {
        Self {
            end_detector: EndDetector::default(),
            escape_guard: EscapeGuard::default(),
            baud_rate,
            port: PortWrite::Done(Timestamp::ZERO),
            resume_at: None,
            mirror: Mirror::default(),
            news: Vec::new(),
            after_answer: 0,
        }
    }

    /// Data mode begins: the module's silence counts from now.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.port = PortWrite::Done(now);
    }

    /// The moment since which the line has been silent. `None` while the port has not accepted all bytes.
    pub(super) fn silent_since(&self) -> Option<Timestamp> {
        match self.port {
            PortWrite::Done(at) => Some(at),
            PortWrite::Busy(..) => None,
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        matches!(self.port, PortWrite::Busy(..))
    }

    /// The port has accepted all bytes.
    pub(super) fn taken(&mut self, now: Timestamp) {
        if let PortWrite::Busy(len, before) = self.port {
            let last = now.max(before) + self.on_the_line(len);
            self.port = PortWrite::Done(last.min(now + self.on_the_line(PORT_BUFFER)));
            self.escape_guard.taken(now);
        }
    }

    pub(super) fn on_the_line(&self, len: usize) -> Duration {
        Duration::from_micros(len as u64 * BITS * 1_000_000 / u64::from(self.baud_rate.max(1)))
    }

    /// Written bytes were lost with the port.
    pub(super) fn forget(&mut self) {
        self.port = PortWrite::Done(Timestamp::ZERO);
        self.end_detector.forget();
        self.news.clear();
        self.after_answer = 0;
        self.mirror.forget();
        self.resume_at = None;
    }

    pub(super) fn wrote(&mut self, now: Timestamp, bytes: &[u8]) {
        self.escape_guard.wrote(now, bytes);
        let before = self.silent_since().unwrap_or(now);
        self.port = PortWrite::Busy(bytes.len(), before);
    }

    pub(super) fn resume_at(&self) -> Option<(Timestamp, Deadline)> {
        self.resume_at.map(|at| (at, Deadline::Guard))
    }

    pub(super) fn tail_deadline(&self) -> Option<(Timestamp, Deadline)> {
        self.end_detector.deadline().map(|at| (at, Deadline::EndDetector))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_byte_leaves_the_port_at_the_line_rate_or_with_the_buffer_of_the_port() {
        let at = Timestamp::from_secs;
        let mut wire = Wire::new(9_600);
        assert_eq!(wire.on_the_line(960), Duration::from_secs(1));
        assert_eq!(Wire::new(0).on_the_line(1), Duration::from_secs(10));
        wire.begin(at(10));
        wire.wrote(at(10), &[b'x'; 960]);
        assert_eq!(wire.silent_since(), None);
        wire.taken(at(10));
        assert_eq!(wire.silent_since(), Some(at(11)));
        wire.wrote(at(11), &[b'x'; 8 * 1024]);
        wire.taken(at(11));
        let buffer = Duration::from_micros(4_096 * 10 * 1_000_000 / 9_600);
        assert_eq!(wire.silent_since(), Some(at(11) + buffer), "the port holds no more than its buffer");
        assert_eq!((PIECE, PORT_BUFFER), (4_096, 4_096));
    }

    #[test]
    fn bytes_that_wait_in_the_port_leave_before_the_next_ones() {
        let mut wire = Wire::new(9_600);
        wire.begin(Timestamp::from_secs(12));
        wire.wrote(Timestamp::from_secs(10), &[b'x'; 960]);
        wire.taken(Timestamp::from_secs(10));
        assert_eq!(wire.silent_since(), Some(Timestamp::from_secs(13)));
    }

    #[test]
    fn nothing_is_left_when_written_bytes_are_lost_with_the_port() {
        let mut wire = Wire::new(9_600);
        assert_eq!((wire.after_answer, wire.resume_at()), (0, None));
        wire.wrote(Timestamp::from_secs(1), b"x");
        wire.end_detector.push(Timestamp::from_secs(1), b"\r\nCLOSED\r\n", |_| {});
        wire.news.extend_from_slice(b"+CREG: 1\r\n");
        wire.after_answer = 10;
        wire.mirror.wrote(b"ping");
        wire.resume_at = Some(Timestamp::from_secs(2));
        assert_eq!(wire.resume_at(), Some((Timestamp::from_secs(2), Deadline::Guard)));
        wire.forget();
        assert_eq!(wire.port, PortWrite::Done(Timestamp::ZERO));
        assert!(!wire.end_detector.is_in_doubt() && wire.news.is_empty());
        assert_eq!((wire.after_answer, wire.resume_at()), (0, None));
        wire.mirror.received(b"ping");
        assert!(!wire.mirror.take_echo());
    }
}
