//! The ports of this machine. AIR724UG_ROOT is for tests: a folder with `sys`, `dev` and `proc` in place of the
//! machine's.

use std::ffi::OsString;
use std::io;

use air724ug::{Config, PortInfo, ports, ports_below};

fn root() -> Option<OsString> {
    std::env::var_os("AIR724UG_ROOT")
}

/// The default configuration, with which every example opens ports. Its searches (`auto`, `imei:`, `usb:`) use these
/// folders.
pub fn config() -> Config {
    #[cfg(unix)]
    if let Some(root) = root() {
        return Config::default().root(root);
    }
    Config::default()
}

/// The list of the ports.
pub fn listed() -> io::Result<Vec<PortInfo>> {
    root().map_or_else(ports, |root| ports_below(root.as_ref()))
}
