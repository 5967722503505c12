//! A TLS server for the states of `doctor` that need one.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

/// Serves TLS with echo on this machine with this certificate and key (PEM). Returns the port.
pub fn serve(certificate: &[u8], key: &[u8]) -> io::Result<u16> {
    let config = Arc::new(server_config(certificate, key).map_err(io::Error::other)?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = config.clone();
            // A client that refuses the certificate closes the connection.
            thread::spawn(move || echo_secured(stream, config));
        }
    });
    Ok(port)
}

fn server_config(
    certificate: &[u8],
    key: &[u8],
) -> Result<ServerConfig, Box<dyn std::error::Error + Send + Sync>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let chain = vec![CertificateDer::from_pem_slice(certificate)?];
    let key = PrivateKeyDer::from_pem_slice(key)?;
    Ok(builder.with_no_client_auth().with_single_cert(chain, key)?)
}

fn echo_secured(mut stream: TcpStream, config: Arc<ServerConfig>) {
    let Ok(mut connection) = ServerConnection::new(config) else { return };
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    let mut buf = [0; 4096];
    while let Ok(count @ 1..) = tls.read(&mut buf)
        && tls.write_all(&buf[..count]).is_ok()
    {}
}
