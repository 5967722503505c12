use std::fmt;

use crate::error::{Error, Result};
use crate::proto::{Domain, RegistrationStatus};

/// Registration with the network, in each domain that the firmware knows (3GPP 27.007 section 10.1.20).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Registration {
    /// LTE.
    pub lte: Option<RegistrationStatus>,
    /// GPRS and 3G packet service.
    pub packet: Option<RegistrationStatus>,
    /// Circuit switched.
    pub circuit: Option<RegistrationStatus>,
}

impl Registration {
    /// True if data can be transferred.
    pub fn is_registered(&self) -> bool {
        [self.lte, self.packet].into_iter().flatten().any(RegistrationStatus::is_registered)
    }

    /// Asks for each domain, because firmware may not know all.
    pub(super) fn ask(mut status: impl FnMut(Domain) -> Result<RegistrationStatus>) -> Result<Self> {
        let mut ask = |domain| match status(domain) {
            Ok(status) => Ok(Ok(status)),
            Err(refused @ Error::Refused { .. }) => Ok(Err(refused)),
            Err(error) => Err(error),
        };
        match (ask(Domain::Lte)?, ask(Domain::Packet)?, ask(Domain::Circuit)?) {
            (Err(error), Err(_), Err(_)) => Err(error),
            (lte, packet, circuit) => Ok(Self { lte: lte.ok(), packet: packet.ok(), circuit: circuit.ok() }),
        }
    }
}

impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [lte, packet, circuit] =
            [self.lte, self.packet, self.circuit].map(|status| status.unwrap_or(RegistrationStatus::Unknown));
        write!(f, "LTE {lte}, packet {packet}, circuit {circuit}")
    }
}
