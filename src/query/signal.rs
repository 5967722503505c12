//! `AT+CSQ`: signal quality.

use std::fmt;

use super::{Query, Reply};
use crate::at::{Command, Field};

/// Asks for the signal quality (`AT+CSQ`; 3GPP 27.007 section 8.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signal;

impl Query for Signal {
    type Answer = SignalQuality;

    fn command(&self) -> Command {
        Command::question("AT+CSQ", &["+CSQ"], |values| !values.is_empty())
    }

    fn read(&self, reply: &Reply) -> Option<SignalQuality> {
        SignalQuality::parse(&reply.values(&["+CSQ"])?)
    }
}

/// Signal quality (`AT+CSQ`; 3GPP 27.007 section 8.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignalQuality {
    rssi: Option<u8>,
    ber: Option<u8>,
}

impl SignalQuality {
    /// The values of `+CSQ: <rssi>,<ber>`; 99 is unknown. The second may be missing (`+CSQ:18`).
    pub fn new(rssi: u32, ber: Option<u32>) -> Option<Self> {
        let known = |value: u32, max: u8| match u8::try_from(value) {
            Ok(99) => Some(None),
            Ok(value) if value <= max => Some(Some(value)),
            _ => None,
        };
        Some(Self { rssi: known(rssi, 31)?, ber: known(ber.unwrap_or(99), 7)? })
    }

    /// Received signal strength, 0 to 31; `None` when unknown. The vendor recommends 18 or more.
    pub fn rssi(&self) -> Option<u8> {
        self.rssi
    }

    /// True if there is a signal. 0 and unknown mean that there is none (protocol section 5).
    pub(crate) fn is_received(&self) -> bool {
        self.rssi.is_some_and(|rssi| rssi > 0)
    }

    /// True if it is below the vendor's recommendation (protocol section 5).
    pub(crate) fn is_weak(&self) -> bool {
        self.rssi.is_none_or(|rssi| rssi < Self::RECOMMENDED)
    }

    /// The vendor's recommendation.
    pub(crate) const RECOMMENDED: u8 = 18;

    /// Received signal strength in dBm, -113 to -51 in steps of two; `None` when unknown.
    pub fn dbm(&self) -> Option<i16> {
        self.rssi.map(|rssi| i16::from(rssi).saturating_mul(2).saturating_sub(113))
    }

    /// Bit error rate class, 0 to 7; `None` when unknown.
    pub fn bit_error_rate(&self) -> Option<u8> {
        self.ber
    }

    /// Parses the values of `+CSQ:`.
    fn parse(fields: &[Field<'_>]) -> Option<Self> {
        Self::new(fields.first()?.number()?, fields.get(1).and_then(Field::number))
    }
}

impl fmt::Display for SignalQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.rssi, self.dbm()) {
            (Some(rssi), Some(dbm)) => write!(f, "{rssi}/31 ({dbm} dBm)"),
            _ => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer_of;
    use super::*;

    #[test]
    fn unknown_is_kept_apart() {
        assert_eq!(SignalQuality::new(20, Some(0)).unwrap().dbm(), Some(-73));
        assert_eq!(SignalQuality::new(99, Some(99)).unwrap().rssi(), None);
        assert_eq!(SignalQuality::new(32, Some(0)), None);
        assert_eq!(SignalQuality::new(20, Some(3)).unwrap().bit_error_rate(), Some(3));
    }

    #[test]
    fn the_answer_is_read_in_every_form() {
        let read = |line| answer_of(&Signal, &[line, "OK"]);
        assert_eq!(read("+CSQ: 20,0"), SignalQuality::new(20, Some(0)));
        assert_eq!(read("+CSQ:18"), SignalQuality::new(18, None));
        assert_eq!((read("+CSQ: 32,0"), read("+CSQ: x"), read("+CREG: 0,1")), (None, None, None));
    }
}
