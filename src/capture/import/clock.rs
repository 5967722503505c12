//! The times of logs.

use crate::time::Timestamp;

pub(super) const DAY: u64 = 24 * 60 * 60 * 1000;

/// Converts the wall clock of a log into the time since its first stamp.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    first: Option<u64>,
    last: u64,
    days: u64,
}

impl Clock {
    /// The time of a stamp that counts milliseconds without an end.
    pub(crate) fn millis(&mut self, millis: u64) -> Timestamp {
        let first = *self.first.get_or_insert(millis);
        Timestamp::from_millis(millis.saturating_sub(first))
    }

    /// The time of a stamp that shows only the time of day. A jump back by more than half a day means midnight.
    pub(crate) fn time_of_day(&mut self, millis: u64) -> Timestamp {
        if millis.saturating_add(DAY / 2) < self.last {
            self.days = self.days.saturating_add(1);
        }
        self.last = millis;
        self.millis(self.days.saturating_mul(DAY).saturating_add(millis))
    }
}

/// The milliseconds since midnight of `hh:mm:ss.mmm`, if `text` is nothing else.
#[cfg(any(feature = "luat", test))]
pub(crate) fn time(text: &[u8]) -> Option<u64> {
    let [h1, h0, b':', m1, m0, b':', s1, s0, b'.', ms @ ..] = text else {
        return None;
    };
    let (hours, minutes, seconds) = (number(&[*h1, *h0])?, number(&[*m1, *m0])?, number(&[*s1, *s0])?);
    let millis = number(ms).filter(|_| ms.len() == 3)?;
    let valid = hours < 24 && minutes < 60 && seconds < 61;
    let parts = [(hours, 3_600_000), (minutes, 60_000), (seconds, 1_000), (millis, 1)];
    let sum = |sum: u64, (count, unit): (u64, u64)| sum.saturating_add(count.saturating_mul(unit));
    valid.then(|| parts.into_iter().fold(0, sum))
}

/// A number of up to 15 digits.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 15 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

/// The days from the year 0 to the first day of a month.
pub(super) fn days_before(year: u64, month: u64) -> Option<u64> {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let before = BEFORE.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    // The leap day of this year counts from March on.
    let whole_years = if month > 2 { year } else { year.saturating_sub(1) };
    let leap_days = (whole_years / 4).checked_sub(whole_years / 100)?.checked_add(whole_years / 400)?;
    year.checked_mul(365)?.checked_add(leap_days)?.checked_add(*before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_over_midnight_and_the_end_of_february() {
        let before = |year, month| days_before(year, month).unwrap();
        assert_eq!((before(2024, 3) - before(2024, 2), before(2023, 3) - before(2023, 2)), (29, 28));
        assert_eq!(before(2025, 1) - before(2024, 12), 31);
        assert_eq!((days_before(2024, 13), days_before(2024, 0)), (None, None));
        let mut clock = Clock::default();
        assert_eq!(clock.time_of_day(time(b"23:59:59.900").unwrap()), Timestamp::ZERO);
        assert_eq!(clock.time_of_day(time(b"00:00:00.100").unwrap()), Timestamp::from_millis(200));
    }

    #[test]
    fn text_that_is_no_time_is_refused() {
        for text in [
            "",
            "1:02:03.004",
            "24:00:00.000",
            "01:60:00.000",
            "01:02:03.04",
            "01:02:03.0045",
            "aa:bb:cc.ddd",
        ] {
            assert_eq!(time(text.as_bytes()), None, "{text}");
        }
    }
}
