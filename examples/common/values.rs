//! Values of options.

use std::time::Duration;

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

/// The error for an unknown option.
pub fn unknown<T>(option: &str) -> Result<T, Usage> {
    Ok(Argument::Option(option.to_owned()).unknown()?)
}

/// `HOST:PORT`.
pub fn host_and_port(option: &str, server: &str) -> Result<(String, u16), Usage> {
    let split = server.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    let port = split.and_then(|(_, port)| port.parse().ok()).filter(|port| *port > 0);
    match split.zip(port) {
        Some(((host, _), port)) => Ok((host.to_owned(), port)),
        None => {
            Err(Usage::Wrong(format!("{option} takes HOST:PORT, such as example.com:7, not \"{server}\"")))
        }
    }
}
