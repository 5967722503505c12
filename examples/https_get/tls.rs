//! TLS on the host over a socket of the modem: the trusted authorities, and the texts of errors.

use std::io;
use std::path::Path;
use std::sync::Arc;

use air724ug::Socket;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::common::{Failed, shell::words};

/// A TLS connection over a socket of the modem.
pub type Secured = StreamOwned<ClientConnection, Socket>;

/// The authorities of this system, and those of a file.
pub fn config(ca: Option<&Path>, more: &[u8]) -> Result<Arc<ClientConfig>, Failed> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    for pem in CertificateDer::pem_slice_iter(more).flatten() {
        roots.add_parsable_certificates([pem]);
    }
    if let Some(path) = ca {
        let unread = |why: &dyn std::fmt::Display| {
            let advice = Some("--ca takes a file with certificates in PEM");
            Failed::Job(format!("{} can't be read: {why}", path.display()), advice)
        };
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| unread(&error))?;
        let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(|error| unread(&error))?;
        if roots.add_parsable_certificates(certificates).0 == 0 {
            return Err(unread(&"there is no certificate in it"));
        }
    }
    if roots.is_empty() {
        let why = "this system has no certificates of authorities".to_owned();
        return Err(Failed::Job(why, Some("install ca-certificates, set SSL_CERT_FILE, or give --ca FILE")));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failed::Job(error.to_string(), None))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

/// Starts TLS; the first read or write does the handshake.
pub fn secure(config: &Arc<ClientConfig>, host: &str, socket: Socket) -> Result<Secured, Failed> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Failed::Job(format!("\"{host}\" is no name that a certificate can have"), None))?;
    let connection = ClientConnection::new(config.clone(), name)
        .map_err(|error| Failed::Job(format!("TLS can't begin: {error}"), None))?;
    Ok(StreamOwned::new(connection, socket))
}

/// The TLS fault in words, with advice; `None` for a lost connection or another failure.
pub fn in_words(error: &io::Error) -> Option<Failed> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let certificate =
        |why: &str, advice| Some(Failed::Job(format!("the server's certificate {why}"), Some(advice)));
    match error {
        rustls::Error::InvalidCertificate(what) => match what {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => certificate(
                "has expired",
                "is the clock of this machine right? Otherwise its operator must renew it",
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                certificate("is not valid yet", "is the clock of this machine right?")
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                certificate("is for another name", "is the host in the URL right?")
            }
            CertificateError::UnknownIssuer => certificate(
                "is of an authority that is not trusted here",
                "--ca FILE trusts another one; otherwise something between here and the server reads along",
            ),
            CertificateError::Revoked => certificate("was revoked", "do not use this server"),
            other => certificate(&format!("is not accepted: {other}"), "its operator must renew it"),
        },
        rustls::Error::InvalidMessage(_)
        | rustls::Error::InappropriateMessage { .. }
        | rustls::Error::InappropriateHandshakeMessage { .. } => {
            let why = "the server does not speak TLS on this port".to_owned();
            Some(Failed::Job(why, Some("is the port in the URL right?")))
        }
        rustls::Error::AlertReceived(alert) => {
            let why = format!("the server refuses TLS: {}", words(alert));
            Some(Failed::Job(why, Some("its log says why")))
        }
        other => Some(Failed::Job(format!("TLS failed: {other}"), None)),
    }
}
