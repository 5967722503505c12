//! The table of docs/architecture.md as data: which part may import which.

/// One row of the table: a part of the crate, by the name of its top module.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// The parts of this crate that it may name, besides itself.
    pub(crate) parts: &'static [&'static str],
    /// The other crates that it may name, besides `std`.
    pub(crate) crates: &'static [&'static str],
    /// What it must not name of `std`.
    pub(crate) never: &'static [&'static str],
    /// Whether its strings may hold text of the module's protocol.
    pub(crate) speaks: bool,
}

impl Part {
    /// A part that is a function of its arguments: no io, no threads, no clock.
    const fn core(
        name: &'static str,
        parts: &'static [&'static str],
        crates: &'static [&'static str],
    ) -> Self {
        Self { name, parts, crates, never: THE_WORLD, speaks: false }
    }

    /// A part that does io but owns no thread.
    const fn io(name: &'static str, parts: &'static [&'static str], crates: &'static [&'static str]) -> Self {
        Self { name, parts, crates, never: THREADS, speaks: false }
    }

    /// A part that may have threads, and joins them with crossbeam's channels only.
    const fn shell(
        name: &'static str,
        parts: &'static [&'static str],
        crates: &'static [&'static str],
    ) -> Self {
        Self { name, parts, crates, never: &["std::sync::mpsc"], speaks: false }
    }

    /// It may know the text of the protocol.
    const fn speaks(self) -> Self {
        Self { speaks: true, ..self }
    }
}

pub(crate) const PARTS: &[Part] = &[
    // Vocabulary. `io::Error` is what an `Error` is made of and turned into.
    Part::core("time", &[], &[]),
    Part::io("error", &["at", "query", "time"], &[]),
    Part::core("config", &["at", "error", "time"], &[]),
    // Grammar and core.
    Part::core("at", &["time"], &["nom"]).speaks(),
    Part::core("query", &["at"], &[]).speaks(),
    // `pkcs8` and `zeroize` by feature `encrypted-keys`.
    Part::core("tls", &["at", "error"], &["pkcs8", "zeroize"]),
    Part::core("proto", &["at", "config", "error", "query", "time", "tls"], &[]).speaks(),
    // Evidence in, findings out.
    Part::core("diagnosis", &["at", "capture", "error", "proto", "query", "time", "tls"], &[]).speaks(),
    // Shell.
    // `serial_halves.rs` has a thread for a reader that can't be waited on.
    Part::shell("port", &["config", "error", "time"], &["crossbeam_channel", "log", "rustix", "serialport"]),
    // `file.rs` has a thread for a file that takes nothing.
    Part::shell("capture", &["at", "config", "error", "proto", "time"], &["log", "rustix"]).speaks(),
    Part::io("luat", &["at", "capture", "error", "time"], &[]).speaks(),
    Part::shell(
        "driver",
        &["capture", "config", "error", "port", "proto", "time"],
        &["crossbeam_channel", "log", "rustix"],
    ),
    // Facade.
    Part::shell(
        "modem",
        // `capture` and `port` only to open them.
        &["capture", "config", "diagnosis", "driver", "error", "port", "proto", "query", "time", "tls"],
        // All but the first two by features of their names, for their traits.
        &[
            "crossbeam_channel",
            "log",
            "embedded_io",
            "embedded_io_async",
            "embedded_nal",
            "embedded_nal_async",
            "futures_core",
            "futures_io",
            "tokio",
        ],
    ),
    // The simulated modem, and where it meets real sockets and a real terminal.
    // `rustls` in `sim/tls` alone, by feature `sim-tls`.
    Part::shell("sim", &["time"], &["crossbeam_channel", "log", "rustls"]).speaks(),
    Part::shell("sim/host", &["sim", "time"], &["crossbeam_channel", "log", "rustix"]).speaks(),
    Part::shell("sim/serve", &["sim", "time"], &["crossbeam_channel", "log", "rustix"]).speaks(),
];

/// What would make a core read a clock, block, or touch the world.
const THE_WORLD: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::ToSocketAddrs",
    "std::net::UdpSocket",
    "std::os",
    "std::process",
    "std::sync::Barrier",
    "std::sync::Condvar",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "std::sync::mpsc",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

const THREADS: &[&str] = &["std::sync::mpsc", "std::thread"];

/// The crates that the table is about. `thiserror` is not one: it derives code and does nothing of its own.
pub(crate) const CRATES: &[&str] = &[
    "crossbeam_channel",
    "embedded_io",
    "embedded_io_async",
    "embedded_nal",
    "embedded_nal_async",
    "env_logger",
    "futures",
    "futures_core",
    "futures_io",
    "log",
    "nom",
    "pkcs8",
    "rustix",
    "serialport",
    "tokio",
    "zeroize",
];

/// What a string holds that knows the module's protocol.
pub(crate) const PROTOCOL_TEXT: &[&str] = &[
    "AT+",
    "AT*",
    "AT^",
    "AT&",
    "ATE0",
    "ATE1",
    "ATI",
    "+CIP",
    "+CME ERROR",
    "+CMS ERROR",
    "+CPIN",
    "+CREG",
    "+CSQ",
    "+PDP",
    "+RECEIVE",
    "+++",
    "CLOSE OK",
    "CLOSED",
    "CONNECT FAIL",
    "CONNECT OK",
    "DATA ACCEPT",
    "RDY",
    "SEND FAIL",
    "SEND OK",
    "SHUT OK",
];
