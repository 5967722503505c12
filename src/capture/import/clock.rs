//! The times that logs carry.

use crate::time::Timestamp;

const DAY: u64 = 24 * 60 * 60 * 1000;

/// Turns the wall clock of a log into the time since its first stamp.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    first: Option<u64>,
    last: u64,
    days: u64,
}

impl Clock {
    /// The moment of a stamp that counts on for ever, in milliseconds.
    pub(crate) fn millis(&mut self, millis: u64) -> Timestamp {
        let first = *self.first.get_or_insert(millis);
        Timestamp::from_millis(millis.saturating_sub(first))
    }

    /// The moment of a stamp that shows only the time of day. A jump back by more than half a day is midnight.
    pub(crate) fn time_of_day(&mut self, millis: u64) -> Timestamp {
        if millis.saturating_add(DAY / 2) < self.last {
            self.days = self.days.saturating_add(1);
        }
        self.last = millis;
        self.millis(self.days.saturating_mul(DAY).saturating_add(millis))
    }
}

/// Milliseconds since midnight of `hh:mm:ss.mmm`, which is the whole of `text`.
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

/// Milliseconds of `yyyy?mm?dd hh:mm:ss.mmm`, where `?` is `separator`, since some day long ago.
pub(super) fn date_and_time(text: &[u8], separator: u8) -> Option<u64> {
    let [date @ .., b' ', _, _, _, _, _, _, _, _, _, _, _, _] = text else {
        return None;
    };
    let [y3, y2, y1, y0, first, m1, m0, second, d1, d0] = date else {
        return None;
    };
    if *first != separator || *second != separator {
        return None;
    }
    let (year, month, day) = (number(&[*y3, *y2, *y1, *y0])?, number(&[*m1, *m0])?, number(&[*d1, *d0])?);
    let days = days_before(year, month)?.checked_add(day)?;
    days.checked_mul(DAY)?.checked_add(time(text.get(11..)?)?)
}

/// A number of up to 15 digits.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 15 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

/// Days from the year 0 to the first of a month.
fn days_before(year: u64, month: u64) -> Option<u64> {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let before = BEFORE.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    // The leap day of this year counts only from March on.
    let whole_years = if month > 2 { year } else { year.saturating_sub(1) };
    let leap_days = (whole_years / 4).checked_sub(whole_years / 100)?.checked_add(whole_years / 400)?;
    year.checked_mul(365)?.checked_add(leap_days)?.checked_add(*before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnight_and_the_end_of_february_take_no_day_back() {
        let at = |text: &str| date_and_time(text.as_bytes(), b'/').unwrap();
        assert_eq!(at("2024/02/29 00:00:00.000") - at("2024/02/28 23:59:59.999"), 1);
        assert_eq!(at("2024/03/01 00:00:00.000") - at("2024/02/29 23:59:59.999"), 1);
        assert_eq!(at("2023/03/01 00:00:00.000") - at("2023/02/28 23:59:59.999"), 1);
        assert_eq!(at("2025/01/01 00:00:00.000") - at("2024/12/31 23:59:59.999"), 1);
        let mut clock = Clock::default();
        assert_eq!(clock.time_of_day(time(b"23:59:59.900").unwrap()), Timestamp::ZERO);
        assert_eq!(clock.time_of_day(time(b"00:00:00.100").unwrap()), Timestamp::from_millis(200));
    }

    #[test]
    fn what_is_no_time_is_no_time() {
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
        for text in
            ["2024/13/01 00:00:00.000", "2024/00/01 00:00:00.000", "2024-01-01 00:00:00.000", " 00:00:00.000"]
        {
            assert_eq!(date_and_time(text.as_bytes(), b'/'), None, "{text}");
        }
    }
}
