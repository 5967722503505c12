//! A port by its name.

use std::io;

use super::Port;
#[cfg(feature = "remote")]
use super::remote;
#[cfg(unix)]
use super::serial::open as open_serial;
#[cfg(not(unix))]
use super::serial_halves::open as open_serial;
use crate::config::Config;

/// Opens a port by its path, or by the name of a port on another machine: `tcp://host:port`, `rfc2217://host:port`.
pub(crate) fn open(name: &str, config: &Config) -> io::Result<Port> {
    if name == "auto" || name.starts_with("imei:") || name.starts_with("usb:") {
        let text =
            format!("{name}: a search for a module needs feature `ports` of the crate air724ug, and Linux");
        return Err(io::Error::new(io::ErrorKind::Unsupported, text));
    }
    if name.is_empty() {
        let text = "the name of the port is empty; it is a path, or `auto` for the only module on USB";
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    }
    if !is_remote(name) {
        return open_serial(name, config);
    }
    #[cfg(feature = "remote")]
    return remote::open(name, config);
    #[cfg(not(feature = "remote"))]
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        format!("{name}: ports on other machines need feature `remote` of the crate air724ug"),
    ))
}

/// Whether the name is that of a port on another machine.
pub(crate) fn is_remote(name: &str) -> bool {
    name.contains("://")
}

/// Whether the driver sets the line rate of this port. A serial server that passes on bytes alone sets its own rate.
#[cfg(feature = "diagnosis")]
pub(crate) fn has_rate(name: &str) -> bool {
    name.split_once("://").is_none_or(|(scheme, _)| scheme.eq_ignore_ascii_case("rfc2217"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: the message began with `: there is no such port`.
    #[test]
    fn an_empty_name_is_refused_with_a_message_about_the_name() {
        let Err(error) = open("", &Config::default()) else { panic!("it was opened") };
        assert!(error.to_string().starts_with("the name of the port is empty"), "{error}");
    }
}
