//! The extent of an examination, and its time limits.

use std::time::Duration;

use crate::tls::TlsConfig;

/// The settings of an examination. The default checks everything but a server, which must be named.
///
/// ```
/// use air724ug::diagnosis::Checkup;
/// use std::time::Duration;
///
/// let checkup = Checkup::default().server("example.com", 80).ready_timeout(Duration::from_secs(30));
/// assert_eq!(checkup.server.unwrap().port, 80);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Checkup {
    /// The server whose name is resolved and to which a connection is tried. Default: none.
    pub server: Option<Server>,
    /// TLS on the module is wanted, with this configuration; firmware without TLS is a fault then. If there is a
    /// server, a connection with TLS is tried, too. The module does not report why a connection fails, so it is tried
    /// again with fewer checks: without dates, without the name, without both, and at last without any check. No data
    /// are sent, and a server that is not verified does not get the client's certificate. The files of the
    /// configuration are uploaded, and remain on the module
    /// ([`Modem::remove_tls_files`](crate::Modem::remove_tls_files)). Default: none.
    pub tls: Option<TlsConfig>,
    /// The longest time until the module's first answer. Default 8 s: one round of all attempts to wake it.
    pub answer_timeout: Duration,
    /// The longest time at each of the [`OTHER_RATES`]. Default 1.5 s: three times `AT`.
    pub rate_timeout: Duration,
    /// The longest time until the module is ready. Default 90 s, as in LuatOS's examples. If the cause can't go away by
    /// itself, the examination does not wait.
    pub ready_timeout: Duration,
    /// The longest time until the server's answer. Default 80 s: the module's own time-out is 75 s. Each attempt with
    /// TLS has this time; the attempts that find the cause of a failure have at most 30 s each.
    pub connect_timeout: Duration,
}

/// A server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
}

/// The line rates that are tried if no answer comes at the configured one, the most common first (the module's own list
/// without rates that are never used; protocol section 1).
pub const OTHER_RATES: [u32; 8] = [115_200, 9_600, 57_600, 38_400, 19_200, 460_800, 921_600, 230_400];

impl Default for Checkup {
    fn default() -> Self {
        Self {
            server: None,
            tls: None,
            answer_timeout: Duration::from_secs(8),
            rate_timeout: Duration::from_millis(1_500),
            ready_timeout: Duration::from_secs(90),
            connect_timeout: Duration::from_secs(80),
        }
    }
}

impl Checkup {
    /// Sets the [server](Self::server).
    #[must_use]
    pub fn server(self, host: impl Into<String>, port: u16) -> Self {
        Self { server: Some(Server { host: host.into(), port }), ..self }
    }

    /// Sets the [configuration of TLS](Self::tls).
    #[must_use]
    pub fn tls(self, tls: TlsConfig) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Sets the longest time [until an answer](Self::answer_timeout).
    #[must_use]
    pub fn answer_timeout(self, answer_timeout: Duration) -> Self {
        Self { answer_timeout, ..self }
    }

    /// Sets the longest time [at another rate](Self::rate_timeout).
    #[must_use]
    pub fn rate_timeout(self, rate_timeout: Duration) -> Self {
        Self { rate_timeout, ..self }
    }

    /// Sets the longest time [until the module is ready](Self::ready_timeout).
    #[must_use]
    pub fn ready_timeout(self, ready_timeout: Duration) -> Self {
        Self { ready_timeout, ..self }
    }

    /// Sets the longest time [until the server's answer](Self::connect_timeout).
    #[must_use]
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }
}
