//! The options of a link that the host sets before the connect: the local port and keep-alive.

use std::time::Duration;

/// The options of a link, beyond its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkOptions {
    /// The port on the modem's side (`AT+CLPORT`); `None`: any.
    pub local_port: Option<u16>,
    /// TCP's keep-alive (`AT+CIPTKA`); `None`: off.
    pub keep_alive: Option<KeepAlive>,
}

/// TCP's keep-alive, as `AT+CIPTKA` sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// The time without received bytes before the first probe.
    pub idle: Duration,
    /// The time-out of each probe.
    pub interval: Duration,
    /// The number of unanswered probes after which the link ends.
    pub count: u32,
}

impl KeepAlive {
    /// The time from the last byte of a lost peer to the end of its link.
    pub fn timeout(self) -> Duration {
        self.idle.saturating_add(self.interval.saturating_mul(self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_given_up_after_the_last_probe() {
        let (idle, interval) = (Duration::from_secs(60), Duration::from_secs(30));
        assert_eq!(KeepAlive { idle, interval, count: 3 }.timeout(), Duration::from_secs(150));
        assert_eq!(KeepAlive { idle, interval: Duration::MAX, count: 9 }.timeout(), Duration::MAX);
    }
}
