//! The bytes that a UART reads at another rate than that of the writer.

/// Bits of a byte on the line: start, eight data bits, stop (8N1).
const BITS: u64 = 10;

/// The bytes that a receiver at rate `to` reads if a sender writes without pause at rate `from`, both in bits a second
/// and not zero.
///
/// The receiver works like UARTs: it waits for a falling edge, samples the middle of each of its own bits, and after an
/// invalid stop bit waits until the line is high again.
pub(in crate::sim) fn misread(bytes: &[u8], from: u32, to: u32) -> Vec<u8> {
    let (from, to) = (u64::from(from.max(1)), u64::from(to.max(1)));
    let line = Levels { bytes };
    // The unit is a tick: a sent bit has 2 * to ticks and a received bit 2 * from, so that all times are whole numbers.
    let (sent_bit, read_bit) = (2 * to, 2 * from);
    let end = bytes.len() as u64 * BITS * sent_bit;
    let mut read = Vec::new();
    let mut now = 0;
    while let Some(start) = line.next_low(now, sent_bit).filter(|start| *start < end) {
        let at = |bit: u64| line.level((start + read_bit / 2 + bit * read_bit) / sent_bit);
        let byte = (0..8).fold(0, |byte, bit| byte | u8::from(at(bit + 1)) << bit);
        read.push(byte);
        let stop = start + read_bit / 2 + 9 * read_bit;
        now = if at(9) { stop } else { line.next_high(stop, sent_bit) };
    }
    read
}

/// The levels of a line with these bytes, bit by bit; high before and after them.
struct Levels<'a> {
    bytes: &'a [u8],
}

impl Levels<'_> {
    fn level(&self, bit: u64) -> bool {
        let byte = usize::try_from(bit / BITS).ok().and_then(|index| self.bytes.get(index));
        match (byte, bit % BITS) {
            (None, _) | (Some(_), 9) => true,
            (Some(_), 0) => false,
            (Some(byte), bit) => byte >> (bit - 1) & 1 == 1,
        }
    }

    /// The next time at which the line is low; `None` if it stays high.
    fn next_low(&self, now: u64, sent_bit: u64) -> Option<u64> {
        let first = now / sent_bit;
        let end = self.bytes.len() as u64 * BITS;
        let bit = (first..end).find(|bit| !self.level(*bit))?;
        Some((bit * sent_bit).max(now))
    }

    fn next_high(&self, now: u64, sent_bit: u64) -> u64 {
        let mut bit = now / sent_bit;
        while !self.level(bit) {
            bit += 1;
        }
        (bit * sent_bit).max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_same_rate_every_byte_is_read() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(misread(&all, 115_200, 115_200), all);
        // UARTs tolerate a few per cent.
        assert_eq!(misread(b"AT\r\n", 115_200, 117_000), b"AT\r\n");
    }

    #[test]
    fn at_another_rate_no_command_is_read() {
        let rates = [2_400, 9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600];
        for from in rates {
            for to in rates.into_iter().filter(|to| *to != from) {
                let read = misread(b"AT\r\nAT\r\nAT+CPIN?\r\n", from, to);
                let text = read.to_ascii_uppercase();
                assert!(!text.windows(2).any(|two| two == b"AT"), "{from} -> {to}: {read:?}");
                assert!(!read.is_empty(), "{from} -> {to}");
            }
        }
    }
}
