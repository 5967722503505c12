//! The IP application: mode switches, bearer, address, state (protocol section 6).

use std::time::Duration;

use super::super::Quotable;
use super::Command;
use super::setup::DEFAULT_TIMEOUT;
use super::shape::Shape;

impl Command {
    /// `AT+CIPSTATUS`: the state of the IP application, and of its channels.
    pub fn ip_status() -> Self {
        Self::new("AT+CIPSTATUS", Shape::Status, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPSHUT`: closes all connections and the bearer; the state is `IP INITIAL` again. Up to 90 s (section 15).
    pub fn shut() -> Self {
        Self::new("AT+CIPSHUT", Shape::Shut, Duration::from_secs(90))
    }

    /// `AT+CIPMUX=1`: multiple connection mode. In `IP INITIAL` only.
    pub fn multiple_connections() -> Self {
        Self::new("AT+CIPMUX=1", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPMUX?`
    pub fn multiple_connections_state() -> Self {
        Self::new(
            "AT+CIPMUX?",
            Shape::Info { keys: &["+CIPMUX"], accepts: |list| list.len() == 1 },
            DEFAULT_TIMEOUT,
        )
    }

    /// `AT+CIPMODE=0`: no transparent mode.
    pub fn command_mode() -> Self {
        Self::new("AT+CIPMODE=0", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPQSEND=1`: a send is complete when the module has the bytes. A wait for the peer's acknowledgement would
    /// block the port for up to a minute (section 9).
    pub fn quick_send() -> Self {
        Self::new("AT+CIPQSEND=1", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPQSEND?`
    pub fn quick_send_state() -> Self {
        Self::new(
            "AT+CIPQSEND?",
            Shape::Info { keys: &["+CIPQSEND"], accepts: |list| list.len() == 1 },
            DEFAULT_TIMEOUT,
        )
    }

    /// `AT+CIPRXGET?`
    pub fn manual_receive_state() -> Self {
        Self::new(
            "AT+CIPRXGET?",
            Shape::Info { keys: &["+CIPRXGET"], accepts: |list| list.len() == 1 },
            DEFAULT_TIMEOUT,
        )
    }

    /// `AT+CIPRXGET=1` or `=0`: received data are fetched by the host, or pushed by the module (section 11).
    pub fn manual_receive(manual: bool) -> Self {
        let text = if manual { "AT+CIPRXGET=1" } else { "AT+CIPRXGET=0" };
        Self::new(text, Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPHEAD=1`: pushed data have a header; the vendor dialect needs it in multiple connection mode too.
    pub fn receive_header() -> Self {
        Self::new("AT+CIPHEAD=1", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPSPRT=1`: the prompt is printed.
    pub fn send_prompt() -> Self {
        Self::new("AT+CIPSPRT=1", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPSPRT=0`: no prompt is printed, but the result of a send is (section 9).
    pub(crate) fn no_send_prompt() -> Self {
        Self::new("AT+CIPSPRT=0", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPRXF=1`: no CR LF after received data.
    pub fn receive_raw() -> Self {
        Self::new("AT+CIPRXF=1", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPSRIP=1`: received data are printed with their sender (section 11).
    pub fn report_senders() -> Self {
        Self::new("AT+CIPSRIP=1", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CSTT`: starts the bearer with the access point that the network provides. Up to 60 s. In `IP INITIAL` only.
    pub fn begin_bearer() -> Self {
        Self::new("AT+CSTT", Shape::Plain, Duration::from_secs(60))
    }

    /// `AT+CSTT="apn","user","password"`.
    pub fn begin_bearer_with(apn: &Quotable, user: Option<&Quotable>, password: Option<&Quotable>) -> Self {
        let or_empty = |text: Option<&Quotable>| text.map_or("", Quotable::as_str).to_owned();
        let text = match (user, password) {
            (None, None) => format!("AT+CSTT=\"{apn}\""),
            _ => format!("AT+CSTT=\"{apn}\",\"{}\",\"{}\"", or_empty(user), or_empty(password)),
        };
        Self::new(text, Shape::Plain, Duration::from_secs(60))
    }

    /// `AT+CIICR`: activates the bearer. Up to 90 s.
    pub fn activate_bearer() -> Self {
        Self::new("AT+CIICR", Shape::Plain, Duration::from_secs(90))
    }

    /// `AT+CIFSR`: the module's own address, as a bare line without `OK`.
    pub fn local_address() -> Self {
        Self::new("AT+CIFSR", Shape::Address, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPSEND=?`: `+CIPSEND: <0-7>,<length>`, the only documented way to read the number of channels.
    pub fn channel_range() -> Self {
        Self::new(
            "AT+CIPSEND=?",
            Shape::Info { keys: &["+CIPSEND"], accepts: |list| !list.is_empty() },
            DEFAULT_TIMEOUT,
        )
    }
}
