//! `AT+CIPPING`: the module pings a host.

use std::time::Duration;

use super::{Query, Reply};
use crate::at::{Command, InvalidText, PingReply, Quotable, Urc, UrcAnswer};

/// Pings a host from the module (`AT+CIPPING`). The answer is the replies and the missing replies, at least one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ping {
    host: Quotable,
    timeout: Duration,
}

impl Ping {
    /// A ping with a time-out of 60 s (protocol section 15).
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

/// The number of pings of one command (capture a19).
const PINGS: usize = 4;

/// No source says whether `OK` comes before or after the replies.
static ANSWER: UrcAnswer = UrcAnswer {
    key: "+CIPPING",
    accepts: |urc| matches!(urc, Urc::Ping(_)),
    is_complete: |urcs| urcs.len() >= PINGS,
    counts_in_part: true,
};

impl Query for Ping {
    type Answer = Vec<PingReply>;

    fn command(&self) -> Command {
        Command::asking(format!("AT+CIPPING=\"{}\"", self.host), &ANSWER, self.timeout)
            .with_timeout(self.timeout)
    }

    fn read(&self, reply: &Reply) -> Option<Vec<PingReply>> {
        let replies = reply.urcs().iter().filter_map(|urc| match urc {
            Urc::Ping(reply) => Some(*reply),
            _ => None,
        });
        Some(replies.take(PINGS).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer_of;
    use super::*;

    #[test]
    fn replies_are_read_before_and_after_the_final() {
        let query = Ping::new("1.2.3.4").unwrap();
        let lines = ["+CIPPING: 1,\"1.2.3.4\",9,64", "OK", "+CIPPING: 2,\"1.2.3.4\",600,255"];
        let replies = answer_of(&query, &lines).unwrap();
        assert_eq!((replies[0].time, replies[1].time, replies.len()), (Some(9), None, 2));
    }
}
