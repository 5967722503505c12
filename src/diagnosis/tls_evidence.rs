//! Evidence from connections with TLS by the driver.

use std::net::IpAddr;
use std::time::Duration;

use crate::at::ChannelId;
use crate::error::Error;
use crate::error::{TlsFailure, TlsStep};
use crate::tls::TlsConfig;

use super::evidence::{Evidence, Item};
use super::finding::Proof;
use super::trial::{Trial, TrialEnd, Trust};
use super::{Code, Server};

impl Evidence {
    /// The result of [`Connector::connect`](crate::Connector::connect) for a connection with TLS, on this channel if it
    /// is known.
    pub fn secure_connection(
        &mut self,
        server: &Server,
        config: &TlsConfig,
        channel: Option<ChannelId>,
        result: Result<(), Error>,
        took: Duration,
    ) {
        let trust = Trust {
            verified: config.is_verified(),
            dated: !config.ignores_local_time(),
            named: config.has_name(server.host.parse::<IpAddr>().is_ok()),
        };
        let result = match result {
            Err(Error::Tls { step, why }) => match stopped_at(step) {
                Some(code) => {
                    let proof = Proof::lines([Error::Tls { step, why }.to_string()]);
                    let server = Some(server.clone());
                    return self.push(Item::Trial(Trial {
                        server,
                        trust,
                        end: TrialEnd::Stopped(code),
                        proof,
                    }));
                }
                None => Err(of_connect(step, why)),
            },
            other => other,
        };
        let attempt = self.attempt(server, channel, result, took);
        self.secure(trust, &attempt);
    }
}

/// The code of a failed step before the connection.
fn stopped_at(step: TlsStep) -> Option<Code> {
    match step {
        TlsStep::Upload(_) => Some(Code::TlsUpload),
        TlsStep::Configure(_) => Some(Code::TlsSetting),
        TlsStep::Switch => Some(Code::TlsSwitch),
        TlsStep::Turn | TlsStep::Connect => None,
    }
}

/// The error that a plain connection would have.
fn of_connect(step: TlsStep, why: TlsFailure) -> Error {
    match (step, why) {
        (TlsStep::Connect, TlsFailure::Refused(refusal)) => Error::ConnectFailed(refusal),
        (TlsStep::Connect, TlsFailure::Timeout(after)) => Error::timeout("connect", after),
        (step, why) => Error::Tls { step, why },
    }
}
