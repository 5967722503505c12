//! Options that the examples share, and the simulated modem that they use without `--port`.
#![allow(dead_code, unused_imports, reason = "each example uses its own part")]

mod echo;
mod interrupt;
pub mod other_device;
mod port_loss;
pub mod port_root;
pub mod recording;
pub mod shell;
mod values;

use std::collections::VecDeque;
use std::fmt::Display;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use air724ug::crossbeam_channel::after;
use air724ug::diagnosis::Code;
use air724ug::sim::{HostNetwork, Settings, Simulator, serve};
use air724ug::{Config, Error, Modem, NotReady, RegistrationStatus};
pub use echo::{echo, echo_server, server_with_a_gap};
pub use interrupt::{SCRATCH, handle_interrupt, keep, wait_if_interrupted};
pub use port_loss::over_port_losses;
use recording::Recording;
use shell::{Argument, Arguments, complain};
pub use values::{Usage, any_host_and_port, host_and_port, number, positive, seconds, unknown};

/// The help for the options of [`Common`], without those of its recording.
const HELP: &str = "\x20 \
  --port PORT          the module's AT port: /dev/ttyUSB0, auto, imei:NUMBER, usb:PLACE, tcp://HOST:PORT,
                       rfc2217://HOST:PORT [a simulated modem on a pseudo-terminal]
  --baud N             line rate of the port [115200]
  --apn NAME           access point name [the network's own]
  --pin PIN            the SIM card's PIN; tried once [none]
";

/// The help of an example: its own and that of [`Common`].
pub fn help(usage: &str) -> String {
    format!(
        "{usage}{HELP}{}  --help               this text\n  --version            its version\n",
        recording::HELP
    )
}

/// The name of its port, and the configuration that it was opened with.
static PORT: OnceLock<(String, Config)> = OnceLock::new();

/// The options of every example.
#[derive(Debug)]
pub struct Common {
    pub port: Option<String>,
    pub baud: u32,
    pub apn: Option<String>,
    pub pin: Option<String>,
    pub recording: Recording,
}

impl Default for Common {
    fn default() -> Self {
        Self { port: None, baud: 115_200, apn: None, pin: None, recording: Recording::default() }
    }
}

impl Common {
    /// Takes one option if it is one of these; `false` if it belongs to the example.
    pub fn take(&mut self, option: &str, args: &mut Arguments) -> Result<bool, Usage> {
        match option {
            "--port" => self.port = Some(args.value()?),
            "--baud" => self.baud = number(option, &args.value()?)?,
            "--apn" => self.apn = Some(args.value()?),
            "--pin" => self.pin = Some(args.value()?),
            _ => return Ok(self.recording.take(option, args)?),
        }
        Ok(true)
    }

    /// The time-out for a real network, or a shorter one for the simulated modem.
    pub fn pace(&self, real: Duration, simulated: Duration) -> Duration {
        if self.port.is_some() { real } else { simulated }
    }

    /// Host and port of the server: those of the option, or of the server that `own` starts in this program.
    pub fn server(
        &self,
        given: Option<&(String, u16)>,
        own: impl FnOnce() -> Result<SocketAddr, Error>,
    ) -> Result<(String, u16), Failed> {
        match given {
            Some(server) => Ok(server.clone()),
            None if self.port.is_some() => Err(Usage::Wrong(
                "--port needs --connect HOST:PORT, a server on the internet; one on this network can't be reached".into(),
            )
            .into()),
            None => own().map(|address| (address.ip().to_string(), address.port())).map_err(Failed::from),
        }
    }

    /// Opens the port, or a simulated modem's terminal like any other port, and prints which.
    pub fn open(&self) -> Result<Modem, Failed> {
        let modem = self.open_with(|config| config)?;
        step("port", self.port.as_deref().unwrap_or("a simulated modem on a pseudo-terminal"))?;
        Ok(modem)
    }

    /// The same with settings that the options do not have, and in silence.
    pub fn open_with(&self, set: impl FnOnce(Config) -> Config) -> Result<Modem, Error> {
        let mut config = self.recording.of(set(port_root::config().baud_rate(self.baud)));
        config.apn = self.apn.clone();
        config.pin = self.pin.clone();
        let modem = match &self.port {
            Some(path) => {
                let _ = PORT.set((path.clone(), config.clone()));
                Modem::open(path, config)?
            }
            None => simulated_modem(config)?,
        };
        keep(&modem);
        Ok(modem)
    }
}

/// Parses the options of every example; each other option is passed to `own`, with a function that returns its value.
pub fn options(
    args: &mut Arguments,
    own: impl FnMut(&str, &mut dyn FnMut() -> Result<String, Usage>) -> Result<(), Usage>,
) -> Result<Common, Usage> {
    match options_and_operand(args, own)? {
        (common, None) => Ok(common),
        (_, Some(operand)) => Ok(Argument::Operand(operand.into()).unknown()?),
    }
}

/// The same for a program that takes an operand, too.
pub fn options_and_operand(
    args: &mut Arguments,
    mut own: impl FnMut(&str, &mut dyn FnMut() -> Result<String, Usage>) -> Result<(), Usage>,
) -> Result<(Common, Option<String>), Usage> {
    let (mut common, mut operand) = (Common::default(), None);
    while let Some(argument) = args.take()? {
        match argument {
            Argument::Help => return Err(Usage::Help),
            Argument::Option(option) if common.take(&option, args)? => {}
            Argument::Option(option) => own(&option, &mut || Ok(args.value()?))?,
            Argument::Operand(given) if operand.is_none() => operand = Some(shell::text(given)?),
            second => return Ok(second.unknown()?),
        }
    }
    common.recording.check()?;
    values::openable(common.baud, common.apn.clone(), common.pin.clone())?;
    Ok((common, operand))
}

/// The main function of an example: options, the job, and the exit code.
pub fn main<O>(
    name: &str,
    usage: &str,
    parse: impl FnOnce(&mut Arguments) -> Result<O, Usage>,
    run: impl FnOnce(O) -> Result<(), Failed>,
) -> ExitCode {
    env_logger::init();
    handle_interrupt(name);
    let options = parse(&mut Arguments::of_process());
    finish(name, &help(usage), options.map_err(Failed::from).and_then(run))
}

/// Returns the exit code of an example. An error and advice are printed on the last line.
pub fn finish(name: &str, help: &str, result: Result<(), Failed>) -> ExitCode {
    wait_if_interrupted();
    let modem = interrupt::kept();
    let is_wrong_port = modem.as_ref().is_some_and(Modem::is_wrong_port);
    let recorded = modem.as_ref().map_or(Ok(()), |modem| {
        modem.close();
        modem.flush_capture()
    });
    if let Err(error) = &recorded {
        complain(format_args!("{name}: {error}"));
    }
    let is_silent = matches!(result, Err(Failed::Modem(Error::NotReady(NotReady::NoAnswer))));
    let (why, advice) = match result {
        Ok(()) if recorded.is_err() => return ExitCode::from(shell::IO_ERROR),
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failed::Output(error)) => return shell::unwritten(name, &error),
        Err(Failed::Usage(Usage::Help)) => {
            return match shell::print(format_args!("{help}\n{EXIT_CODES}")) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => shell::unwritten(name, &error),
            };
        }
        Err(Failed::Usage(Usage::Wrong(why))) => {
            complain(format_args!("{name}: {why}\n{name}: `{name} --help` lists the options"));
            return ExitCode::from(2);
        }
        // The message about another device at the port says what to do.
        Err(Failed::Modem(error @ Error::PortLost(_))) if is_wrong_port => (error.to_string(), None),
        Err(Failed::Modem(error)) => (error.to_string(), advice(&error)),
        Err(Failed::Job(why, advice)) => (why, advice),
    };
    complain(format_args!("{name}: {why}"));
    let words = || PORT.get().and_then(|(port, config)| other_device::words(port, config));
    if let Some(words) = is_silent.then(words).flatten() {
        complain(format_args!("{name}: {words}"));
    }
    if let Some(advice) = advice {
        complain(format_args!("{name}: {advice}"));
    }
    ExitCode::FAILURE
}

const EXIT_CODES: &str = "\
Exit code: 0 it succeeded, or nothing reads its output any more; 1 it did not;
2 a wrong option; 74 its output or the capture can't be written; 130 it was
interrupted (Ctrl-C).
";

/// The failure of an example.
#[derive(Debug)]
pub enum Failed {
    Usage(Usage),
    /// The standard output can't be written.
    Output(std::io::Error),
    Modem(Error),
    /// The error, and advice for the user.
    Job(String, Option<&'static str>),
}

impl From<Usage> for Failed {
    fn from(usage: Usage) -> Self {
        Self::Usage(usage)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Modem(error)
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        error.downcast::<Error>().unwrap_or_else(Error::from).into()
    }
}

/// True if another attempt with this modem would fail, too. A lost port is opened again unless the modem is closed.
pub fn is_final(modem: &Modem, error: &Error) -> bool {
    match error {
        Error::NotReady(reason) => is_permanent(*reason),
        Error::InvalidInput { .. } | Error::Io(_) => true,
        _ => modem.is_closed(),
    }
}

/// The advice for an error.
pub fn advice(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::NotReady(reason) => reason_advice(reason),
        Error::ConnectFailed(_) => {
            "the server must listen, and be reachable from the module's network; is its name right? \
             `doctor --connect HOST:PORT` finds out"
        }
        Error::ResolveFailed(_) => Code::DnsFailed.advice(),
        Error::Tls { .. } => "the example `doctor` finds out why, with --tls and --ca FILE",
        Error::Timeout { .. } => {
            "the module or the network is slow or silent; --capture FILE shows what they say"
        }
        Error::Refused { .. } | Error::Unexpected(_) => "--capture FILE shows what the module says",
        Error::PortLost(_) => Code::PortLost.advice(),
        Error::ModemRestarted => "is its power supply strong enough? It draws about 2 A for moments",
        Error::NoFreeChannel => Code::NoFreeChannel.advice(),
        Error::Closed(_) => "if the server closed, its log says why; --capture FILE shows what came before",
        Error::Overrun { .. } => {
            "data came faster than they were read: send less at a time, or read in a thread of its own"
        }
        Error::InvalidInput { .. } => "--help lists the options",
        // The message of the error is sufficient.
        Error::QueueFull { .. } | Error::Io(_) => return None,
        _ => return None,
    })
}

pub fn reason_advice(reason: &NotReady) -> &'static str {
    match reason {
        NotReady::NoAnswer => {
            "is it the AT port (on USB the first of three), is the rate right (--baud; behind tcp:// the server's own), is the \
             module powered? The example `doctor` tries other rates, with the same options"
        }
        NotReady::Starting => "it may take a minute; --capture FILE shows where it stays",
        NotReady::NoSim => Code::SimMissing.advice(),
        NotReady::PinRequired => "give it with --pin; three wrong ones lock the card",
        NotReady::PinRefused => Code::SimPinRefused.advice(),
        NotReady::PukRequired => Code::SimPuk.advice(),
        NotReady::SimFailure => Code::SimFailure.advice(),
        NotReady::NoSignal => Code::SignalNone.advice(),
        NotReady::WeakSignal(_) => Code::SignalWeak.advice(),
        NotReady::NotRegistered(RegistrationStatus::Denied) => Code::RegistrationDenied.advice(),
        NotReady::NotRegistered(_) => Code::NotRegistered.advice(),
        NotReady::OnlyTwoG => Code::Only2g.advice(),
        NotReady::NotAttached => Code::NotAttached.advice(),
        NotReady::BearerRefused(_) => "check the APN (--apn) and that the SIM has a data plan and no arrears",
        NotReady::BearerLost => Code::BearerLost.advice(),
        NotReady::RadioOff => "the radio is off: AT+CFUN=1 in a serial terminal switches it on",
        NotReady::Restarting => "is its power supply strong enough? It draws about 2 A for moments",
        _ => "the example `doctor` finds out why, with the same options",
    }
}

/// Waits until the module is ready, and prints every few seconds the state that it waits for.
pub fn bring_up(modem: &Modem) -> Result<(), Failed> {
    bring_up_with(modem, |how| step("waiting", how))
}

/// The same for a program with another use of the standard output.
pub fn bring_up_with(modem: &Modem, progress: impl Fn(String) -> Result<(), Failed>) -> Result<(), Failed> {
    bring_up_within(modem, ANSWER, READY, progress)
}

/// The longest time until a first answer. A module that starts answers after some seconds, so one that is still silent
/// is off, or at another port.
const ANSWER: Duration = Duration::from_secs(30);
/// The longest time until a module that answers is ready.
const READY: Duration = Duration::from_secs(90);

/// The same with other longest times.
fn bring_up_within(
    modem: &Modem,
    answer: Duration,
    ready: Duration,
    progress: impl Fn(String) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let (began, mut longest) = (Instant::now(), answer);
    loop {
        let left = longest.saturating_sub(began.elapsed());
        let reason = match modem.wait_ready(left.min(Duration::from_secs(5))) {
            Ok(()) => return Ok(()),
            Err(Error::NotReady(reason)) if !is_permanent(reason) => reason,
            Err(error) => return Err(error.into()),
        };
        if !matches!(reason, NotReady::NoAnswer | NotReady::NoPort) {
            longest = ready;
        }
        if began.elapsed() >= longest {
            return Err(Error::NotReady(reason).into());
        }
        let (seconds, most) = (began.elapsed().as_secs(), longest.as_secs());
        progress(format!("{reason}; {seconds} s of at most {most} s"))?;
    }
}

/// True if the reason does not end without an action of the user.
fn is_permanent(reason: NotReady) -> bool {
    matches!(reason, NotReady::PinRequired | NotReady::PinRefused | NotReady::PukRequired)
}

/// Prints a completed step in a line.
pub fn step(what: &str, how: impl Display) -> Result<(), Failed> {
    let line = format!("{what:<14} {}", shell::line(how));
    shell::print(format_args!("{}\n", line.trim_end())).map_err(Failed::Output)
}

/// Starts a simulated modem with this machine's network behind it, on a thread, and opens its terminal.
#[cfg(unix)]
fn simulated_modem(config: Config) -> Result<Modem, Error> {
    let pty = serve::Pty::open()?;
    let path = pty.path().to_owned();
    let (remote, inbox) = serve::remote()?;
    let modem = Simulator::new(Settings::default(), HostNetwork::new());
    thread::spawn(move || {
        // It is kept as long as the program runs.
        let _remote = remote;
        if let Err(error) = serve::run(modem, pty, inbox) {
            complain(format_args!("the simulated modem ended: {error}"));
        }
    });
    Modem::open(path, config)
}

/// The same on systems without pseudo-terminals.
#[cfg(not(unix))]
fn simulated_modem(config: Config) -> Result<Modem, Error> {
    let (reader, writer, _) = serve::in_process(Simulator::new(Settings::default(), HostNetwork::new()))?;
    Modem::start(reader, writer, config)
}

/// Waits.
pub fn pause(span: Duration) {
    // The channel of a timer always delivers its time.
    let _ = after(span).recv();
}

/// The bytes that an echo server must still send back.
#[derive(Debug, Default)]
pub struct Awaited(VecDeque<u8>);

impl Awaited {
    pub fn sent(&mut self, data: &[u8]) {
        self.0.extend(data);
    }

    /// Fails if these are not the next bytes.
    pub fn received(&mut self, data: &[u8]) -> Result<(), Failed> {
        let same = data.len() <= self.0.len() && self.0.drain(..data.len()).eq(data.iter().copied());
        if same { Ok(()) } else { Err(Failed::Job("other bytes than were sent came back".into(), None)) }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Regression: it took the 90 s that a module has to become ready.
    #[test]
    fn a_server_that_says_nothing_is_left_before_a_module_would_be_ready() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let name = format!("tcp://{}", listener.local_addr().unwrap());
        let modem = Modem::open(&name, Config::default()).unwrap();
        let began = Instant::now();
        let (answer, ready) = (Duration::from_secs(1), Duration::from_secs(90));
        let brought_up = bring_up_within(&modem, answer, ready, |_| Ok(()));
        assert!(
            matches!(brought_up, Err(Failed::Modem(Error::NotReady(NotReady::NoAnswer)))),
            "{brought_up:?}"
        );
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
        modem.close();
        let words = other_device::words(&name, &Config::default()).unwrap();
        assert!(words.contains("accepts the connection, and nothing comes"), "{words}");
    }

    #[test]
    fn a_module_that_answers_has_the_longer_time() {
        let settings = Settings::default().registration(3);
        let (reader, writer, _) = serve::in_process(Simulator::new(settings, HostNetwork::new())).unwrap();
        let modem = Modem::start(reader, writer, Config::default()).unwrap();
        while modem.not_ready() == Some(NotReady::NoAnswer) {
            pause(Duration::from_millis(10));
        }
        let (began, ready) = (Instant::now(), Duration::from_secs(2));
        let brought_up = bring_up_within(&modem, Duration::ZERO, ready, |_| Ok(()));
        assert!(matches!(brought_up, Err(Failed::Modem(Error::NotReady(_)))), "{brought_up:?}");
        assert!(began.elapsed() >= ready, "{:?}", began.elapsed());
        modem.close();
    }
}
