//! TLS of the simulated modem: real handshakes with a `rustls` server, in memory and on this machine. The modem
//! verifies servers by the certificates that the host has uploaded.
#![allow(clippy::unwrap_used)] // A certificate that can't be read shall fail the test, also in a helper.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::support::sim::{self, Host, NOT_ALLOWED, OK, PROMPT, go_online, host_with, last_link, text};
use air724ug::sim::{HostNetwork, Link, ModemEvent, Profile, Settings, Simulator, serve};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};

const CA: &[u8] = include_bytes!("../../fixtures/certificates/ca.crt");
const OTHER_CA: &[u8] = include_bytes!("../../fixtures/certificates/other.crt");
const SERVER: &[u8] = include_bytes!("../../fixtures/certificates/server.crt");
const EXPIRED: &[u8] = include_bytes!("../../fixtures/certificates/expired.crt");
const SERVER_KEY: &[u8] = include_bytes!("../../fixtures/certificates/server.key");
const CLIENT: &[u8] = include_bytes!("../../fixtures/certificates/client.crt");
const CLIENT_KEY: &[u8] = include_bytes!("../../fixtures/certificates/client.key");
/// 2030-01-01, a date at which the certificates are valid.
const CLOCK: u64 = 1_893_456_000;

fn settings() -> Settings {
    Settings::default().echo(false).clock(CLOCK)
}

fn config(certificate: &[u8], asks_client: bool) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = if asks_client {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(CA).unwrap()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let chain = vec![CertificateDer::from_pem_slice(certificate).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(SERVER_KEY).unwrap();
    Arc::new(builder.with_single_cert(chain, key).unwrap())
}

/// A server at the other end of a link in memory.
struct Server {
    connection: ServerConnection,
    link: Link,
    seen: usize,
    received: Vec<u8>,
    printed: String,
}

impl Server {
    fn new(host: &Host, config: Arc<ServerConfig>) -> Self {
        let connection = ServerConnection::new(config).unwrap();
        Self { connection, link: last_link(host), seen: 0, received: Vec::new(), printed: String::new() }
    }

    /// Passes bytes between server and modem until neither has any. Returns the output of the modem.
    fn talk(&mut self, host: &mut Host) -> String {
        loop {
            let records = host.simulator().network().received(self.link)[self.seen..].to_vec();
            self.seen += records.len();
            let mut rest = records.as_slice();
            while !rest.is_empty() {
                self.connection.read_tls(&mut rest).unwrap();
                if self.connection.process_new_packets().is_err() {
                    break;
                }
                let mut plain = [0; 65_536];
                while let Ok(count @ 1..) = self.connection.reader().read(&mut plain) {
                    self.received.extend_from_slice(&plain[..count]);
                }
            }
            let mut answer = Vec::new();
            while self.connection.wants_write() {
                self.connection.write_tls(&mut answer).unwrap();
            }
            if records.is_empty() && answer.is_empty() {
                return std::mem::take(&mut self.printed);
            }
            let link = self.link;
            self.printed += &text(host.with_network(|network| network.push(link, &answer)));
        }
    }
}

/// Uploads a file as a host does: create, prompt, content.
#[track_caller]
fn upload(host: &mut Host, name: &str, content: &[u8]) {
    ask(host, &format!("AT+FSCREATE=\"{name}\""), OK);
    // Each dialect has its own blank after the prompt (capture a21 has none).
    let command = format!("AT+FSWRITE=\"{name}\",0,{},15\r\n", content.len());
    assert_eq!(text(host.write(command.as_bytes())).trim_end(), PROMPT.trim_end());
    assert_eq!(text(host.write(content)), OK);
}

/// Asks without echo, unlike the function of the support module.
#[track_caller]
fn ask(host: &mut Host, command: &str, answer: &str) {
    assert_eq!(text(host.write(format!("{command}\r\n").as_bytes())), answer, "{command}");
}

/// A modem with a bearer and TLS, after these lines of `AT+SSLCFG` for channel 0.
#[track_caller]
fn secured(settings: Settings, lines: &[&str]) -> Host {
    let mut host = host_with(settings);
    upload(&mut host, "ca.crt", CA);
    upload(&mut host, "other.crt", OTHER_CA);
    upload(&mut host, "client.crt", CLIENT);
    upload(&mut host, "client.key", CLIENT_KEY);
    go_online(&mut host, true);
    ask(&mut host, "AT+CIPSSL=1", OK);
    for line in lines {
        ask(&mut host, &format!("AT+SSLCFG={line}"), OK);
    }
    host
}

/// Connects channel 0 to a server. Returns the server and the output of the modem.
fn connect(host: &mut Host, config: Arc<ServerConfig>) -> (Server, String) {
    ask(host, "AT+CIPSTART=0,\"TCP\",\"discard.test\",9", OK);
    let mut server = Server::new(host, config);
    let said = server.talk(host);
    (server, said)
}

const CONNECTED: &str = "\r\n0, CONNECT OK\r\n";
const FAILED: &str = "\r\n0, CONNECT FAIL\r\n";

#[test]
fn data_pass_a_session_in_both_directions() {
    let mut host = secured(settings(), &["\"seclevel\",0,1", "\"cacert\",0,\"ca.crt\""]);
    let (mut server, said) = connect(&mut host, config(SERVER, false));
    assert_eq!(said, CONNECTED);
    ask(&mut host, "AT+CIPSEND=0,5", PROMPT);
    assert_eq!(text(host.write(b"hello")), "\r\nDATA ACCEPT:0,5\r\n");
    server.talk(&mut host);
    assert_eq!(server.received, b"hello");
    let records = host.simulator().network().received(server.link);
    assert!(
        !records.windows(5).any(|window| window == b"hello"),
        "the data are on the network in plain text"
    );
    server.connection.writer().write_all(b"secret").unwrap();
    assert_eq!(server.talk(&mut host), "\r\n+RECEIVE,0,6:\r\nsecret");
    ask(&mut host, "AT+CIPACK=0", "\r\n+CIPACK: 5,5,0\r\n\r\nOK\r\n");
    ask(&mut host, "AT+CIPCLOSE=0", "\r\n0, CLOSE OK\r\n");
}

#[test]
fn manual_receive_reads_a_large_answer_whole() {
    let mut host = host_with(settings());
    ask(&mut host, "AT+CIPRXGET=1", OK);
    go_online(&mut host, true);
    ask(&mut host, "AT+CIPSSL=1", OK);
    let (mut server, said) = connect(&mut host, config(SERVER, false));
    assert_eq!(said, CONNECTED, "seclevel 0 accepts any server");
    server.connection.set_buffer_limit(None);
    server.connection.writer().write_all(&[b'x'; 100_000]).unwrap();
    server.talk(&mut host);
    let mut got = 0;
    loop {
        let answer = text(host.write(b"AT+CIPRXGET=2,0,1460\r\n"));
        let count = answer.matches('x').count();
        if count == 0 {
            break;
        }
        got += count;
    }
    assert_eq!(got, 100_000);
}

#[test]
fn a_push_of_many_records_loses_nothing() {
    let mut host = secured(settings(), &[]);
    let (mut server, _) = connect(&mut host, config(SERVER, false));
    server.connection.set_buffer_limit(None);
    server.connection.writer().write_all(&vec![b'x'; 200_000]).unwrap();
    let printed = server.talk(&mut host);
    let frames = printed.matches("+RECEIVE,0,").count();
    assert_eq!(printed.matches('x').count(), 200_000);
    assert!(frames >= 200_000 / 1460, "{frames} frames");
}

#[test]
fn a_server_that_the_uploaded_authority_did_not_sign_is_refused() {
    let mut host = secured(settings(), &["\"seclevel\",0,1", "\"cacert\",0,\"other.crt\""]);
    assert_eq!(connect(&mut host, config(SERVER, false)).1, FAILED);
    ask(&mut host, "AT+SSLCFG=\"cacert\",0,\"ca.crt\"", OK);
    assert_eq!(connect(&mut host, config(SERVER, false)).1, CONNECTED);
}

#[test]
fn an_expired_certificate_is_refused_unless_the_time_is_ignored() {
    let lines = ["\"seclevel\",0,1", "\"cacert\",0,\"ca.crt\""];
    let mut host = secured(settings(), &lines);
    assert_eq!(connect(&mut host, config(EXPIRED, false)).1, FAILED);
    ask(&mut host, "AT+SSLCFG=\"ignorelocaltime\",0,1", OK);
    assert_eq!(connect(&mut host, config(EXPIRED, false)).1, CONNECTED);
    ask(&mut host, "AT+CIPCLOSE=0", "\r\n0, CLOSE OK\r\n");
    ask(&mut host, "AT+SSLCFG=\"cacert\",0,\"other.crt\"", OK);
    assert_eq!(connect(&mut host, config(EXPIRED, false)).1, FAILED, "only the time is ignored");
}

#[test]
fn a_module_with_a_wrong_clock_accepts_no_server_until_it_ignores_it() {
    let mut host = secured(settings().clock(0), &["\"seclevel\",0,1", "\"cacert\",0,\"ca.crt\""]);
    assert_eq!(connect(&mut host, config(SERVER, false)).1, FAILED);
    ask(&mut host, "AT+SSLCFG=\"ignorelocaltime\",0,1", OK);
    assert_eq!(connect(&mut host, config(SERVER, false)).1, CONNECTED);
}

#[test]
fn the_host_name_is_sent_to_the_server_and_has_to_be_in_its_certificate() {
    let lines = ["\"seclevel\",0,1", "\"cacert\",0,\"ca.crt\"", "\"hostname\",0,\"tls.test\""];
    let mut host = secured(settings(), &lines);
    let (server, said) = connect(&mut host, config(SERVER, false));
    assert_eq!((said.as_str(), server.connection.server_name()), (CONNECTED, Some("tls.test")));
    ask(&mut host, "AT+CIPCLOSE=0", "\r\n0, CLOSE OK\r\n");
    ask(&mut host, "AT+SSLCFG=\"hostname\",0,\"another.test\"", OK);
    assert_eq!(connect(&mut host, config(SERVER, false)).1, FAILED);
}

#[test]
fn the_client_sends_its_certificate_only_at_level_two() {
    let lines = [
        "\"cacert\",0,\"ca.crt\"",
        "\"clientcert\",0,\"client.crt\"",
        "\"clientkey\",0,\"client.key\"",
        "\"seclevel\",0,2",
    ];
    let mut host = secured(settings(), &lines);
    assert_eq!(connect(&mut host, config(SERVER, true)).1, CONNECTED);
    ask(&mut host, "AT+CIPCLOSE=0", "\r\n0, CLOSE OK\r\n");
    ask(&mut host, "AT+SSLCFG=\"seclevel\",0,1", OK);
    assert_eq!(connect(&mut host, config(SERVER, true)).1, FAILED);
}

#[test]
fn a_missing_or_invalid_certificate_fails_the_connect() {
    let mut host = secured(settings(), &["\"seclevel\",0,1", "\"cacert\",0,\"nowhere.crt\""]);
    let failed = format!("{OK}{FAILED}");
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"discard.test\",9", &failed);
    ask(&mut host, "AT+SSLCFG=\"cacert\",0,\"client.key\"", OK);
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"discard.test\",9", &failed);
    ask(&mut host, "AT+SSLCFG=\"cacert\",0,", OK);
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"discard.test\",9", &failed);
    assert!(host.modem_events().iter().any(|event| event.to_string().contains("nowhere.crt")));
}

#[test]
fn plain_and_tls_connections_exclude_each_other() {
    let mut host = secured(settings(), &["\"negotiatetimeout\",0,10"]);
    let answered = "AT+CIPSTART=0,\"TCP\",\"greeting.test\",1";
    assert_eq!(text(host.write(format!("{answered}\r\n").as_bytes())), format!("{OK}{FAILED}"));
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"discard.test\",9", OK);
    assert_eq!(host.wait(Duration::from_millis(9_999)), b"", "the server sends nothing");
    assert_eq!(text(host.wait(Duration::from_millis(1))), FAILED);
    assert!(matches!(host.modem_events().last(), Some(ModemEvent::ConnectFailed { .. })));
    ask(&mut host, "AT+CIPSSL=0", OK);
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"discard.test\",9", &format!("{OK}{CONNECTED}"));
}

#[test]
fn a_close_during_the_handshake_fails_the_connect() {
    let mut host = secured(settings(), &[]);
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"discard.test\",9", OK);
    assert_eq!(sim::close_by_peer(&mut host), FAILED);
}

#[test]
fn a_close_by_the_peer_is_reported_in_the_form_of_the_profile() {
    for (profile, closed) in
        [(Profile::air724(), "\r\n0, CLOSED\r\n"), (Profile::air780e(), "\r\n0, CLOSE OK\r\n")]
    {
        let mut host = secured(settings().profile(profile), &["\"sslversion\",0,4"]);
        let (mut server, said) = connect(&mut host, config(SERVER, false));
        assert_eq!(said, CONNECTED);
        server.connection.writer().write_all(b"bye").unwrap();
        server.connection.send_close_notify();
        assert_eq!(server.talk(&mut host), format!("\r\n+RECEIVE,0,3:\r\nbye{closed}"));
    }
}

#[test]
fn the_air780e_needs_a_setting_for_a_current_protocol_version() {
    let mut host = secured(settings().profile(Profile::air780e()), &[]);
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"discard.test\",9", &format!("{OK}{FAILED}"));
}

#[test]
fn every_key_is_read_set_and_erased() {
    let mut host = host_with(settings());
    let keys = [
        ("sslversion", "4", "3", "5"),
        ("ciphersuite", "0XFFFF", "0X0035", "0X1301"),
        ("cacert", "", "ca.crt", "\"\",1"),
        ("seclevel", "0", "2", "3"),
        ("hostname", "", "tls.test", "\u{e4}"),
        ("ignorelocaltime", "0", "1", "2"),
        ("negotiatetimeout", "300", "10", "9"),
        ("clientrandom", "", "101B12C3141516171F19202122232425262728293031323334353637", "101B"),
        ("verifymode", "0", "1", "2"),
    ];
    for (key, default, value, wrong) in keys {
        let shown = |value: &str| format!("\r\n+SSLCFG: \"{key}\",1,{value}\r\n{OK}");
        ask(&mut host, &format!("AT+SSLCFG=\"{key}\",1"), &shown(default));
        ask(&mut host, &format!("AT+SSLCFG=\"{key}\",1,{value}"), OK);
        ask(&mut host, &format!("AT+SSLCFG=\"{key}\",1,{wrong}"), "\r\nERROR\r\n");
        ask(&mut host, &format!("AT+SSLCFG=\"{key}\",1"), &shown(value));
        ask(&mut host, &format!("AT+SSLCFG=\"{key}\",1,"), OK);
        ask(&mut host, &format!("AT+SSLCFG=\"{key}\",1"), &shown(default));
    }
    ask(&mut host, "AT+SSLCFG=\"sslversion\",88,3", OK);
    ask(&mut host, "AT+SSLCFG=\"sslversion\",9", "\r\nERROR\r\n");
    ask(&mut host, "AT+SSLCFG=\"colour\",0", "\r\nERROR\r\n");
    ask(&mut host, "AT+SSLCFG=?", OK);
    ask(&mut host, "AT+CIPSSL=?", &format!("\r\n+CIPSSL: (0-1)\r\n{OK}"));
    ask(&mut host, "AT+CIPSSL?", &format!("\r\n+CIPSSL: 0\r\n{OK}"));
    ask(&mut host, "AT+CIPSEND=0,1", NOT_ALLOWED);
}

/// A TLS echo server on this machine, for one connection.
fn tls_echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(config(SERVER, false)).unwrap();
        let mut tls = rustls::Stream::new(&mut connection, &mut stream);
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = tls.read(&mut buffer) {
            tls.write_all(&buffer[..count]).unwrap();
        }
    });
    address
}

#[test]
fn a_real_server_on_this_machine_is_verified_and_echoes() {
    let address = tls_echo_server();
    let network = HostNetwork::new().name("tls.test", address.ip());
    let (mut reader, mut writer, handle) = serve::in_process(Simulator::new(settings(), network)).unwrap();
    let mut seen = String::new();
    let mut exchange = |typed: &[u8], awaited: &str| {
        writer.write_all(typed).unwrap();
        let mut buffer = [0; 4096];
        while !seen.contains(awaited) {
            let count = reader.read(&mut buffer).unwrap();
            assert!(count > 0, "{seen}");
            seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
        seen.clear();
    };
    exchange(b"AT+FSCREATE=\"ca.crt\"\r\n", "OK");
    exchange(format!("AT+FSWRITE=\"ca.crt\",0,{},15\r\n", CA.len()).as_bytes(), "> ");
    exchange(CA, "OK");
    exchange(b"AT+CIPMUX=1;+CSTT;+CIICR\r\n", "OK");
    exchange(b"AT+CIFSR\r\n", "10.83.172.111");
    let configured = b"AT+SSLCFG=\"cacert\",2,ca.crt;+SSLCFG=\"seclevel\",2,1;+SSLCFG=\"hostname\",2,tls.test;+CIPSSL=1\r\n";
    exchange(configured, "OK");
    exchange(format!("AT+CIPSTART=2,TCP,tls.test,{}\r\n", address.port()).as_bytes(), "2, CONNECT OK");
    exchange(b"AT+CIPSEND=2,5\r\n", "> ");
    exchange(b"hello", "+RECEIVE,2,5:\r\nhello");
    exchange(b"AT+CIPCLOSE=2\r\n", "2, CLOSE OK");
    assert_eq!(handle.state().unwrap().channels[2].state, "CLOSED");
}
