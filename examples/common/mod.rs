//! Options that the examples share, and the simulated modem that they use without `--port`.
#![allow(dead_code, reason = "each example uses its own part")]

use std::fmt::Display;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use air724ug::sim::{HostNetwork, Settings, Simulator, serve};
use air724ug::{Config, Error, Modem, NotReady};

/// Help for the options of [`Common`].
pub const HELP: &str = "\x20 \
  --port PATH          the module's AT port, e.g. /dev/ttyUSB0 [a simulated modem on a pseudo-terminal]
  --baud N             line rate of the port [115200]
  --apn NAME           access point name [the network's own]
  --pin PIN            the SIM card's PIN; tried once [none]
  --capture FILE       records the session; passwords are masked
  --help               this text
";

/// What every example understands.
#[derive(Debug)]
pub struct Common {
    pub port: Option<String>,
    pub baud: u32,
    pub apn: Option<String>,
    pub pin: Option<String>,
    pub capture: Option<PathBuf>,
}

/// How a command line can fail.
#[derive(Debug)]
pub enum Usage {
    /// `--help`.
    Help,
    /// What is wrong.
    Wrong(String),
}

impl Default for Common {
    fn default() -> Self {
        Self { port: None, baud: 115_200, apn: None, pin: None, capture: None }
    }
}

impl Common {
    /// Takes one option if it is one of these; `false` if the example must know it.
    pub fn take(&mut self, option: &str, args: &mut dyn Iterator<Item = String>) -> Result<bool, Usage> {
        match option {
            "--help" | "-h" => return Err(Usage::Help),
            "--port" => self.port = Some(value(option, args)?),
            "--baud" => self.baud = number(option, &value(option, args)?)?,
            "--apn" => self.apn = Some(value(option, args)?),
            "--pin" => self.pin = Some(value(option, args)?),
            "--capture" => self.capture = Some(value(option, args)?.into()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Opens the port, or a simulated modem's terminal like any other port.
    pub fn open(&self) -> Result<Modem, Error> {
        let path = match &self.port {
            Some(path) => path.clone(),
            None => simulated_modem()?,
        };
        let mut config = Config::default().baud_rate(self.baud);
        config.apn = self.apn.clone();
        config.pin = self.pin.clone();
        config.capture = self.capture.clone();
        Modem::open(&path, config)
    }
}

/// The value behind an option.
pub fn value(option: &str, args: &mut dyn Iterator<Item = String>) -> Result<String, Usage> {
    args.next().ok_or_else(|| Usage::Wrong(format!("{option} needs a value")))
}

/// A number.
pub fn number<T: std::str::FromStr>(option: &str, text: &str) -> Result<T, Usage> {
    text.parse().map_err(|_| Usage::Wrong(format!("{option} takes a number, not \"{text}\"")))
}

/// Runs an example and says what went wrong, and what to do, on the last line.
pub fn finish(name: &str, help: &str, result: Result<(), Failed>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed::Usage(Usage::Help)) => {
            print!("{help}");
            ExitCode::SUCCESS
        }
        Err(Failed::Usage(Usage::Wrong(why))) => {
            eprintln!("{name}: {why}\n{name}: `{name} --help` lists the options");
            ExitCode::from(2)
        }
        Err(Failed::Job(why, advice)) => {
            eprintln!("{name}: {why}");
            if let Some(advice) = advice {
                eprintln!("{name}: {advice}");
            }
            ExitCode::FAILURE
        }
    }
}

/// How an example failed.
#[derive(Debug)]
pub enum Failed {
    Usage(Usage),
    /// What happened, and what a person can do.
    Job(String, Option<&'static str>),
}

impl From<Usage> for Failed {
    fn from(usage: Usage) -> Self {
        Self::Usage(usage)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Job(error.to_string(), advice(&error))
    }
}

/// What a person can do about an error.
fn advice(error: &Error) -> Option<&'static str> {
    match error {
        Error::NotReady(reason) => reason_advice(reason),
        Error::ConnectFailed(_) => {
            Some("the server must listen, and be reachable from the module's network; is its name right?")
        }
        Error::Timeout { .. } => {
            Some("the module or the network is slow or silent; --capture FILE shows what they say")
        }
        Error::PortLost(_) => Some("was the module unplugged, or did it restart?"),
        Error::ModemRestarted => Some("the module restarted: is its power supply strong enough (2 A peaks)?"),
        Error::Unexpected(_) => Some("--capture FILE shows what the module says"),
        _ => None,
    }
}

fn reason_advice(reason: &NotReady) -> Option<&'static str> {
    match reason {
        NotReady::NoAnswer => Some(
            "is it the AT port (on USB the first of three), is the rate right (--baud), is the module powered?",
        ),
        NotReady::NotRegistered(_) | NotReady::NoSignal => {
            Some("check antenna and SIM; registration may take two minutes")
        }
        NotReady::BearerRefused(_) => Some("check the APN (--apn) and that the SIM has a data plan"),
        NotReady::PinRequired => Some("give it with --pin"),
        NotReady::PinRefused => Some("a card is locked after three wrong ones: be sure before the next try"),
        NotReady::PukRequired => Some("unlock the card in a phone, with the PUK from its letter"),
        _ => None,
    }
}

/// Waits until the module is ready, and says every few seconds what it is waiting for.
pub fn bring_up(modem: &Modem) -> Result<(), Failed> {
    const PATIENCE: Duration = Duration::from_secs(90);
    let began = Instant::now();
    loop {
        match modem.wait_ready(Duration::from_secs(5)) {
            Ok(()) => return Ok(()),
            Err(Error::NotReady(reason)) if began.elapsed() < PATIENCE && !is_hopeless(reason) => {
                step("waiting", reason);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether waiting can't help.
fn is_hopeless(reason: NotReady) -> bool {
    matches!(reason, NotReady::PinRequired | NotReady::PinRefused | NotReady::PukRequired)
}

/// `HOST:PORT`.
pub fn host_and_port(option: &str, server: &str) -> Result<(String, u16), Usage> {
    let split = server.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    let port = split.and_then(|(_, port)| port.parse().ok()).filter(|port| *port > 0);
    match split.zip(port) {
        Some(((host, _), port)) => Ok((host.to_owned(), port)),
        None => {
            Err(Usage::Wrong(format!("{option} takes HOST:PORT, such as example.com:7, not \"{server}\"")))
        }
    }
}

/// A step that went well.
pub fn step(what: &str, how: impl Display) {
    println!("{what:<14} {how}");
}

/// Starts a simulated modem with this machine's network behind it, on a thread; the path of its terminal.
pub fn simulated_modem() -> Result<String, Error> {
    let pty = serve::Pty::open()?;
    let path = pty.path().display().to_string();
    let (remote, inbox) = serve::remote()?;
    let modem = Simulator::new(Settings::default(), HostNetwork::new());
    thread::spawn(move || {
        // It runs as long as the program does.
        let _remote = remote;
        if let Err(error) = serve::run(modem, pty, inbox) {
            eprintln!("the simulated modem ended: {error}");
        }
    });
    Ok(path)
}

/// A TCP server on this machine that sends back what it receives.
pub fn echo_server() -> Result<SocketAddr, Error> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut buf = [0; 16 * 1024];
                while let Ok(count @ 1..) = stream.read(&mut buf) {
                    if stream.write_all(&buf[..count]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    Ok(address)
}
