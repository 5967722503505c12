//! A port by its name.

use std::io;
use std::path::Path;

#[cfg(feature = "remote")]
use super::remote;
#[cfg(unix)]
use super::serial::open as open_serial;
#[cfg(not(unix))]
use super::serial_halves::open as open_serial;
use super::{Port, opening};
use crate::config::Config;

/// Opens a port by its path, or by the name of a port on another machine: `tcp://host:port`, `rfc2217://host:port`.
/// `is_over` ends the wait for a port of this machine.
pub(crate) fn open(name: &str, config: &Config, is_over: impl Fn() -> bool) -> io::Result<Port> {
    if search_words(name).is_some() {
        let text =
            format!("{name}: a search for a module needs feature `ports` of the crate air724ug, and Linux");
        return Err(io::Error::new(io::ErrorKind::Unsupported, text));
    }
    if name.is_empty() {
        let text = "the name of the port is empty; it is a path, or `auto` for the only module on USB";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    if !is_remote(name) {
        // A path that leads nowhere is found out without a thread.
        if cfg!(unix) && !Path::new(name).exists() {
            return open_serial(name, config);
        }
        let config = config.clone();
        return opening::open(name, is_over, move |path| open_serial(path, &config));
    }
    #[cfg(feature = "remote")]
    return remote::open(name, config);
    #[cfg(not(feature = "remote"))]
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        format!("{name}: ports on other machines need feature `remote` of the crate air724ug"),
    ))
}

/// The kind of a search: by nothing, by the IMEI, by the place on USB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SearchKind {
    Auto,
    Imei,
    Usb,
}

/// The parts of a name that asks for a search: its kind and the value after the colon. As in the scheme of a URL, upper
/// and lower case are the same.
pub(super) fn search_words(name: &str) -> Option<(SearchKind, &str)> {
    let Some((word, value)) = name.split_once(':') else {
        return name.eq_ignore_ascii_case("auto").then_some((SearchKind::Auto, ""));
    };
    let kinds = [("imei", SearchKind::Imei), ("usb", SearchKind::Usb)];
    kinds.into_iter().find(|(known, _)| word.eq_ignore_ascii_case(known)).map(|(_, kind)| (kind, value))
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

    /// Regression: names in capitals were paths.
    #[test]
    fn upper_and_lower_case_of_a_search_are_the_same() {
        for (name, expected) in [
            ("auto", Some((SearchKind::Auto, ""))),
            ("AUTO", Some((SearchKind::Auto, ""))),
            ("IMEI:860000000000001", Some((SearchKind::Imei, "860000000000001"))),
            ("Usb:1-1.4", Some((SearchKind::Usb, "1-1.4"))),
            ("./AUTO", None),
            ("AUTO:1", None),
            ("/dev/ttyUSB0", None),
            ("TCP://rack:4001", None),
        ] {
            assert_eq!(search_words(name), expected, "{name}");
        }
    }

    /// Regression: the message began with `: there is no such port`.
    #[test]
    fn an_empty_name_is_refused_with_a_message_about_the_name() {
        let Err(error) = open("", &Config::default(), || false) else { panic!("it was opened") };
        assert!(error.to_string().starts_with("the name of the port is empty"), "{error}");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
