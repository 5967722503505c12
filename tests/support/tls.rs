//! Bytes with the form of certificates and keys, and a module that accepts TLS commands.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use air724ug::at::Quotable;
use air724ug::proto::{Request, Response, SocketId, Ticket};
use air724ug::sim::Settings;
use air724ug::{Certificate, Config, Error, PrivateKey, TlsConfig};

use super::material::{certificate_der, key_der};
use super::pair::{ECHO, Pair};

/// Bytes that must not be visible. Their Base64 is the same at every position.
pub const SECRET: [u8; 90] = [0x5a; 90];
/// The Base64 of the secret.
pub const SECRET_TEXT: &str = "WlpaWlpa";

pub fn ca() -> Certificate {
    Certificate::from_bytes(&certificate_der(1, 700)).expect("a certificate")
}

pub fn client_certificate() -> Certificate {
    Certificate::from_bytes(&certificate_der(2, 300)).expect("a certificate")
}

pub fn client_key() -> PrivateKey {
    PrivateKey::from_bytes(&key_der(&SECRET)).expect("a key")
}

pub fn verified() -> TlsConfig {
    TlsConfig::verified(ca())
}

pub fn mutual() -> TlsConfig {
    verified().client_identity(client_certificate(), client_key())
}

/// Replacements of commands on their way to the module: a command with the given beginning becomes another one. The
/// script also simulates the switch between TLS and plain, so that no TLS server is needed.
#[derive(Clone, Default)]
pub struct Script {
    fates: Rc<RefCell<Vec<(String, Fate)>>>,
    is_on: Rc<Cell<bool>>,
}

#[derive(Clone)]
enum Fate {
    Becomes(&'static str),
    Lost,
    Switches,
}

impl Script {
    /// Such commands become this command; an empty one is lost.
    pub fn becomes(&self, begin: &str, command: &'static str) -> &Self {
        self.fates.borrow_mut().insert(0, (begin.to_owned(), Fate::Becomes(command)));
        self
    }

    /// The module answers `ERROR`.
    pub fn refuses(&self, begin: &str) -> &Self {
        self.becomes(begin, "AT+UNKNOWN\r\n")
    }

    /// The module answers `+CME ERROR: 3`: a connection has its mode already.
    pub fn forbids(&self, begin: &str) -> &Self {
        self.becomes(begin, "AT+CSTT\r\n")
    }

    /// The module answers `OK` without effect.
    pub fn takes(&self, begin: &str) -> &Self {
        self.becomes(begin, "AT\r\n")
    }

    pub fn loses(&self, begin: &str) -> &Self {
        self.fates.borrow_mut().insert(0, (begin.to_owned(), Fate::Lost));
        self
    }

    /// Removes the replacement.
    pub fn forget(&self, begin: &str) {
        self.fates.borrow_mut().retain(|(known, _)| known != begin);
        self.takes("AT+SSLCFG").switches();
    }

    /// The switch works from now on, independent of earlier replacements.
    pub fn switches(&self) -> &Self {
        self.fates.borrow_mut().insert(0, ("AT+CIPSSL=".to_owned(), Fate::Switches));
        self
    }

    fn apply(&self, bytes: Vec<u8>) -> Vec<u8> {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for (begin, fate) in self.fates.borrow().iter() {
            if text.starts_with(begin.as_str()) {
                return match fate {
                    Fate::Becomes(command) => command.as_bytes().to_vec(),
                    Fate::Lost => Vec::new(),
                    Fate::Switches => {
                        self.is_on.set(text.starts_with("AT+CIPSSL=1"));
                        b"AT\r\n".to_vec()
                    }
                };
            }
        }
        // The module's own switch is on for this question only, because its servers have no TLS.
        if self.is_on.get() && text.starts_with("AT+CIPSSL?") {
            return b"AT+CIPSSL=1;+CIPSSL?;+CIPSSL=0\r\n".to_vec();
        }
        bytes
    }
}

/// A pair whose module accepts every TLS command; the script determines the effects.
pub fn online() -> (Pair, Script) {
    // The latency lets other tasks run.
    let settings = Settings::default().latency(Duration::from_millis(5));
    let mut pair = Pair::with(Config::default().urc_lines(true), settings).ready();
    let script = Script::default();
    script.takes("AT+SSLCFG").switches();
    let theirs = script.clone();
    pair.to_modem = Box::new(move |_, bytes| theirs.apply(bytes));
    pair.written.clear();
    (pair, script)
}

pub fn connecting(pair: &mut Pair, config: &TlsConfig, timeout: Duration) -> Ticket {
    let host = Quotable::host(ECHO.0).expect("a host name");
    let tls = config.settings(host.as_str()).expect("valid settings");
    pair.ask(Request::ConnectTls { tls, host, port: ECHO.1, timeout })
}

pub fn connect(pair: &mut Pair, config: &TlsConfig) -> Result<SocketId, Error> {
    let ticket = connecting(pair, config, Duration::from_secs(120));
    match pair.answer(ticket)? {
        Response::Connected(socket) => Ok(socket),
        other => panic!("{other:?}"),
    }
}

/// The commands that were written since the last call, without what is after prompts.
pub fn commands(pair: &mut Pair) -> Vec<String> {
    let written = std::mem::take(&mut pair.written);
    let text = String::from_utf8_lossy(&written);
    text.lines().filter(|line| line.starts_with("AT")).map(str::to_owned).collect()
}
