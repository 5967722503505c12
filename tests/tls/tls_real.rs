//! TLS from end to end: the driver's handles, a pseudo-terminal, the simulated modem, and a `rustls` server.
#![allow(clippy::unwrap_used, reason = "what can't be set up shall fail the test, also in a helper")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;
use std::{fs, thread};

use crate::support::driver::{self, SOON, Terminal, echo_server, noise, talking_server};
use air724ug::at::Refusal;
use air724ug::error::{DeliveryUnknown, TlsFailure, TlsStep};
use air724ug::sim::{HostNetwork, Settings};
use air724ug::supervisor::{Missing, Policy, Step, Supervisor};
use air724ug::{
    Certificate, CloseReason, Config, Error, Modem, PrivateKey, ReceiveMode, Received, Socket, TlsConfig,
    TlsSocket, transport::Stream,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};

/// 2030-01-01, a date at which the certificates are valid.
const CLOCK: u64 = 1_893_456_000;

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "fixtures/certificates", name].iter().collect()
}

fn authority() -> Certificate {
    Certificate::from_file(path("ca.crt")).unwrap()
}

fn identified(config: TlsConfig) -> TlsConfig {
    let key = PrivateKey::from_file(path("client.key")).unwrap();
    config.client_identity(Certificate::from_file(path("client.crt")).unwrap(), key)
}

/// An echo server on this machine, for any number of connections, which sends a farewell on request.
fn server(certificate: &str, asks_client: bool) -> SocketAddr {
    let config = server_config(certificate, asks_client);
    driver::server(move |stream| serve(stream, config.clone()))
}

fn serve(mut stream: TcpStream, config: Arc<ServerConfig>) {
    let mut connection = ServerConnection::new(config).unwrap();
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    let mut buffer = [0; 4096];
    // A client that refuses the certificate ends the connection here.
    while let Ok(count @ 1..) = tls.read(&mut buffer) {
        if buffer[..count].ends_with(b"bye") {
            connection.send_close_notify();
            let _ = connection.complete_io(&mut stream);
            return;
        }
        if tls.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

fn server_config(certificate: &str, asks_client: bool) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = if asks_client {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(path("ca.crt")).unwrap()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let chain = vec![CertificateDer::from_pem_file(path(certificate)).unwrap()];
    let key = PrivateKeyDer::from_pem_file(path("server.key")).unwrap();
    Arc::new(builder.with_single_cert(chain, key).unwrap())
}

fn modem_with(config: Config) -> (Terminal, Modem) {
    let network = HostNetwork::new().name("tls.test", Ipv4Addr::LOCALHOST);
    let network = network.name("another.test", Ipv4Addr::LOCALHOST);
    let terminal = Terminal::with(Settings::default().clock(CLOCK), network);
    let modem = terminal.modem(config);
    (terminal, modem)
}

fn modem() -> (Terminal, Modem) {
    modem_with(Config::default())
}

fn echoes<T: Stream>(socket: &Socket<T>, data: &[u8]) {
    socket.set_read_timeout(Some(SOON)).unwrap();
    let mut echo = vec![0; data.len()];
    thread::scope(|scope| {
        scope.spawn(|| socket.send(data).unwrap());
        let mut reader = socket;
        reader.read_exact(&mut echo).unwrap();
    });
    assert!(echo == data, "another echo");
}

#[track_caller]
fn handshake_fails(result: Result<TlsSocket, Error>) {
    match result {
        Err(Error::Tls { step: TlsStep::Connect, why: TlsFailure::Refused(Refusal::ConnectFail) }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_verified_server_echoes_every_byte() {
    let address = server("server.crt", false);
    for mode in [ReceiveMode::Push, ReceiveMode::Manual] {
        let (_terminal, modem) = modem_with(Config::default().receive_mode(mode));
        let socket =
            modem.tls(TlsConfig::verified(authority())).connect(("tls.test", address.port())).unwrap();
        echoes(&socket, &noise(100_000, 1));
        socket.send(b"bye").unwrap();
        let end = socket.recv(SOON);
        assert!(matches!(end, Err(Error::Closed(CloseReason::Peer))), "{end:?}");
    }
}

#[test]
fn wrong_certificates_end_the_connection() {
    let (valid, expired) = (server("server.crt", false).port(), server("expired.crt", false).port());
    let (_terminal, modem) = modem();
    let verified = || TlsConfig::verified(authority());
    let other = TlsConfig::verified(Certificate::from_file(path("other.crt")).unwrap());
    handshake_fails(modem.tls(other).connect(("tls.test", valid)));
    handshake_fails(modem.tls(verified()).connect(("another.test", valid)));
    handshake_fails(modem.tls(verified().server_name("another.test")).connect(("tls.test", valid)));
    handshake_fails(modem.tls(verified()).connect(("tls.test", expired)));
    // Each certificate is accepted with its own name.
    modem.tls(verified().server_name("tls.test")).connect(("another.test", valid)).unwrap();
    modem.tls(verified().any_server_name()).connect(("another.test", valid)).unwrap();
    modem.tls(verified().ignore_local_time(true)).connect(("tls.test", expired)).unwrap();
    modem.tls(verified()).connect(("tls.test", valid)).unwrap();
}

#[test]
fn a_client_is_authenticated_by_its_certificate() {
    let address = server("server.crt", true);
    let (_terminal, modem) = modem();
    let verified = || TlsConfig::verified(authority());
    let socket = modem.tls(identified(verified())).connect(("tls.test", address.port())).unwrap();
    echoes(&socket, b"it is me");
    // TLS 1.3 reports a refused client only with the first data.
    match modem.tls(verified()).connect(("tls.test", address.port())) {
        Ok(socket) => {
            let answer = socket.send(b"no certificate").and_then(|()| socket.recv(SOON));
            assert!(answer.is_err(), "{answer:?}");
        }
        Err(error) => handshake_fails(Err(error)),
    }
}

/// The same client with a key that is decrypted on the host. The module gets the decrypted key, and no event, log or
/// capture contains the key or the password.
#[cfg(feature = "encrypted-keys")]
#[test]
fn a_client_is_authenticated_by_a_key_with_a_password() {
    const PASSWORD: &str = "correct horse battery staple";
    let address = server("server.crt", true);
    let capture = std::env::temp_dir().join(format!("air724ug-encrypted-{}.capture", std::process::id()));
    let certificate = || Certificate::from_file(path("client.crt")).unwrap();
    {
        let (_terminal, modem) = modem_with(Config::default().capture(&capture));
        for name in ["aes256.key", "scrypt.key"] {
            let file = path("../../tests/core/encrypted_keys").join(name);
            let key = PrivateKey::from_file_encrypted(&file, PASSWORD).unwrap();
            let config = TlsConfig::verified(authority()).client_identity(certificate(), key);
            let socket = modem.tls(config).connect(("tls.test", address.port())).unwrap();
            echoes(&socket, b"it is me");
            socket.close().unwrap();
        }
        modem.close();
    }
    let text = fs::read_to_string(&capture).unwrap();
    fs::remove_file(&capture).unwrap();
    assert!(text.contains("AT+FSWRITE=") && text.contains("connect TLS tls.test"), "{text}");
    let key = fs::read_to_string(path("client.key")).unwrap();
    let lines = key.lines().filter(|line| !line.starts_with('-')).map(|line| &line[..16]);
    for secret in lines.chain(["BEGIN", PASSWORD]) {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn a_server_without_tls_is_an_error_and_no_plain_connection() {
    let address = talking_server(b"220 hello\r\n");
    let (_terminal, modem) = modem();
    handshake_fails(modem.tls(TlsConfig::unverified()).connect(("tls.test", address.port())));
}

#[test]
fn seven_plain_sockets_and_a_tls_one_work_at_once() {
    let address = server("server.crt", false);
    let plain = echo_server();
    let (_terminal, modem) = modem();
    let mut sockets: Vec<Socket> =
        (0..7).map(|_| modem.tcp().connect(("127.0.0.1", plain.port())).unwrap()).collect();
    let secure = modem.tls(TlsConfig::verified(authority())).connect(("tls.test", address.port())).unwrap();
    assert!(matches!(modem.tcp().connect(("127.0.0.1", plain.port())), Err(Error::NoFreeChannel)));
    thread::scope(|scope| {
        for socket in &sockets {
            scope.spawn(|| echoes(socket, &noise(50_000, 2)));
        }
        scope.spawn(|| echoes(&secure, &noise(50_000, 2)));
    });
    // A plain connection is refused while a TLS connection exists, and works after its close.
    sockets.remove(0).close().unwrap();
    let refused = modem.tcp().connect(("127.0.0.1", plain.port()));
    let expected = matches!(refused, Err(Error::Tls { step: TlsStep::Switch, why: TlsFailure::TlsOpen }));
    assert!(expected, "{refused:?}");
    secure.close().unwrap();
    echoes(&modem.tcp().connect(("127.0.0.1", plain.port())).unwrap(), b"plain again");
}

#[test]
fn files_are_uploaded_once_and_removed_on_request() {
    let address = server("server.crt", true);
    let (_terminal, modem) = modem();
    let config = identified(TlsConfig::verified(authority()));
    let connect = || modem.tls(config.clone()).connect(("tls.test", address.port())).unwrap();
    let files = || modem.command("AT+FSLS=\"/\"", SOON).unwrap();
    connect().close().unwrap();
    let before = files();
    assert_eq!(before.len(), 3, "{before:?}");
    connect().close().unwrap();
    assert_eq!(files(), before);
    assert_eq!(modem.remove_tls_files(&config).unwrap(), 3);
    assert_eq!(modem.remove_tls_files(&config).unwrap(), 0);
    assert_eq!(files(), Vec::<String>::new());
    echoes(&connect(), b"back again");
}

#[test]
fn a_capture_of_a_session_contains_no_key() {
    let address = server("server.crt", true);
    let capture = std::env::temp_dir().join(format!("air724ug-tls-{}.capture", std::process::id()));
    {
        let (_terminal, modem) = modem_with(Config::default().capture(&capture));
        let config = identified(TlsConfig::verified(authority()));
        echoes(&modem.tls(config).connect(("tls.test", address.port())).unwrap(), b"hello");
        modem.close();
    }
    let text = fs::read_to_string(&capture).unwrap();
    fs::remove_file(&capture).unwrap();
    assert!(text.contains("AT+FSWRITE=") && text.contains("connect TLS tls.test"), "{text}");
    let key = fs::read_to_string(path("client.key")).unwrap();
    for line in key.lines().filter(|line| !line.starts_with('-')) {
        assert!(!text.contains(&line[..16]), "{line}");
    }
    assert!(!text.contains("BEGIN"));
}

/// A logger that keeps the warnings of this program.
struct Warnings;
static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl log::Log for Warnings {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            WARNINGS.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

#[test]
fn each_connection_without_verification_logs_a_warning() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Warnings).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
    });
    let address = server("server.crt", false);
    let (_terminal, modem) = modem();
    let warnings = |port: u16| {
        let mine =
            |text: &&String| text.contains(&format!("tls.test:{port}")) && text.contains("without verifying");
        WARNINGS.lock().unwrap().iter().filter(mine).count()
    };
    modem.tls(TlsConfig::verified(authority())).connect(("tls.test", address.port())).unwrap();
    assert_eq!(warnings(address.port()), 0);
    for count in 1..=2 {
        let socket = modem.tls(TlsConfig::unverified()).connect(("tls.test", address.port())).unwrap();
        echoes(&socket, b"unverified");
        assert_eq!(warnings(address.port()), count);
    }
}

#[test]
fn missing_certificates_are_reported() {
    let absent = Certificate::from_file(path("nowhere.crt"));
    assert!(matches!(absent, Err(Error::Io(_))), "{absent:?}");
    let wrong = PrivateKey::from_file(path("ca.crt"));
    assert!(matches!(wrong, Err(Error::InvalidInput { what: "private key", .. })), "{wrong:?}");
    let endless = Certificate::from_file("/dev/zero");
    assert!(matches!(endless, Err(Error::InvalidInput { .. })), "{endless:?}");
}

#[test]
fn wait_accepted_waits_until_all_data_are_sent() {
    let (sender, receiver) = crossbeam_channel::unbounded();
    let config = server_config("server.crt", false);
    let address = driver::server(move |mut stream| {
        let mut connection = ServerConnection::new(config.clone()).unwrap();
        let mut all = Vec::new();
        // The module ends TLS without a closing alert.
        let _ = rustls::Stream::new(&mut connection, &mut stream).read_to_end(&mut all);
        sender.send(all).unwrap();
    });
    let (_terminal, modem) = modem();
    let socket = modem.tls(TlsConfig::verified(authority())).connect(("tls.test", address.port())).unwrap();
    let data = noise(20_000, 7);
    socket.queue(&data).unwrap();
    socket.wait_accepted().unwrap();
    socket.close().unwrap();
    assert!(receiver.recv_timeout(SOON).unwrap() == data);
}

/// Reads until the wanted bytes have come.
fn comes(socket: &air724ug::supervisor::ReconnectingSocket, wanted: &[u8]) {
    let mut data = Vec::new();
    while data != wanted {
        match socket.recv(SOON).unwrap() {
            Received::Data(more) => data.extend(more),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_tls_connection_is_made_again_and_its_loss_is_unknown() {
    let address = server("server.crt", false);
    let (terminal, modem) = modem();
    let supervisor = Supervisor::new(modem, Policy::default().pause(Duration::from_millis(20)));
    let config = TlsConfig::verified(authority());
    let socket = supervisor.tls(config, "tls.test", address.port());
    socket.send(b"hello", SOON).unwrap();
    comes(&socket, b"hello");
    socket.send(b"bye", SOON).unwrap();
    let end = socket.recv(SOON).unwrap();
    let Received::Gap(gap) = end else { panic!("{end:?}") };
    assert_eq!(gap.missing, Missing::Unknown { why: DeliveryUnknown::Tls, sent: 8 });
    socket.send(b"again", SOON).unwrap();
    comes(&socket, b"again");
    // The module forgets its settings at a restart, so the connection is prepared from the start.
    terminal.remote.send(air724ug::sim::Control::Reset);
    let end = socket.recv(SOON).unwrap();
    let Received::Gap(gap) = end else { panic!("{end:?}") };
    assert_eq!(gap.missing, Missing::Unknown { why: DeliveryUnknown::Tls, sent: 5 });
    socket.send(b"still there", SOON).unwrap();
    comes(&socket, b"still there");
    assert_eq!(socket.gaps(), 2);
}

#[test]
fn a_refused_plain_connection_does_not_end_the_tls_connection() {
    let address = server("server.crt", false);
    let plain = echo_server();
    let (_terminal, modem) = modem();
    let supervisor = Supervisor::new(modem, Policy::default().pause(Duration::from_millis(20)));
    let events = supervisor.events();
    let secret = supervisor.tls(TlsConfig::verified(authority()), "tls.test", address.port());
    secret.send(b"hello", SOON).unwrap();
    comes(&secret, b"hello");
    let refused = supervisor.tcp("127.0.0.1", plain.port()).recv(SOON);
    assert!(matches!(refused, Err(Error::Tls { why: TlsFailure::TlsOpen, .. })), "{refused:?}");
    assert!(!events.try_iter().any(|step| matches!(step, Step::Climbing(_))));
    secret.send(b"still open", SOON).unwrap();
    comes(&secret, b"still open");
}
