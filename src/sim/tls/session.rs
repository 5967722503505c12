//! A session: plain bytes on the channel's side, records on the network's.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::{ClientConnection, Resumption};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};

use super::handshake::{Progress, Wanted};
use super::verifier::Verifier;
use crate::sim::files::Files;
use crate::sim::network::{Link, Network};
use crate::time::Timestamp;

/// True if `AT+CIPSSL=1` is possible.
pub(in crate::sim) const AVAILABLE: bool = true;

/// The most plain bytes that wait for the modem; beyond it no more records are decrypted (one record has 16 KiB).
const PLAIN_LIMIT: usize = 16 * 1024;
/// The most bytes of records that wait for the network; beyond it no more plain bytes are accepted.
const RECORD_LIMIT: usize = 32 * 1024;
/// The largest read from the network.
const READ_SIZE: usize = 4 * 1024;

/// A client's session.
#[derive(Debug)]
pub(in crate::sim) struct TlsSession {
    connection: ClientConnection,
    /// Records from the network that are not decrypted yet.
    inbound: Vec<u8>,
    /// Records that the network has not accepted yet.
    outbound: Vec<u8>,
    /// The number of plain bytes that wait for the modem.
    waiting: usize,
    /// The numbers of sent bytes of records and of plain text, and both at the end of each send.
    records: u64,
    plain: u64,
    ends: VecDeque<(u64, u64)>,
    progress: Progress,
}

impl TlsSession {
    /// A session with the settings of its context; the error is the reason why there is none.
    pub(in crate::sim) fn new(wanted: &Wanted<'_>) -> Result<Self, String> {
        let value = |name: &str| wanted.contexts.value(wanted.context, name);
        // rustls supports no protocol older than TLS 1.2, and current servers accept none.
        if !wanted.upgraded && !matches!(value("sslversion"), "3" | "4") {
            return Err(format!("sslversion {} is no longer spoken", value("sslversion")));
        }
        let hostname = value("hostname");
        let name = if hostname.is_empty() { wanted.host } else { hostname };
        let name = ServerName::try_from(name.to_owned()).map_err(|error| format!("{name}: {error}"))?;
        let level = value("seclevel");
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier {
            roots: if level == "0" { None } else { Some(roots(wanted.files, value("cacert"))?) },
            name: (!hostname.is_empty()).then(|| name.clone()),
            ignores_time: value("ignorelocaltime") == "1",
            algorithms: provider.signature_verification_algorithms,
        };
        let clock = Arc::new(ModuleClock(wanted.time));
        let builder = ClientConfig::builder_with_details(provider, clock)
            .with_protocol_versions(&[&rustls::version::TLS12])
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let (certificate, key) = (value("clientcert"), value("clientkey"));
        let mut config = if level == "2" && !certificate.is_empty() {
            let chain = certificates(wanted.files, certificate)?;
            let key = private_key(wanted.files, key)?;
            builder.with_client_auth_cert(chain, key).map_err(|error| error.to_string())?
        } else {
            builder.with_no_client_auth()
        };
        config.resumption = Resumption::disabled();
        let connection = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
        Ok(Self {
            connection,
            inbound: Vec::new(),
            outbound: Vec::new(),
            waiting: 0,
            records: 0,
            plain: 0,
            ends: VecDeque::new(),
            progress: Progress::Handshaking,
        })
    }

    /// Moves records in both directions. Returns true if there were any, and the progress of the session.
    pub(in crate::sim) fn drive(
        &mut self,
        now: Timestamp,
        link: Link,
        network: &mut dyn Network,
    ) -> (bool, Progress) {
        let mut moved = self.flush(now, link, network);
        while self.progress != Progress::Failed && self.waiting < PLAIN_LIMIT {
            if self.inbound.is_empty() {
                let mut records = [0; READ_SIZE];
                let count = network.receive(now, link, &mut records);
                self.inbound.extend_from_slice(&records[..count]);
            }
            if self.inbound.is_empty() {
                break;
            }
            moved = true;
            if self.open_records().is_err() {
                self.progress = Progress::Failed;
            }
        }
        self.prune(network.acknowledged(link));
        // This includes the alert with the reason of a failure.
        moved |= self.flush(now, link, network);
        (moved, self.progress)
    }

    /// Takes plain bytes. Returns their number.
    pub(in crate::sim) fn send(&mut self, bytes: &[u8]) -> usize {
        if self.outbound.len() >= RECORD_LIMIT || self.progress == Progress::Handshaking {
            return 0;
        }
        // Writing to memory fails only after the end of the session.
        let count = self.connection.writer().write(bytes).unwrap_or(0);
        self.plain += count as u64;
        self.seal();
        self.ends.push_back((self.records, self.plain));
        count
    }

    /// Returns plain bytes and their number.
    pub(in crate::sim) fn receive(&mut self, into: &mut [u8]) -> usize {
        // An error means the end, or that there are no bytes now.
        let count = self.connection.reader().read(into).unwrap_or(0);
        self.waiting -= count.min(self.waiting);
        count
    }

    /// The number of plain bytes that the peer has acknowledged, from this number of acknowledged bytes of records.
    pub(in crate::sim) fn acknowledged(&self, records: u64) -> u64 {
        let done = self.ends.iter().take_while(|(end, _)| *end <= records).last();
        done.map_or(0, |(_, plain)| *plain)
    }

    /// Sends a close notification to the peer, if the network accepts it.
    pub(in crate::sim) fn end(&mut self, now: Timestamp, link: Link, network: &mut dyn Network) {
        self.connection.send_close_notify();
        self.flush(now, link, network);
    }

    fn open_records(&mut self) -> Result<(), rustls::Error> {
        let mut records = self.inbound.as_slice();
        // An I/O error means that the session's buffer is full; decryption makes room.
        let count = self.connection.read_tls(&mut records).unwrap_or(0);
        self.inbound.drain(..count);
        let state = self.connection.process_new_packets()?;
        self.waiting = state.plaintext_bytes_to_read();
        self.progress = match (state.peer_has_closed(), self.connection.is_handshaking()) {
            (true, true) => Progress::Failed,
            (true, false) => Progress::Closed,
            (false, true) => Progress::Handshaking,
            (false, false) => Progress::Established,
        };
        Ok(())
    }

    fn seal(&mut self) {
        while self.connection.wants_write() {
            // Writing to memory does not fail.
            match self.connection.write_tls(&mut self.outbound) {
                Ok(count @ 1..) => self.records += count as u64,
                Ok(0) | Err(_) => return,
            }
        }
    }

    fn flush(&mut self, now: Timestamp, link: Link, network: &mut dyn Network) -> bool {
        self.seal();
        let mut moved = false;
        while !self.outbound.is_empty() {
            let count = network.send(now, link, &self.outbound);
            if count == 0 {
                break;
            }
            self.outbound.drain(..count);
            moved = true;
        }
        moved
    }

    /// Drops the ends that are acknowledged, except the last.
    fn prune(&mut self, records: u64) {
        while self.ends.len() > 1 && self.ends[1].0 <= records {
            self.ends.pop_front();
        }
    }
}

/// The module's clock at the connect, which does not advance during the handshake.
#[derive(Debug)]
struct ModuleClock(u64);

impl TimeProvider for ModuleClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0)))
    }
}

/// The certificates of `cacert`; without any no server can be verified (assumed).
fn roots(files: &Files, name: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(files, name)? {
        roots.add(certificate).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(roots)
}

/// The certificates of a file, in PEM, or a single one in DER.
fn certificates(files: &Files, name: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let content = files.read(name).ok_or_else(|| format!("there is no file \"{name}\""))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(content).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) if !content.is_empty() => Ok(vec![CertificateDer::from(content.to_vec())]),
        Ok(_) => Err(format!("{name} is empty")),
        Err(error) => Err(format!("{name}: {error:?}")),
    }
}

fn private_key(files: &Files, name: &str) -> Result<PrivateKeyDer<'static>, String> {
    let content = files.read(name).ok_or_else(|| format!("there is no file \"{name}\""))?;
    PrivateKeyDer::from_pem_slice(content).map_err(|error| format!("{name}: {error:?}"))
}
