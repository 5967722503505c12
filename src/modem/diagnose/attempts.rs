//! The server: its name, a plain connection, one with TLS.

use std::time::{Duration, Instant};

use super::Examination;
use crate::diagnosis::{Exchange, Server};
use crate::error::{Error, Result};
use crate::error::{TlsFailure, TlsStep};
use crate::modem::Connector;
use crate::modem::transport::Transport;
use crate::proto::ChannelId;
use crate::tls::TlsConfig;

/// A handshake that fails later than this got no answer, and would get none again. It is also the time-out of a
/// handshake with fewer checks.
const HANDSHAKE: Duration = Duration::from_secs(30);

impl Examination<'_> {
    pub(super) fn try_server(&mut self, server: &Server) {
        if server.host.parse::<std::net::Ipv4Addr>().is_err() {
            (self.progress)(&format!("resolving {}", server.host));
            let began = Instant::now();
            let result = self.modem.resolve(&server.host);
            self.note_events();
            let failed = result.is_err();
            self.evidence.exchange(Exchange::resolved(&server.host, result, began.elapsed()));
            if failed {
                // A connection would fail for the same reason, only later.
                return;
            }
        }
        (self.progress)(&format!("connecting to {}:{}", server.host, server.port));
        let connector = self.modem.tcp().timeout(self.checkup.connect_timeout);
        let (channel, result, took) = self.connect(&connector, server);
        // A module whose TLS connections are open does not open plain ones beside them.
        let open = matches!(result, Err(Error::Tls { why: TlsFailure::TlsOpen, .. }));
        let go_on = result.is_ok() || open;
        self.evidence.connection(server, channel, result, took);
        if let (true, Some(config)) = (go_on, &self.checkup.tls) {
            self.try_tls(server, config);
        }
    }

    fn try_tls(&mut self, server: &Server, config: &TlsConfig) {
        (self.progress)(&format!("connecting to {}:{} with TLS", server.host, server.port));
        if self.handshake(server, config, self.checkup.connect_timeout) {
            let is_address = server.host.parse::<std::net::IpAddr>().is_ok();
            for (without, looser) in looser(config, is_address) {
                (self.progress)(&format!("the same without the check of {without}"));
                if !self.handshake(server, &looser, self.checkup.connect_timeout.min(HANDSHAKE)) {
                    return;
                }
            }
        }
    }

    /// Makes a connection with TLS. Returns true if the module refused it at once, so that an attempt with fewer checks
    /// may succeed.
    fn handshake(&mut self, server: &Server, config: &TlsConfig, timeout: Duration) -> bool {
        let connector = self.modem.tls(config.clone()).timeout(timeout);
        let (channel, result, took) = self.connect(&connector, server);
        let refused = match &result {
            Err(Error::Tls { step: TlsStep::Connect, why }) => why.is_no_connection(),
            Ok(()) | Err(_) => false,
        };
        self.evidence.secure_connection(server, config, channel, result, took);
        refused && took < HANDSHAKE
    }

    /// Opens a connection and closes it again.
    fn connect<T: Transport>(
        &mut self,
        connector: &Connector<T>,
        server: &Server,
    ) -> (Option<ChannelId>, Result<()>, Duration) {
        let began = Instant::now();
        let socket = connector.connect((server.host.as_str(), server.port));
        let took = began.elapsed();
        let channel = socket.as_ref().map(|socket| socket.id()).ok();
        // The result is that of the connect. An error of the close does not matter.
        let result = socket.map(|socket| drop(socket.close()));
        self.note_events();
        (channel, result, took)
    }
}

/// Configurations with fewer and fewer checks of the server, each with the names of the omitted checks.
fn looser(config: &TlsConfig, is_address: bool) -> Vec<(&'static str, TlsConfig)> {
    if !config.is_verified() {
        return Vec::new();
    }
    let (dated, named) = (!config.ignores_local_time(), config.has_name(is_address));
    let dateless = |config: &TlsConfig| config.clone().ignore_local_time(true);
    let nameless = config.clone().any_server_name();
    let mut less = Vec::new();
    if dated {
        less.push(("dates", dateless(config)));
    }
    if named {
        less.push(("the name", nameless.clone()));
    }
    if dated && named {
        less.push(("dates and name", dateless(&nameless)));
    }
    less.push(("certificates", config.clone().accepting_any_server()));
    less
}
