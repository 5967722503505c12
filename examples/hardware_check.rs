//! Tests a module for the open points of documents, and writes a report and a masked capture for the maintainers.
//!
//! ```text
//! cargo run --example hardware_check -- --port /dev/ttyUSB0 --connect echo.example:7
//! cargo run --example hardware_check -- --simulate luatos
//! ```

#[path = "common/observations.rs"]
mod observations;
#[allow(dead_code, reason = "it lists no ports")]
#[path = "common/port_root.rs"]
mod port_root;
#[path = "common/recording.rs"]
mod recording;
#[path = "common/shell.rs"]
mod shell;

use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use air724ug::capture::{CaptureFile, Header, Recorder};
use air724ug::sim::{MemoryNetwork, Peer, Profile, Settings, Simulator, VirtualHost};
use air724ug::time::Timestamp;
use air724ug::{BarePort, Config, Modem};
use observations::{Line, Observation, masked, observe};
use recording::Recording;
use shell::{Argument, Arguments, complain};

/// The time-out for writing the capture.
const CAPTURE: Duration = Duration::from_secs(1);

const HELP: &str = "\
Asks a module for each assumption of docs/protocol.md that commands can answer. Nothing is written to its flash; what is set is
forgotten at a restart. Connections that are open on the module are ended.

usage: hardware_check [--port PORT | --simulate PROFILE] [options]

  --port PORT          the module's AT port: /dev/ttyUSB0, auto, imei:NUMBER, usb:PLACE, tcp://HOST:PORT,
                       rfc2217://HOST:PORT
  --baud N             its line rate [115200]
  --simulate PROFILE   the simulated modem in place of a module: PROFILES [air724, if there is no --port]
  --connect HOST:PORT  an echo server, which gets some hundred bytes; of the simulated modem echo.test:7 [no connection]
RECORDING
  --help               this text
  --version            its version

In a capture the numbers of card, module and subscriber are masked.

exit code: 0 if something was answered, 1 if nothing was, or there is no such port, 2 for wrong options, 74 if the output can't be written
";

/// The options of the command line.
#[derive(Default)]
struct Options {
    port: Option<String>,
    baud: Option<u32>,
    profile: Option<String>,
    server: Option<(String, u16)>,
    recording: Recording,
}

fn main() -> ExitCode {
    let options = match parse(&mut Arguments::of_process()) {
        Ok(Some(options)) => options,
        Ok(None) => {
            return ended(
                shell::print(
                    HELP.replace("RECORDING\n", recording::HELP).replace("PROFILES", &Profile::names()),
                ),
                ExitCode::SUCCESS,
            );
        }
        Err(problem) => {
            complain(format_args!(
                "hardware_check: {problem}\nhardware_check: `hardware_check --help` lists the options"
            ));
            return ExitCode::from(2);
        }
    };
    let line = match line(&options) {
        Ok(line) => line,
        Err(problem) => {
            complain(format_args!("hardware_check: {problem}"));
            return ExitCode::FAILURE;
        }
    };
    let capture = match CaptureFile::configured(&options.recording.of(Config::default())) {
        Ok(capture) => capture,
        Err(error) => {
            complain(format_args!("hardware_check: {error}"));
            return ExitCode::from(shell::IO_ERROR);
        }
    };
    report(line, capture, &options)
}

fn report(line: Box<dyn Line>, capture: Option<CaptureFile>, options: &Options) -> ExitCode {
    let header = Header {
        what: "the observations of hardware_check".into(),
        source: format!("hardware_check of air724ug {}", env!("CARGO_PKG_VERSION")),
        expect: vec!["not known".into()],
    };
    let watch = capture.as_ref().map(CaptureFile::watch);
    let recorder = capture.map(|file| Recorder::new(file, &header));
    let mut recorded = RecordedLine { line, recorder, begun: Instant::now() };
    let mut written = match &options.profile {
        Some(name) => shell::print(format_args!(
            "A simulated modem ({name}) answers: this shows the check, and nothing of a module. --port PORT asks one.\n"
        )),
        None => Ok(()),
    };
    let server = options.server.as_ref().map(|(host, port)| (host.as_str(), *port));
    let found = observe(&mut recorded, server, &mut |observation: &Observation| {
        if written.is_ok() {
            let line = masked(format!("{observation}\n").as_bytes());
            written = shell::print(String::from_utf8_lossy(&line));
        }
    });
    let answered = found.iter().any(|observation| observation.verdict != observations::Verdict::Open);
    if let Some(Err(error)) = watch.map(|watch| watch.flush(CAPTURE)) {
        complain(format_args!("hardware_check: the capture is not complete: {error}"));
        return ended(written, ExitCode::from(shell::IO_ERROR));
    }
    ended(written, if answered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn ended(written: io::Result<()>, code: ExitCode) -> ExitCode {
    written.map_or_else(|error| shell::unwritten("hardware_check", &error), |()| code)
}

/// `None`: help is requested.
fn parse(args: &mut Arguments) -> Result<Option<Options>, String> {
    let mut options = Options::default();
    let wants_help = args.each_option(|option, args| {
        if options.recording.take(option, args)? {
            return Ok(());
        }
        let mut value = || args.value();
        match option {
            "--port" => options.port = Some(value()?),
            "--simulate" => {
                let name = value()?;
                profile(&name)?;
                options.profile = Some(name);
            }
            "--baud" => options.baud = Some(value()?.parse().map_err(|_| "--baud takes a number")?),
            "--connect" => {
                let text = value()?;
                let parts = text
                    .rsplit_once(':')
                    .and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
                options.server =
                    Some(parts.ok_or_else(|| format!("--connect takes HOST:PORT, not \"{text}\""))?);
            }
            _ => return Argument::Option(option.to_owned()).unknown(),
        }
        Ok(())
    })?;
    if wants_help {
        return Ok(None);
    }
    options.recording.check()?;
    match (&options.port, &options.profile) {
        (Some(_), Some(_)) => Err("give either --port or --simulate".to_owned()),
        (None, None) => Ok(Some(Options { profile: Some("air724".to_owned()), ..options })),
        _ => Ok(Some(options)),
    }
}

fn profile(name: &str) -> Result<Profile, String> {
    Profile::named(name)
        .ok_or_else(|| format!("there is no profile {name:?}; there are {}", Profile::names()))
}

fn line(options: &Options) -> Result<Box<dyn Line>, String> {
    if let Some(name) = &options.profile {
        let profile = profile(name)?;
        let mut network = MemoryNetwork::new();
        network.serve("echo.test", 7, Peer::echo());
        let modem = Simulator::new(Settings::default().profile(profile), network);
        return Ok(Box::new(SimulatedLine(VirtualHost::new(modem))));
    }
    let name = options.port.as_deref().unwrap_or_default();
    let config = port_root::config().baud_rate(options.baud.unwrap_or(115_200));
    let port = Modem::open_bare(name, &config).map_err(|error| {
        format!("{error}\nhardware_check: the example `ports` shows the ports and what is in the way of each")
    })?;
    Ok(Box::new(PortLine(port)))
}

/// A simulated modem in virtual time.
struct SimulatedLine(VirtualHost<MemoryNetwork>);

impl Line for SimulatedLine {
    fn ask(&mut self, bytes: &[u8], within: Duration) -> Option<Vec<u8>> {
        let mut received = self.0.write(bytes);
        received.extend(self.0.wait(within));
        Some(received)
    }
}

/// A port.
struct PortLine(BarePort);

impl Line for PortLine {
    fn ask(&mut self, bytes: &[u8], within: Duration) -> Option<Vec<u8>> {
        self.0.ask(bytes, within).ok()
    }
}

/// A line, recorded and masked.
struct RecordedLine {
    line: Box<dyn Line>,
    recorder: Option<Recorder<CaptureFile>>,
    begun: Instant,
}

impl Line for RecordedLine {
    fn ask(&mut self, bytes: &[u8], within: Duration) -> Option<Vec<u8>> {
        let asked_at = Timestamp::ZERO + self.begun.elapsed();
        let received = self.line.ask(bytes, within);
        let answered_at = Timestamp::ZERO + self.begun.elapsed();
        if let Some(recorder) = &mut self.recorder {
            recorder.to_modem(asked_at, &masked(bytes));
            if let Some(received) = received.as_ref().filter(|received| !received.is_empty()) {
                recorder.from_modem(answered_at, &masked(received));
            }
        }
        received
    }
}
