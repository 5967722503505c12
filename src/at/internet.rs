//! Lines of the module about names and pings (protocol section 13).

use std::fmt;
use std::net::Ipv4Addr;

use super::Field;
use super::line::bare_address;

/// The reason of a failed name resolution: the number of `+CDNSGIP:0,<code>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DnsError(u32);

impl DnsError {
    /// The error with this number, known or unknown.
    pub const fn new(code: u32) -> Self {
        Self(code)
    }

    /// The number.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// The meaning of the documented numbers 10 to 15.
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
    /// The number of the ping, from 1.
    pub sequence: u32,
    /// The host that answered.
    pub address: Option<Ipv4Addr>,
    /// The round trip time in the module's unit, which no source names. `None`: no reply (the module prints 600).
    pub time: Option<u32>,
    /// Time to live of the reply; 255 if there was none.
    pub ttl: u32,
}

/// The time and TTL that the module prints for a ping without a reply.
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

#[cfg(test)]
mod tests {
    use super::super::Urc;
    use super::*;

    #[test]
    fn the_number_of_an_error_is_that_of_the_line() {
        assert!(matches!(Urc::parse(b"+CDNSGIP:0,8"), Urc::ResolveFailed(error) if error.code() == 8));
    }

    #[test]
    fn names_and_pings_are_news() {
        let resolved = Urc::parse(b"+CDNSGIP: 1,\"a.test\",\"1.2.3.4\",\"5.6.7.8\"");
        assert!(
            matches!(resolved, Urc::Resolved { host, addresses } if host == "a.test" && addresses.len() == 2)
        );
        assert_eq!(Urc::parse(b"+CDNSGIP:0,12"), Urc::ResolveFailed(DnsError::new(12)));
        let Urc::Ping(reply) = Urc::parse(b"+CIPPING: 1,\"1.2.3.4\",600,255") else { panic!() };
        assert_eq!((reply.sequence, reply.time), (1, None));
    }

    #[test]
    fn a_code_of_dns_shows_its_number_and_what_it_means() {
        let shown: Vec<String> = (9..=16).map(|code| DnsError::new(code).to_string()).collect();
        let texts = [
            "general error",
            "too many retries",
            "no DNS server",
            "no memory",
            "invalid name",
            "invalid answer",
        ];
        assert_eq!((shown[0].as_str(), shown[7].as_str()), ("9", "16"), "not documented");
        for (code, text) in (10..).zip(texts) {
            assert_eq!(DnsError::new(code).text(), Some(text));
            assert_eq!(DnsError::new(code).to_string(), format!("{code} ({text})"));
            assert_eq!(format!("{:?}", DnsError::new(code)), format!("DnsError({code} ({text}))"));
        }
    }
}
