//! The module's clock and the calendar, for `AT+CCLK` and `+NITZ`.

use super::settings::Settings;

/// The module's own clock. It runs at the speed of the network's, and may be set to another time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// The seconds by which it is ahead of the network's time.
    ahead: i64,
    /// Its time zone in quarters of an hour.
    zone: i64,
    /// `AT+CTZU`: 1 if the network's time sets the clock when service comes.
    pub(super) network_sets: u8,
}

impl Clock {
    /// A clock that was set by the network.
    pub(super) fn new(settings: &Settings) -> Self {
        Self { ahead: 0, zone: settings.time_zone.into(), network_sets: 1 }
    }

    /// Its time in seconds since 1970 (UTC), for this time of the network.
    pub(super) fn utc(&self, network: i64) -> i64 {
        network + self.ahead
    }

    /// Its time as `AT+CCLK?` shows it.
    pub(super) fn shown(&self, network: i64, long_year: bool) -> String {
        format(self.utc(network), self.zone, long_year)
    }

    /// `AT+CCLK="..."`
    pub(super) fn set(&mut self, network: i64, utc: i64, zone: i64) {
        self.ahead = utc - network;
        self.zone = zone;
    }

    /// Service has come, and with it the network's time.
    pub(super) fn take_network_time(&mut self, settings: &Settings) {
        if self.network_sets == 1 {
            self.ahead = 0;
            self.zone = settings.time_zone.into();
        }
    }

    /// The clock after a reset: the time continues (assumed), the switch is lost.
    pub(super) fn rebooted(self) -> Self {
        Self { network_sets: 1, ..self }
    }
}

/// Reads `yy/MM/dd,hh:mm:ss+zz` into seconds since 1970 (UTC) and the zone; the years are 2000 to 2099, the zone -47 to
/// 48 (manual, CCLK).
pub(super) fn parse(text: &str) -> Option<(i64, i64)> {
    let bytes = text.as_bytes();
    let marks = [(2, b'/'), (5, b'/'), (8, b','), (11, b':'), (14, b':')];
    if bytes.len() != 20 || marks.iter().any(|(place, mark)| bytes[*place] != *mark) {
        return None;
    }
    let two = |place: usize| {
        let pair = &bytes[place..place + 2];
        let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
        Some(digit(pair[0])? * 10 + digit(pair[1])?)
    };
    let (year, month, day) = (2000 + two(0)?, two(3)?, two(6)?);
    let (hour, minute, second, quarters) = (two(9)?, two(12)?, two(15)?, two(18)?);
    let zone = match bytes[17] {
        b'+' => quarters,
        b'-' => -quarters,
        _ => return None,
    };
    let valid =
        (1..=12).contains(&month) && hour < 24 && minute < 60 && second < 60 && (-47..=48).contains(&zone);
    let days = days_of(year, month, day);
    (valid && civil(days) == (year, month, day))
        .then(|| (days * 86_400 + hour * 3600 + minute * 60 + second - zone * 900, zone))
}

/// The number of days from 1970-01-01 to a date: the inverse of [`civil`].
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Local time as `24/07/23,08:35:01+32`, from seconds since 1970 and a time zone in quarters of an hour. The zone has a
/// minimum of digits, `+0`, with a year of four digits (captures a01, a07, a14), and two digits with a year of two.
pub(super) fn format(utc: i64, zone: i64, long_year: bool) -> String {
    let local = utc + zone * 900;
    let (days, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let year = if long_year { format!("{year:04}") } else { format!("{:02}", year.rem_euclid(100)) };
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let zone = if long_year { format!("{zone:+}") } else { format!("{zone:+03}") };
    format!("{year}/{month:02}/{day:02},{hour:02}:{minute:02}:{second:02}{zone}")
}

/// The date of a day counted from 1970-01-01, in the Gregorian calendar. Years are counted from March, so that the leap
/// day is the last.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_capture_is_printed_as_the_modem_did() {
        assert_eq!(format(1_721_694_901, 32, false), "24/07/23,08:35:01+32");
        assert_eq!(format(1_721_694_901, 0, true), "2024/07/23,00:35:01+0");
    }

    #[test]
    fn what_is_printed_is_read_and_what_is_no_time_is_not() {
        for (utc, zone) in [(1_721_694_901, 32), (951_782_400, 0), (4_102_444_799, -47), (946_684_800, 0)] {
            assert_eq!(parse(&format(utc, zone, false)), Some((utc, zone)), "{utc}");
        }
        for text in [
            "",
            "18/08/07",
            "18/08/07,13:28:29",
            "18/13/07,13:28:29+32",
            "18/02/30,13:28:29+32",
            "18/08/07,24:28:29+32",
            "18/08/07,13:28:29+49",
            "18/08/07,13:28:29-48",
            "18/08/07,13:28:29*32",
            "18-08-07,13:28:29+32",
            "1x/08/07,13:28:29+32",
            "18/00/07,13:28:29+32",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn leap_days_and_year_ends_are_right() {
        assert_eq!(format(951_782_400, 0, true), "2000/02/29,00:00:00+0");
        assert_eq!(format(0, -4, true), "1969/12/31,23:00:00-4");
    }
}
