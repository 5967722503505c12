//! Values of options.

use std::time::Duration;

use air724ug::{Config, Remote};

use super::shell::Argument;

/// An error in a command line.
#[derive(Debug)]
pub enum Usage {
    /// `--help`.
    Help,
    /// The error message.
    Wrong(String),
}

impl From<String> for Usage {
    fn from(why: String) -> Self {
        Self::Wrong(why)
    }
}

/// A number.
pub fn number<T: std::str::FromStr>(option: &str, text: &str) -> Result<T, Usage> {
    text.parse().map_err(|_| Usage::Wrong(format!("{option} takes a number, not \"{text}\"")))
}

/// A span of seconds, more than zero and at most a year.
pub fn seconds(option: &str, text: &str) -> Result<Duration, Usage> {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    let span = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    span.filter(|span| !span.is_zero() && *span <= YEAR)
        .ok_or_else(|| Usage::Wrong(format!("{option} takes seconds, such as 0.5 or 20, not \"{text}\"")))
}

/// A number of at least one.
pub fn positive(option: &str, text: &str) -> Result<u32, Usage> {
    match number(option, text)? {
        0 => Err(Usage::Wrong(format!("{option} is zero: there is nothing to do"))),
        positive => Ok(positive),
    }
}

/// Checks the values that every modem is opened with.
pub fn openable(baud: u32, apn: Option<String>, pin: Option<String>) -> Result<(), Usage> {
    let mut config = Config::default().baud_rate(baud);
    (config.apn, config.pin) = (apn, pin);
    config.validate().map(drop).map_err(|error| Usage::Wrong(error.to_string()))
}

/// The error for an unknown option.
pub fn unknown<T>(option: &str) -> Result<T, Usage> {
    Ok(Argument::Option(option.to_owned()).unknown()?)
}

/// `HOST:PORT` of a server that the module connects to.
pub fn host_and_port(option: &str, server: &str) -> Result<(String, u16), Usage> {
    let (host, port) = any_host_and_port(option, server)?;
    Remote::new(&host, port).map_err(|error| Usage::Wrong(format!("{option}: {error}")))?;
    Ok((host, port))
}

/// `HOST:PORT` of a server that this machine connects to, which may have an IPv6 address.
pub fn any_host_and_port(option: &str, server: &str) -> Result<(String, u16), Usage> {
    let split = server.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    let port = split.and_then(|(_, port)| port.parse().ok()).filter(|port| *port > 0);
    match split.zip(port) {
        Some(((host, _), port)) => Ok((host.to_owned(), port)),
        None => {
            Err(Usage::Wrong(format!("{option} takes HOST:PORT, such as example.com:7, not \"{server}\"")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_the_module_can_not_reach_is_a_wrong_option() {
        let said = |server: &str| match host_and_port("--connect", server) {
            Err(Usage::Wrong(why)) => why,
            other => format!("{other:?}"),
        };
        assert!(host_and_port("--connect", "example.com:7").is_ok());
        assert!(any_host_and_port("--mqtt", "[::1]:7").is_ok());
        for (server, word) in
            [("[::1]:7", "IPv6"), ("a\"b:7", "character"), ("a", "HOST:PORT"), (":7", "HOST:PORT")]
        {
            let why = said(server);
            assert!(why.starts_with("--connect") && why.contains(word), "{why}");
        }
    }
}
