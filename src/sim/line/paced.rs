//! Bytes on a line of limited speed.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Timestamp;

/// Start bit, eight data bits, stop bit (8N1, the default of `AT+ICF`).
const BITS_PER_BYTE: u8 = 10;
/// The length of a burst of bytes, as from a UART's FIFO: it saves wake-ups at the same rate.
const BURST: Duration = Duration::from_millis(1);

/// The format and the rate of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) struct LineFormat {
    /// Bits a second; `None`: no limit.
    pub(in crate::sim) rate: Option<u32>,
    pub(in crate::sim) bits_per_byte: u8,
}

impl LineFormat {
    /// 8N1.
    pub(in crate::sim) fn new(rate: Option<u32>) -> Self {
        Self { rate, bits_per_byte: BITS_PER_BYTE }
    }
}

/// A queue whose bytes become ready one after the other at the line's rate, or all at once without a rate.
#[derive(Debug)]
pub(in crate::sim) struct Paced {
    queue: VecDeque<u8>,
    /// The number of bytes at the front that have been transmitted.
    ready: usize,
    format: LineFormat,
    /// The format after the line is empty: `AT+IPR` is answered at the old rate.
    next_format: Option<LineFormat>,
    /// The start of the current burst, and the number of its bytes that have been transmitted.
    started_at: Timestamp,
    crossed: u64,
}

impl Paced {
    /// An empty line with this rate in bits a second (`None`: no limit).
    pub(in crate::sim) fn new(rate: Option<u32>) -> Self {
        Self {
            queue: VecDeque::new(),
            ready: 0,
            format: LineFormat::new(rate),
            next_format: None,
            started_at: Timestamp::ZERO,
            crossed: 0,
        }
    }

    /// Sets the format from the time at which the line is empty.
    pub(in crate::sim) fn set_format(&mut self, format: LineFormat) {
        self.next_format = Some(format);
        self.change_format_if_empty();
    }

    pub(in crate::sim) fn rate(&self) -> Option<u32> {
        self.next_format.unwrap_or(self.format).rate
    }

    /// The number of bytes on the line, transmitted or not.
    pub(in crate::sim) fn len(&self) -> usize {
        self.queue.len()
    }

    /// The number of bytes that can be taken now.
    pub(in crate::sim) fn ready(&self) -> usize {
        self.ready
    }

    pub(in crate::sim) fn push(&mut self, now: Timestamp, bytes: &[u8]) {
        if self.ready == self.queue.len() {
            self.started_at = now;
            self.crossed = 0;
        }
        self.queue.extend(bytes);
        self.advance(now);
    }

    /// Advances the time.
    pub(in crate::sim) fn advance(&mut self, now: Timestamp) {
        let waiting = self.queue.len() - self.ready;
        let Some(rate) = self.format.rate else {
            self.ready = self.queue.len();
            return;
        };
        let nanos = u128::from((now - self.started_at).as_nanos() as u64);
        let done = nanos * u128::from(rate) / (u128::from(self.format.bits_per_byte) * 1_000_000_000);
        let fresh = done.saturating_sub(u128::from(self.crossed)).min(waiting as u128) as usize;
        self.ready += fresh;
        self.crossed += fresh as u64;
    }

    /// A line feed directly after a carriage return counts as arrived with it, because the host has written both.
    pub(in crate::sim) fn join_line_feed(&mut self) {
        let ends_in_cr = self.ready > 0 && self.queue[self.ready - 1] == b'\r';
        if ends_in_cr && self.queue.get(self.ready) == Some(&b'\n') {
            self.ready += 1;
            self.crossed += 1;
        }
    }

    /// The ready bytes at the front that are contiguous.
    pub(in crate::sim) fn front(&self) -> &[u8] {
        let (first, _) = self.queue.as_slices();
        &first[..first.len().min(self.ready)]
    }

    /// Removes ready bytes from the front.
    pub(in crate::sim) fn consume(&mut self, count: usize) {
        let count = count.min(self.ready);
        self.queue.drain(..count);
        self.ready -= count;
        self.change_format_if_empty();
    }

    /// Drops the ready bytes beyond this number, like a UART with a full buffer. Returns the number dropped.
    pub(in crate::sim) fn overrun(&mut self, buffer: usize) -> usize {
        let lost = self.ready.saturating_sub(buffer);
        self.queue.drain(self.ready - lost..self.ready);
        self.ready -= lost;
        self.change_format_if_empty();
        lost
    }

    /// Takes at most `most` ready bytes.
    pub(in crate::sim) fn take(&mut self, most: usize) -> Vec<u8> {
        let count = self.ready.min(most);
        let (first, second) = self.queue.as_slices();
        let mut bytes = Vec::with_capacity(count);
        let in_first = count.min(first.len());
        bytes.extend_from_slice(&first[..in_first]);
        bytes.extend_from_slice(&second[..count - in_first]);
        self.consume(count);
        bytes
    }

    /// The time at which more bytes become ready.
    pub(in crate::sim) fn deadline(&self) -> Option<Timestamp> {
        let waiting = (self.queue.len() - self.ready) as u64;
        let rate = u64::from(self.format.rate?);
        let bits_per_byte = u64::from(self.format.bits_per_byte);
        if waiting == 0 {
            return None;
        }
        let burst = (rate * BURST.as_micros() as u64 / (bits_per_byte * 1_000_000)).max(1);
        let bits = u128::from(self.crossed + waiting.min(burst)) * u128::from(bits_per_byte);
        let nanos = (bits * 1_000_000_000).div_ceil(u128::from(rate.max(1)));
        Some(self.started_at + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    fn change_format_if_empty(&mut self) {
        if self.queue.is_empty()
            && let Some(format) = self.next_format.take()
        {
            self.format = format;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossed_at(line: &mut Paced, micros: u64) -> Vec<u8> {
        line.advance(Timestamp::from_micros(micros));
        line.take(usize::MAX)
    }

    #[test]
    fn a_line_without_a_rate_is_crossed_at_once() {
        let mut line = Paced::new(None);
        line.push(Timestamp::ZERO, b"OK");
        assert_eq!(line.deadline(), None);
        assert_eq!(line.take(9), b"OK");
    }

    #[test]
    fn a_byte_takes_ten_bits() {
        let mut line = Paced::new(Some(10_000));
        line.push(Timestamp::ZERO, b"abc");
        assert_eq!(crossed_at(&mut line, 999), b"");
        assert_eq!(crossed_at(&mut line, 1_000), b"a");
        assert_eq!(crossed_at(&mut line, 2_999), b"b");
        assert_eq!(crossed_at(&mut line, 3_000), b"c");
        assert_eq!(line.deadline(), None);
    }

    #[test]
    fn the_deadline_is_the_moment_when_the_burst_has_crossed() {
        let mut line = Paced::new(Some(921_600));
        line.push(Timestamp::from_millis(5), &[0x55; 1000]);
        let mut got = 0;
        let mut last = Timestamp::ZERO;
        while let Some(at) = line.deadline() {
            assert!(at > last);
            last = at;
            line.advance(at);
            got += line.take(usize::MAX).len();
        }
        assert_eq!(got, 1000);
        assert_eq!(last.as_micros(), 5_000 + 1_000 * 10_000_000 / 921_600);
    }

    #[test]
    fn a_late_reader_loses_no_time_on_the_line() {
        let mut line = Paced::new(Some(10_000));
        line.push(Timestamp::ZERO, b"ab");
        assert_eq!(crossed_at(&mut line, 50_000), b"ab");
        line.push(Timestamp::from_micros(50_000), b"c");
        assert_eq!(line.deadline(), Some(Timestamp::from_micros(51_000)));
    }

    #[test]
    fn a_new_rate_waits_for_the_bytes_before_it() {
        let mut line = Paced::new(Some(10_000));
        line.push(Timestamp::ZERO, b"ab");
        line.set_format(LineFormat::new(Some(100_000)));
        assert_eq!(crossed_at(&mut line, 1_500), b"a");
        assert_eq!(crossed_at(&mut line, 2_000), b"b");
        line.push(Timestamp::from_micros(2_000), b"c");
        assert_eq!(crossed_at(&mut line, 2_100), b"c");
    }

    #[test]
    fn two_stop_bits_take_longer() {
        let mut line = Paced::new(Some(10_000));
        line.set_format(LineFormat { rate: Some(10_000), bits_per_byte: 11 });
        line.push(Timestamp::ZERO, b"ab");
        assert_eq!(crossed_at(&mut line, 2_000), b"a");
        assert_eq!(line.deadline(), Some(Timestamp::from_micros(2_200)));
    }

    #[test]
    fn an_overrun_loses_the_newest_bytes_that_have_crossed() {
        let mut line = Paced::new(Some(10_000));
        line.push(Timestamp::ZERO, b"abcdef");
        line.advance(Timestamp::from_millis(4));
        assert_eq!(line.overrun(3), 1);
        assert_eq!(crossed_at(&mut line, 6_000), b"abcef");
    }

    #[test]
    fn a_line_feed_arrives_with_its_carriage_return() {
        let mut line = Paced::new(Some(10_000));
        line.push(Timestamp::ZERO, b"\r\n\n");
        line.advance(Timestamp::from_micros(1_000));
        line.join_line_feed();
        assert_eq!(line.take(9), b"\r\n");
        assert_eq!(crossed_at(&mut line, 3_000), b"\n");
    }
}
