//! What the module says of names, pings and the time (protocol section 13).

use std::fmt;
use std::net::Ipv4Addr;

use super::line::bare_address;
use super::{Field, Line};

/// Why a name was not resolved: the number of `+CDNSGIP:0,<code>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DnsError(u32);

impl DnsError {
    /// The error with this number; any number is kept.
    pub const fn new(code: u32) -> Self {
        Self(code)
    }

    /// The number.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// What it means, for the documented numbers 10 to 15.
    pub fn text(self) -> Option<&'static str> {
        Some(match self.0 {
            10 => "general error",
            11 => "too many retries",
            12 => "no DNS server",
            13 => "no memory",
            14 => "invalid name",
            15 => "invalid answer",
            _ => return None,
        })
    }
}

impl fmt::Display for DnsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::code_table::write(f, self.0, self.text())
    }
}

impl fmt::Debug for DnsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DnsError({self})")
    }
}

/// One line of `AT+CIPPING`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PingReply {
    /// Which of the pings, from 1.
    pub sequence: u32,
    /// Who answered.
    pub address: Option<Ipv4Addr>,
    /// The round trip as the module counts it; no source says in which unit. `None`: no reply (the module prints 600).
    pub time: Option<u32>,
    /// Time to live of the reply; 255 if there was none.
    pub ttl: u32,
}

/// What the module prints for a ping without a reply: time and TTL.
const NO_REPLY: (u32, u32) = (600, 255);

impl PingReply {
    pub(super) fn parse(fields: &[Field<'_>]) -> Option<Self> {
        let [sequence, address, time, ttl] = fields else { return None };
        let (time, ttl) = (time.number()?, ttl.number()?);
        Some(Self {
            sequence: sequence.number()?,
            address: bare_address(address.bytes()),
            time: ((time, ttl) != NO_REPLY).then_some(time),
            ttl,
        })
    }
}

/// The module's clock: local date and time, and how far that is ahead of UTC.
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
    /// Quarters of an hour ahead of UTC, -96 to 96; `None` if the module does not say.
    pub quarters: Option<i8>,
}

impl ClockTime {
    /// Reads `24/10/22,19:50:34+32`, with two or four digits of the year and with or without the zone
    /// (`AT+CCLK?`, `+NITZ:`; variants section 1).
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

    /// From the lines of `AT+CCLK?`.
    pub fn of_reply(lines: &[String]) -> Option<Self> {
        lines.iter().find_map(|line| {
            let fields = Line::parse(line.as_bytes()).info("+CCLK")?;
            Self::parse(&fields.first()?.text())
        })
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
    fn names_and_pings_are_news() {
        use super::super::Urc;
        let resolved = Urc::parse(b"+CDNSGIP: 1,\"a.test\",\"1.2.3.4\",\"5.6.7.8\"");
        assert!(
            matches!(resolved, Urc::Resolved { host, addresses } if host == "a.test" && addresses.len() == 2)
        );
        assert_eq!(Urc::parse(b"+CDNSGIP:0,12"), Urc::ResolveFailed(DnsError::new(12)));
        let Urc::Ping(reply) = Urc::parse(b"+CIPPING: 1,\"1.2.3.4\",600,255") else { panic!() };
        assert_eq!((reply.sequence, reply.time), (1, None));
    }
}
