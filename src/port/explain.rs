//! Reasons why a port can't be opened, in words.

use std::io;

use super::users::users;

/// The error with the name of the port, and with what a person can do.
pub(super) fn explain(path: &str, error: io::Error) -> io::Error {
    let text = error.to_string();
    // `serialport` reports a port that another program has locked in these words, with the kind `NotFound`.
    let is_locked = text.contains("Unable to acquire");
    let busy = match cfg!(windows) {
        true => "another program has it open (a serial terminal, a second copy?); close that first",
        false => {
            "another program has it open (ModemManager, a serial terminal, a second copy?); `fuser -v` names it"
        }
    };
    let is_busy = is_locked || error.kind() == io::ErrorKind::ResourceBusy;
    let users = if is_busy { users(path) } else { Vec::new() };
    if !users.is_empty() {
        let text = format!("{path}: {} has it open; close that first ({text})", users.join(", "));
        return io::Error::new(io::ErrorKind::ResourceBusy, text);
    }
    let (kind, hint) = match error.kind() {
        _ if is_locked => (io::ErrorKind::ResourceBusy, busy),
        kind @ io::ErrorKind::ResourceBusy => (kind, busy),
        kind @ io::ErrorKind::NotFound if is_on_network(path) => (
            kind,
            "there is no such port; one on another machine is `tcp://HOST:PORT` or `rfc2217://HOST:PORT`",
        ),
        kind @ io::ErrorKind::NotFound if cfg!(unix) && !path.contains('/') => (
            kind,
            "there is no such port; its name is a path such as `/dev/ttyUSB0`, or `auto`, `usb:PLACE`, `imei:NUMBER` for a \
             module on USB",
        ),
        kind @ io::ErrorKind::NotFound => (
            kind,
            match cfg!(windows) {
                true => {
                    "there is no such port; is the module plugged in and on? Device Manager shows what is there"
                }
                false => {
                    "there is no such port; is the module plugged in and on? `ls /dev/ttyUSB* /dev/serial/by-id` shows what \
                     is there"
                }
            },
        ),
        kind @ io::ErrorKind::PermissionDenied => (
            kind,
            "no permission; add your user to the group that owns it, often with `sudo usermod -aG dialout $USER`, and \
             log in again",
        ),
        kind => (kind, "it can't be opened as a serial port; is it the path of one?"),
    };
    io::Error::new(kind, format!("{path}: {hint} ({text})"))
}

/// Whether a name ends like `HOST:PORT`, with or without a scheme in front.
fn is_on_network(name: &str) -> bool {
    let port = name.rsplit_once(':').map(|(host, port)| (host.starts_with('/'), port.parse::<u16>()));
    matches!(port, Some((false, Ok(_))))
}
