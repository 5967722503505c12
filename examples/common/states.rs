//! All findings of `doctor` on the simulated modem: each state with the cause that must be named first.
#![allow(dead_code, reason = "the example and its test each use their own part")]

#[cfg(feature = "sim-tls")]
mod tls_server;

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::Duration;

use air724ug::diagnosis::{Checkup, Code};
use air724ug::sim::{
    ApnPolicy, Control, HostNetwork, MemoryNetwork, Network, Peer, Rule, Settings, SimCard, Simulator,
    Trigger, fault, serve,
};
use air724ug::{Certificate, Config, Error, Modem, TlsConfig};

/// A state of the modem or its environment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Fine,
    NoPort,
    PortBusy,
    NotAPort,
    NoAnswer,
    EchoOnly,
    WrongBaud,
    NoSim,
    Pin,
    WrongPin,
    NoSignal,
    WeakSignal,
    NoRegistration,
    Denied,
    Only2g,
    NoAttach,
    NoBearer,
    WrongApn,
    NoDns,
    PrivateServer,
    ServerRefuses,
    ServerSilent,
    Tls,
    WrongCertificate,
    WrongName,
    ExpiredCertificate,
    WrongClock,
    NoTlsServer,
}

/// All states: name, state, and the cause (`None`: no fault).
pub const STATES: [(&str, State, Option<Code>); 28] = [
    ("fine", State::Fine, None),
    ("no-port", State::NoPort, Some(Code::PortMissing)),
    ("port-busy", State::PortBusy, Some(Code::PortBusy)),
    ("not-a-port", State::NotAPort, Some(Code::PortNotSerial)),
    ("no-answer", State::NoAnswer, Some(Code::NoAnswer)),
    ("echo-only", State::EchoOnly, Some(Code::EchoOnly)),
    ("wrong-baud", State::WrongBaud, Some(Code::WrongBaud)),
    ("no-sim", State::NoSim, Some(Code::SimMissing)),
    ("pin", State::Pin, Some(Code::SimPin)),
    ("wrong-pin", State::WrongPin, Some(Code::SimPinRefused)),
    ("no-signal", State::NoSignal, Some(Code::SignalNone)),
    ("weak-signal", State::WeakSignal, Some(Code::SignalWeak)),
    ("no-registration", State::NoRegistration, Some(Code::NotRegistered)),
    ("denied", State::Denied, Some(Code::RegistrationDenied)),
    ("only-2g", State::Only2g, Some(Code::Only2g)),
    ("no-attach", State::NoAttach, Some(Code::NotAttached)),
    ("no-bearer", State::NoBearer, Some(Code::BearerRefused)),
    ("wrong-apn", State::WrongApn, Some(Code::BearerUnsteady)),
    ("no-dns", State::NoDns, Some(Code::DnsFailed)),
    ("private-server", State::PrivateServer, Some(Code::ServerPrivate)),
    ("server-refuses", State::ServerRefuses, Some(Code::ServerRefuses)),
    ("server-silent", State::ServerSilent, Some(Code::ServerSilent)),
    ("tls", State::Tls, None),
    ("wrong-certificate", State::WrongCertificate, Some(Code::TlsCertificate)),
    ("wrong-name", State::WrongName, Some(Code::TlsName)),
    ("expired-certificate", State::ExpiredCertificate, Some(Code::TlsTime)),
    ("wrong-clock", State::WrongClock, Some(Code::TlsTime)),
    ("no-tls-server", State::NoTlsServer, Some(Code::TlsHandshake)),
];

/// A server of the network in memory. Its address is reserved for documentation (RFC 5737).
const SERVER: (&str, u16) = ("server.example", 7);

/// The name in the certificates of `fixtures/certificates`, and another name.
const TLS_NAMES: [&str; 2] = ["tls.test", "another.test"];
const CA: &[u8] = include_bytes!("../../fixtures/certificates/ca.crt");
const OTHER_CA: &[u8] = include_bytes!("../../fixtures/certificates/other.crt");
const VALID: &[u8] = include_bytes!("../../fixtures/certificates/server.crt");
const EXPIRED: &[u8] = include_bytes!("../../fixtures/certificates/expired.crt");
const SERVER_KEY: &[u8] = include_bytes!("../../fixtures/certificates/server.key");
/// 2030-01-01: all certificates but one are valid at this time.
const CLOCK: u64 = 1_893_456_000;

/// The message for states of TLS without the feature.
const NO_TLS: &str = "this example was built without TLS on the simulated modem; add it, which needs a C compiler: \
                      cargo run --features sim-tls --example doctor -- ...";

impl State {
    /// True if the state needs a server with TLS.
    fn is_tls(self) -> bool {
        use State::{ExpiredCertificate, NoTlsServer, Tls, WrongCertificate, WrongClock, WrongName};
        let all = [Tls, WrongCertificate, WrongName, ExpiredCertificate, WrongClock, NoTlsServer];
        all.contains(&self)
    }
}

/// The examined modem.
#[derive(Debug)]
pub struct Patient {
    pub path: String,
    pub config: Config,
    pub checkup: Checkup,
    /// The program that uses the port in [`State::PortBusy`].
    holder: Option<Modem>,
    remote: Option<serve::Remote>,
}

impl Patient {
    /// A simulated modem in this state. Time-outs are short, because no state changes. The states of TLS need feature
    /// `sim-tls`.
    pub fn new(state: State) -> Result<Self, Error> {
        if state.is_tls() && cfg!(not(feature = "sim-tls")) {
            return Err(without_tls());
        }
        let mut patient = match (settings(state), state) {
            (_, State::NoPort) => Self::at("/dev/no-such-port"),
            (_, State::NotAPort) => Self::at("/dev/null"),
            (settings, State::Fine | State::WeakSignal) => Self::with(settings, HostNetwork::new())?,
            (settings, state) if state.is_tls() => {
                let network = HostNetwork::new();
                let network = TLS_NAMES.iter().fold(network, |net, name| net.name(name, Ipv4Addr::LOCALHOST));
                Self::with(settings, network)?
            }
            (settings, _) => Self::with(settings, world(state))?,
        };
        let quick = Checkup::default()
            .answer_timeout(Duration::from_secs(2))
            .rate_timeout(Duration::from_millis(500))
            .ready_timeout(Duration::from_secs(4))
            .connect_timeout(Duration::from_secs(2));
        patient.checkup = match state {
            State::Fine | State::WeakSignal => quick.server("127.0.0.1", echo_server()?),
            State::PrivateServer => quick.server("192.168.1.10", SERVER.1),
            state if state.is_tls() => {
                // Handshakes of a debug build are slow on a busy machine.
                let quick = quick.connect_timeout(Duration::from_secs(20));
                let ca = if state == State::WrongCertificate { OTHER_CA } else { CA };
                let name = TLS_NAMES[usize::from(state == State::WrongName)];
                let port = match state {
                    State::NoTlsServer => echo_server()?,
                    State::ExpiredCertificate => tls_server(EXPIRED)?,
                    _ => tls_server(VALID)?,
                };
                quick.server(name, port).tls(TlsConfig::verified(Certificate::from_bytes(ca)?))
            }
            _ => quick.server(SERVER.0, SERVER.1),
        };
        match state {
            State::PortBusy => patient.holder = Some(Modem::open(&patient.path, Config::default())?),
            State::WrongPin => patient.config = Config::default().pin("0000"),
            State::WrongApn => patient.config = Config::default().apn("nowhere"),
            State::NoSignal => {
                if let Some(remote) = &patient.remote {
                    remote.send(Control::NetworkDown);
                }
            }
            _ => {}
        }
        Ok(patient)
    }

    fn at(path: &str) -> Self {
        let (config, checkup) = (Config::default(), Checkup::default());
        Self { path: path.to_owned(), config, checkup, holder: None, remote: None }
    }

    /// Serves a simulated modem on a pseudo-terminal, on a thread.
    fn with<N: Network + Send + 'static>(settings: Settings, network: N) -> Result<Self, Error> {
        let pty = serve::Pty::open()?;
        let mut patient = Self::at(&pty.path().display().to_string());
        let (remote, inbox) = serve::remote()?;
        let modem = Simulator::new(settings, network);
        thread::spawn(move || {
            if let Err(error) = serve::run(modem, pty, inbox) {
                // If the message can't be written, the example has ended.
                let _ = writeln!(io::stderr(), "the simulated modem ended: {error}");
            }
        });
        patient.remote = Some(remote);
        Ok(patient)
    }
}

/// Ends the thread of the simulated modem, so that one program can try many states.
impl Drop for Patient {
    fn drop(&mut self) {
        if let Some(remote) = &self.remote {
            remote.send(Control::HangUp);
        }
    }
}

fn settings(state: State) -> Settings {
    let settings = Settings::default();
    // This affects every command.
    let mute = Rule { fault: fault::LostAnswer { command: 1 }.into(), trigger: Trigger::Chance(1.0) };
    match state {
        State::NoAnswer => settings.echo(false).faults(vec![mute]),
        State::EchoOnly => settings.faults(vec![mute]),
        State::WrongBaud => settings.uart_rate(Some(9_600)),
        State::NoSim => settings.sim(SimCard::Absent),
        State::Pin | State::WrongPin => settings.sim(SimCard::Locked { pin: "1234".into() }),
        State::WeakSignal => settings.signal(7),
        State::NoRegistration => settings.registration(2),
        State::Denied => settings.registration(3),
        State::Only2g => settings.lte_registration(Some(3)).attach(false),
        State::NoAttach => settings.attach(false),
        State::NoBearer => settings.apn(ApnPolicy::None),
        State::WrongApn => settings.apn(ApnPolicy::Only(vec!["cmiot".into()])),
        State::ServerSilent => settings.connect_timeout(Duration::MAX),
        // The time before the network has set the clock.
        State::WrongClock => settings.clock(0),
        state if state.is_tls() => settings.clock(CLOCK),
        State::Fine
        | State::NoPort
        | State::PortBusy
        | State::NotAPort
        | State::NoSignal
        | State::NoDns
        | State::PrivateServer
        | State::ServerRefuses
        | State::Tls
        | State::WrongCertificate
        | State::WrongName
        | State::ExpiredCertificate
        | State::NoTlsServer => settings,
    }
}

fn world(state: State) -> MemoryNetwork {
    let mut network = MemoryNetwork::new();
    match state {
        State::NoDns => {}
        State::ServerRefuses => drop(network.serve(SERVER.0, SERVER.1, Peer::refuse())),
        State::ServerSilent => drop(network.serve(SERVER.0, SERVER.1, Peer::silent())),
        State::PrivateServer => drop(network.serve("192.168.1.10", SERVER.1, Peer::silent())),
        _ => drop(network.serve(SERVER.0, SERVER.1, Peer::echo())),
    }
    network
}

/// A TCP server on this machine that accepts a connection and waits for its end. Returns its port.
fn echo_server() -> Result<u16, Error> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (mut from, mut to) = (&stream, &stream);
            // A client that leaves is no failure.
            let _ = io::copy(&mut from, &mut to);
        }
    });
    Ok(port)
}

/// A TLS echo server on this machine with this certificate. Returns its port.
#[cfg(feature = "sim-tls")]
fn tls_server(certificate: &[u8]) -> Result<u16, Error> {
    Ok(tls_server::serve(certificate, SERVER_KEY)?)
}

/// It does not exist without the simulated modem's TLS.
#[cfg(not(feature = "sim-tls"))]
fn tls_server(_: &[u8]) -> Result<u16, Error> {
    Err(without_tls())
}

fn without_tls() -> Error {
    io::Error::new(io::ErrorKind::Unsupported, NO_TLS).into()
}
