//! Eight HTTPS pages at once on one thread: `hyper` over `tokio-rustls` over the sockets of a module.
//!
//! ```text
//! tokio-https PORT SERVER NAME CA FILE
//! ```
//!
//! PORT is the module's port. SERVER is the address of a server whose certificate is for NAME and signed by CA. Its
//! page `/blob` has to be equal to FILE each time. At the end a task still waits for a socket without data, and the
//! program ends anyway.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use air724ug::{AsyncModem, Config};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::{Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

type Failure = Box<dyn Error + Send + Sync>;

/// The time limit of the program.
const TIMEOUT: Duration = Duration::from_secs(120);
/// The number of the module's channels.
const SOCKETS: usize = 8;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, server, name, ca, file] = &arguments[..] else {
        return Err("usage: tokio-https PORT SERVER NAME CA FILE".into());
    };
    let wanted = Bytes::from(std::fs::read(file)?);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca)?)?;
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let tls = TlsConnector::from(Arc::new(config));
    let modem = AsyncModem::open(port, Config::default())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let pages = pages(&modem, server.parse()?, name, &tls, &wanted);
    let done = runtime.block_on(async { timeout(TIMEOUT, pages).await? });
    let statistics = modem.blocking().statistics();
    // This drops the waiting task.
    drop(runtime);
    modem.blocking().close();
    done?;
    println!("{SOCKETS} pages of {} bytes, {} bytes received", wanted.len(), statistics.received);
    Ok(())
}

async fn pages(
    modem: &AsyncModem,
    server: SocketAddr,
    name: &str,
    tls: &TlsConnector,
    wanted: &Bytes,
) -> Result<(), Failure> {
    modem.wait_ready(TIMEOUT).await?;
    let mut pages = JoinSet::new();
    for _ in 0..SOCKETS {
        pages.spawn(page(modem.clone(), server, name.to_owned(), tls.clone()));
    }
    while let Some(page) = pages.join_next().await {
        if page?? != *wanted {
            return Err("a page is not the file".into());
        }
    }
    let silent = modem.tcp().connect(server).await?;
    tokio::spawn(async move { silent.recv().await });
    Ok(())
}

async fn page(
    modem: AsyncModem,
    server: SocketAddr,
    name: String,
    tls: TlsConnector,
) -> Result<Bytes, Failure> {
    let socket = modem.tcp().connect(server).await?;
    let stream = tls.connect(ServerName::try_from(name.clone())?, socket).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // The server closes without the closing alert of TLS. This is an error after a body of known length, and no loss.
    tokio::spawn(connection);
    let request = Request::get("/blob").header(header::HOST, name).body(Empty::<Bytes>::new())?;
    let answer = sender.send_request(request).await?;
    if !answer.status().is_success() {
        return Err(format!("the server answers {}", answer.status()).into());
    }
    Ok(answer.into_body().collect().await?.to_bytes())
}
