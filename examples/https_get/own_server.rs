//! An HTTPS server in this program, for a run without a URL.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::common::Failed;

/// The authority of its certificate.
pub const CA: &[u8] = include_bytes!("../../fixtures/certificates/ca.crt");
/// The name in its certificate.
pub const NAME: &str = "tls.test";
const CERTIFICATE: &[u8] = include_bytes!("../../fixtures/certificates/server.crt");
const KEY: &[u8] = include_bytes!("../../fixtures/certificates/server.key");
const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 48\r\nConnection: close\r\n\r\nThis page came over TLS and a simulated modem.\r\n";

/// Serves one page. Returns the port.
pub fn serve() -> Result<u16, Failed> {
    let config = Arc::new(
        config().map_err(|error| Failed::Job(format!("the server in this program: {error}"), None))?,
    );
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Ok(connection) = ServerConnection::new(config.clone()) else { return };
            let mut reader = BufReader::new(StreamOwned::new(connection, stream));
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|count| count > 2) {
                line.clear();
            }
            let tls = reader.get_mut();
            // If the client has closed the connection, the page is not sent.
            let _ = tls.write_all(PAGE);
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    });
    Ok(port)
}

fn config() -> Result<ServerConfig, Box<dyn std::error::Error>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE)?];
    Ok(builder.with_no_client_auth().with_single_cert(chain, PrivateKeyDer::from_pem_slice(KEY)?)?)
}
