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

/// Opens a port by its path, or by the name of one on another machine: `tcp://host:port`, `rfc2217://host:port`.
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

/// Whether this names a port on another machine.
pub(crate) fn is_remote(name: &str) -> bool {
    name.contains("://")
}

/// Whether the line rate of this port is set from here. A serial server that passes on bytes alone has a rate of its own.
#[cfg(feature = "diagnosis")]
pub(crate) fn has_rate(name: &str) -> bool {
    name.split_once("://").is_none_or(|(scheme, _)| scheme.eq_ignore_ascii_case("rfc2217"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message began with `: there is no such port`.
    #[test]
    fn an_empty_name_is_told() {
        let Err(error) = open("", &Config::default()) else { panic!("it was opened") };
        assert!(error.to_string().starts_with("the name of the port is empty"), "{error}");
    }
}
