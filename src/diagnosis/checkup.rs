//! The extent of an examination, and its time limits.

use std::time::Duration;

use crate::tls::TlsConfig;

/// The settings of an examination. The default looks at everything but a server, which has to be named.
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
    /// The server that a connection is tried to, and whose name is resolved. Default: none.
    pub server: Option<Server>,
    /// TLS on the module is wanted, with this configuration; firmware without it is a fault then. If there is a server, a
    /// connection with TLS is tried, too. The module does not say why one fails, so it is tried again with fewer checks: without
    /// that of dates, without that of the name, without both, and at last without any. No data are sent, and a server that is
    /// not verified does not get the client's certificate. The files of the configuration are uploaded, and stay on the module
    /// ([`Modem::remove_tls_files`](crate::Modem::remove_tls_files)). Default: none.
    pub tls: Option<TlsConfig>,
    /// How long the module may take to answer at all. Default 8 s: one round of everything that wakes one.
    pub answer_timeout: Duration,
    /// How long it may take at each of the [`OTHER_RATES`]. Default 1.5 s: three times `AT`.
    pub rate_timeout: Duration,
    /// How long it may take to get ready. Default 90 s, as in LuatOS's examples; a cause that time does not mend is not waited for.
    pub ready_timeout: Duration,
    /// How long the server may take. Default 80 s: the module itself gives up after 75 s. Each attempt with TLS has this
    /// time, those that find out why one failed at most 30 s each.
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

/// The line rates that are tried when nothing answers at the configured one, the likeliest first (the module's own list
/// without those that are never used; protocol section 1).
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

    /// Sets how long the module may take [to answer](Self::answer_timeout).
    #[must_use]
    pub fn answer_timeout(self, answer_timeout: Duration) -> Self {
        Self { answer_timeout, ..self }
    }

    /// Sets how long it may take [at another rate](Self::rate_timeout).
    #[must_use]
    pub fn rate_timeout(self, rate_timeout: Duration) -> Self {
        Self { rate_timeout, ..self }
    }

    /// Sets how long it may take [to get ready](Self::ready_timeout).
    #[must_use]
    pub fn ready_timeout(self, ready_timeout: Duration) -> Self {
        Self { ready_timeout, ..self }
    }

    /// Sets how long [the server may take](Self::connect_timeout).
    #[must_use]
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }
}
