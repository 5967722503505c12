//! Services of the module: name resolution, ping, time, radio, restart.

use std::net::Ipv4Addr;

use super::Modem;
use crate::error::{Error, InvalidText, Result};
use crate::proto::{PingReply, Request};
use crate::query::{Clock, ClockTime, Ping, Resolve};

impl Modem {
    /// Resolves a name with the module's own DNS (`AT+CDNSGIP`); at least one address. The module must be ready.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a name that can't be sent; [`Error::ResolveFailed`] with the module's reason;
    /// [`Error::Refused`] before the bearer is up; [`Error::Timeout`] after 60 s.
    pub fn resolve(&self, host: &str) -> Result<Vec<Ipv4Addr>> {
        self.query(&Resolve::new(host).map_err(invalid)?)?.map_err(Error::ResolveFailed)
    }

    /// Pings a host from the module (`AT+CIPPING`). Returns the replies; a missing reply has an entry as well. The
    /// module must be ready.
    ///
    /// # Errors
    /// [`Error::InvalidInput`]; [`Error::Refused`] before the bearer is up, or where the firmware has no ping;
    /// [`Error::Timeout`] after 60 s.
    pub fn ping(&self, host: &str) -> Result<Vec<PingReply>> {
        self.query(&Ping::new(host).map_err(invalid)?)
    }

    /// The module's date and time (`AT+CCLK?`). They are correct after the network has set them.
    ///
    /// # Errors
    /// [`Error::Timeout`] after 9 s, [`Error::Refused`], [`Error::Unexpected`].
    pub fn time(&self) -> Result<ClockTime> {
        self.query(&Clock)
    }

    /// Switches flight mode on or off (`AT+CFUN=0`, `=1`). Switching it on ends every socket with
    /// [`CloseReason::BearerLost`](crate::CloseReason::BearerLost). Switching it off starts bring-up;
    /// [`wait_ready`](Self::wait_ready) waits for its end.
    ///
    /// # Errors
    /// [`Error::Timeout`] after 45 s, [`Error::Refused`].
    pub fn flight_mode(&self, on: bool) -> Result<()> {
        self.driver.call(Request::Radio { on: !on }).map(drop)
    }

    /// Restarts the module (`AT+RESET`, or `AT+CFUN=1,1` where that is unknown). Ends every socket with
    /// [`Error::ModemRestarted`]; [`wait_ready`](Self::wait_ready) waits until it is up again.
    ///
    /// # Errors
    /// [`Error::Timeout`] if the module does not answer. Then it must be reset by its power or reset pin.
    pub fn restart(&self) -> Result<()> {
        self.driver.call(Request::Restart).map(drop)
    }
}

fn invalid(why: InvalidText) -> Error {
    Error::invalid("host", why)
}
