//! `AT+CDNSGIP`: the module resolves a name.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::{Query, Reply};
use crate::at::{Command, DnsError, InvalidText, Quotable, Urc, UrcAnswer};

/// Resolves a name on the module (`AT+CDNSGIP`). The answer is at least one address, or the module's error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolve {
    host: Quotable,
    timeout: Duration,
}

impl Resolve {
    /// A request with a time-out of 60 s (protocol section 15).
    ///
    /// # Errors
    /// [`InvalidText`] for a name that can't be sent.
    pub fn new(host: &str) -> Result<Self, InvalidText> {
        Ok(Self { host: Quotable::host(host)?, timeout: Duration::from_secs(60) })
    }

    /// Sets the time-out.
    #[must_use]
    pub fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }
}

/// `OK` comes at once, and the result after it (protocol section 13).
static ANSWER: UrcAnswer = UrcAnswer {
    key: "+CDNSGIP",
    accepts: |urc| match urc {
        Urc::Resolved { addresses, .. } => !addresses.is_empty(),
        Urc::ResolveFailed(_) => true,
        _ => false,
    },
    is_complete: |urcs| !urcs.is_empty(),
    counts_in_part: false,
};

impl Query for Resolve {
    type Answer = Result<Vec<Ipv4Addr>, DnsError>;

    fn command(&self) -> Command {
        Command::asking(format!("AT+CDNSGIP=\"{}\"", self.host), &ANSWER, self.timeout)
    }

    fn read(&self, reply: &Reply) -> Option<Self::Answer> {
        match reply.urcs().last()? {
            Urc::Resolved { addresses, .. } => Some(Ok(addresses.clone())),
            Urc::ResolveFailed(code) => Some(Err(*code)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer_of;
    use super::*;

    #[test]
    fn the_result_comes_as_news() {
        let query = Resolve::new("a.test").unwrap();
        let read = |line| answer_of(&query, &["OK", line]);
        assert_eq!(read("+CDNSGIP: 1,\"a.test\",\"1.2.3.4\""), Some(Ok(vec![Ipv4Addr::new(1, 2, 3, 4)])));
        assert_eq!(read("+CDNSGIP: 0,12"), Some(Err(DnsError::new(12))));
        assert_eq!(read("+CREG: 1"), None);
    }
}
