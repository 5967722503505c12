//! The table of docs/architecture.md as data: the imports that each part may have.

/// A row of the table: a part of the crate, with the name of its top module.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// The other parts of this crate that the part may name.
    pub(crate) parts: &'static [&'static str],
    /// The other crates that the part may name, besides `std`.
    pub(crate) crates: &'static [&'static str],
    /// The names of `std` that the part must not use.
    pub(crate) never: &'static [&'static str],
    /// Whether the part's strings may contain text of the module's protocol.
    pub(crate) speaks: bool,
}

impl Part {
    /// A part that is a function of its arguments, without io, threads and clocks.
    const fn core(
        name: &'static str,
        parts: &'static [&'static str],
        crates: &'static [&'static str],
    ) -> Self {
        Self { name, parts, crates, never: THE_WORLD, speaks: false }
    }

    /// A part with io and without threads.
    const fn io(name: &'static str, parts: &'static [&'static str], crates: &'static [&'static str]) -> Self {
        Self { name, parts, crates, never: THREADS, speaks: false }
    }

    /// A part that may have threads, which it joins with crossbeam's channels only.
    const fn shell(
        name: &'static str,
        parts: &'static [&'static str],
        crates: &'static [&'static str],
    ) -> Self {
        Self { name, parts, crates, never: &["std::sync::mpsc"], speaks: false }
    }

    /// The part may contain text of the protocol.
    const fn speaks(self) -> Self {
        Self { speaks: true, ..self }
    }
}

pub(crate) const PARTS: &[Part] = &[
    // Vocabulary. An `Error` is made from an `io::Error` and converted into one.
    Part::core("time", &[], &[]),
    Part::io("error", &["at", "query", "time"], &[]),
    Part::core("config", &["at", "error", "time"], &[]),
    // Grammar and core.
    Part::core("at", &["time"], &["nom"]).speaks(),
    Part::core("query", &["at"], &[]).speaks(),
    // `pkcs8` and `zeroize` with feature `encrypted-keys`.
    Part::core("tls", &["at", "error"], &["pkcs8", "zeroize"]),
    Part::core("proto", &["at", "config", "error", "query", "time", "tls"], &[]).speaks(),
    // The diagnosis: evidence is the input, findings are the output.
    Part::core("diagnosis", &["at", "capture", "error", "proto", "query", "time", "tls"], &[]).speaks(),
    // Shell. `wake_up.rs` uses a channel on systems without `poll`.
    Part::shell("port", &["config", "error", "time"], &["crossbeam_channel", "log", "rustix", "serialport"]),
    // `file.rs` has a thread for a file that accepts no data.
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
        // `capture` and `port` are only opened.
        &["capture", "config", "diagnosis", "driver", "error", "port", "proto", "query", "time", "tls"],
        // All but the first two crates with the features of their names, for their traits.
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
    // The simulated modem, with real sockets and real terminals. `rustls` only in `sim/tls`, with feature `sim-tls`.
    Part::shell("sim", &["time"], &["crossbeam_channel", "log", "rustls"]).speaks(),
    Part::shell("sim/host", &["sim", "time"], &["crossbeam_channel", "log", "rustix"]).speaks(),
    Part::shell("sim/serve", &["sim", "time"], &["crossbeam_channel", "log", "rustix"]).speaks(),
];

/// Names of `std` with which a core would read a clock, block, or do io.
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

/// The crates of the table. `thiserror` is not one, because it only derives code.
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

/// Texts in strings that show knowledge of the module's protocol.
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
