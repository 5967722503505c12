//! `AT+CCLK?`: date and time.

use std::fmt;

use super::{Query, Reply};
use crate::at::Command;

/// Asks for date and time, which the network sets (`AT+CCLK?`; 3GPP 27.007 section 8.15).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock;

impl Query for Clock {
    type Answer = ClockTime;

    fn command(&self) -> Command {
        Command::question("AT+CCLK?", &["+CCLK"], |values| values.len() == 1)
    }

    fn read(&self, reply: &Reply) -> Option<ClockTime> {
        ClockTime::parse(&reply.values(&["+CCLK"])?.first()?.text())
    }
}

/// The module's clock: local date and time, and the offset from UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ClockTime {
    /// Year, four digits.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 60.
    pub second: u8,
    /// Quarters of an hour ahead of UTC, -96 to 96; `None` if the module does not report them.
    pub quarters: Option<i8>,
}

impl ClockTime {
    /// Reads `24/10/22,19:50:34+32`, with two or four digits for the year and with or without the zone (`AT+CCLK?`,
    /// `+NITZ:`).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_matches('"');
        let (date, rest) = text.split_once(',')?;
        let zone_at = rest.find(['+', '-']).unwrap_or(rest.len());
        let (time, zone) = rest.split_at(zone_at);
        let date = three(date, '/')?;
        let time = three(time, ':')?;
        let [year, month, day] = date;
        let [hour, minute, second] = small(time)?;
        let [month, day, _] = small([month, day, 0])?;
        let year = if year < 100 { year.checked_add(2000)? } else { year };
        let zone = zone.split(',').next().unwrap_or_default();
        let quarters = zone.parse::<i8>().ok().filter(|quarters| (-96..=96).contains(quarters));
        let in_range =
            (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
        in_range.then_some(Self { year, month, day, hour, minute, second, quarters })
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second, .. } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")?;
        match self.quarters {
            Some(quarters) => {
                let sign = if quarters < 0 { '-' } else { '+' };
                let minutes = u32::from(quarters.unsigned_abs()) * 15;
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            None => Ok(()),
        }
    }
}

/// Numbers that fit into a byte.
fn small([first, second, third]: [u16; 3]) -> Option<[u8; 3]> {
    Some([u8::try_from(first).ok()?, u8::try_from(second).ok()?, u8::try_from(third).ok()?])
}

fn three(text: &str, separator: char) -> Option<[u16; 3]> {
    let mut parts = text.split(separator).map(|part| part.trim().parse().ok());
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

#[cfg(test)]
mod tests {
    use super::super::answer_of;
    use super::*;

    #[test]
    fn the_time_is_read_in_every_spelling() {
        let time = ClockTime::parse("24/10/22,19:50:34+32").unwrap();
        assert_eq!(time.to_string(), "2024-10-22 19:50:34+08:00");
        assert_eq!(ClockTime::parse("2024/10/16,13:14:22+0,0").unwrap().quarters, Some(0));
        assert_eq!(
            ClockTime::parse("\"04/01/01,00:00:19-22\"").unwrap().to_string(),
            "2004-01-01 00:00:19-05:30"
        );
        assert_eq!(ClockTime::parse("24/08/22,07:27:15").unwrap().quarters, None);
    }

    #[test]
    fn a_time_that_cannot_be_is_none() {
        for text in
            ["", "24/13/01,00:00:00", "24/01/01,24:00:00", "24/01,00:00:00", "24/01/01,00:00", "a/b/c,d:e:f"]
        {
            assert_eq!(ClockTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_answer_is_one_quoted_value() {
        let time = answer_of(&Clock, &["+CCLK: \"24/08/22,07:27:15+32\"", "OK"]).unwrap();
        assert_eq!(time.to_string(), "2024-08-22 07:27:15+08:00");
        assert_eq!(answer_of(&Clock, &["OK"]), None);
    }
}
