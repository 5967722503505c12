//! The calendar, for `AT+CCLK?` and `+NITZ`.

/// Local time as `24/07/23,08:35:01+32`, from seconds since 1970 and a time zone in quarters of an hour. With a year of
/// four digits the zone has as many as it needs, `+0` (captures a01, a07, a14); with one of two it has two.
pub(super) fn format(utc: i64, zone: i64, long_year: bool) -> String {
    let local = utc + zone * 900;
    let (days, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let year = if long_year { format!("{year:04}") } else { format!("{:02}", year.rem_euclid(100)) };
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let zone = if long_year { format!("{zone:+}") } else { format!("{zone:+03}") };
    format!("{year}/{month:02}/{day:02},{hour:02}:{minute:02}:{second:02}{zone}")
}

/// The date of a day counted from 1970-01-01, in the Gregorian calendar: years are counted from March so that the
/// leap day is the last.
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
    fn leap_days_and_year_ends_are_right() {
        assert_eq!(format(951_782_400, 0, true), "2000/02/29,00:00:00+0");
        assert_eq!(format(0, -4, true), "1969/12/31,23:00:00-4");
    }
}
