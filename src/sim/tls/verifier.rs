//! The verification of certificates by the modem: `seclevel`, `cacert`, `hostname`, `ignorelocaltime`.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// The most further times at which a chain is verified: one for each of its certificates, and no chain is longer.
const MAX_TIMES: usize = 8;

/// Verifies a server according to the context.
#[derive(Debug)]
pub(super) struct Verifier {
    /// `None`: no server is verified (`seclevel` 0).
    pub(super) roots: Option<RootCertStore>,
    /// The name that the certificate must have; without `hostname` none is required (assumed).
    pub(super) name: Option<ServerName<'static>>,
    pub(super) ignores_time: bool,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// Verifies the chain; if times are ignored, at a time when each certificate is valid.
    fn verify_chain(
        &self,
        certificate: &ParsedCertificate<'_>,
        roots: &RootCertStore,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let mut time = now;
        for _ in 0..MAX_TIMES {
            let algorithms = self.algorithms.all;
            let verified =
                verify_server_cert_signed_by_trust_anchor(certificate, roots, others, time, algorithms);
            time = match verified {
                Err(Error::InvalidCertificate(error)) if self.ignores_time => match error {
                    CertificateError::ExpiredContext { not_after, .. } => not_after,
                    CertificateError::NotValidYetContext { not_before, .. } => not_before,
                    other => return Err(other.into()),
                },
                done => return done,
            };
        }
        Err(CertificateError::Expired.into())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            self.verify_chain(&certificate, roots, intermediates, now)?;
            if let Some(name) = &self.name {
                verify_server_name(&certificate, name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
