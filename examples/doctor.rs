//! Finds the reason of a missing connection: the checklist from the port to the server, with the proof of each finding
//! and advice.
//!
//! ```text
//! cargo run --example doctor
//! cargo run --example doctor -- --port /dev/ttyUSB0 --connect example.com:80
//! cargo run --example doctor -- --offline session.capture --json
//! ```

#[path = "common/collect.rs"]
mod collect;
mod common;
#[path = "common/marks.rs"]
mod marks;
#[path = "common/output_file.rs"]
mod output_file;
#[path = "common/states.rs"]
mod states;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use air724ug::capture::{self, Coverage, Marks};
use air724ug::diagnosis::{Checkup, Diagnosis, Evidence, Severity};
use air724ug::{Certificate, Config, Modem, TlsConfig};
use common::shell::{self, Argument, Arguments, complain};
use common::{Common, Usage, host_and_port, number, port_root};
use states::{Patient, STATES};

const USAGE: &str = "\
Examines a modem and its way to a server, and says what is wrong, what proves it and what to do. The first finding is
the cause of the others.

usage: doctor [options]

  --connect HOST:PORT  the server to be reached [none; without --port, one in this program]
  --tls                with TLS, which the module speaks; without --connect, whether the firmware can
  --ca FILE            the certificate (PEM or DER) of the authority that signed the server's; means --tls [without it,
                       --tls takes any server]
  --offline FILE       takes the answers from a capture instead of a modem, in any layout that `replay` reads
  --marks FILE         with --offline: more marks by which the program that wrote the log distinguishes the two sides,
                       as `replay` has them
  --collect FILE       writes what a report needs into one file: versions, statistics, the diagnosis and the session, with IMEI,
                       IMSI, ICCID, numbers of phones, addresses and names of servers masked;
                       a new file, or an earlier report
  --simulate STATE     examines a simulated modem in one of the states below
  --wait SECONDS       how long the module may take to get ready [90]
  --patience SECONDS   how long the server may take [80]
  --json               one JSON object instead of the table
  --quiet              says nothing while it works
";

const END: &str = "
Exit code: 0 all is well; 1 something is wrong, which --json grades, or a part
of the file is unexplained; 2 a wrong option, or a file that can't be read or is
not understood; 74 the output or the capture can't be written; 130 it was
interrupted (Ctrl-C).
";

#[derive(Default)]
struct Options {
    common: Common,
    connect: Option<(String, u16)>,
    tls: bool,
    ca: Option<Certificate>,
    offline: Option<PathBuf>,
    marks: Marks,
    collect: Option<PathBuf>,
    simulate: Option<String>,
    wait: Option<Duration>,
    patience: Option<Duration>,
    json: bool,
    quiet: bool,
}

fn main() -> ExitCode {
    env_logger::init();
    common::handle_interrupt("doctor");
    let result = parse(&mut Arguments::of_process()).and_then(|options| {
        let examined = examine(&options);
        common::wait_if_interrupted();
        let Examined { diagnosis, cut, is_partial } = examined?;
        if let Some(file) = &options.collect {
            write_collected(&options, file, &diagnosis).map_err(Problem::Capture)?;
        }
        let code = show(&options, &diagnosis, is_partial).map_err(Problem::Output)?;
        match (diagnosis.capture_error(), cut) {
            (Some(why), _) => Err(Problem::Capture(why.to_owned())),
            (None, Some(why)) => Err(Problem::Input(why)),
            (None, None) => Ok(code),
        }
    });
    match result {
        Ok(code) => code,
        Err(Problem::Usage(Usage::Help)) => {
            let names: Vec<&str> = STATES.iter().map(|(name, ..)| *name).collect();
            let help = format!("{}\nStates: {}\n{END}", common::help(USAGE), names.join(", "));
            shell::print(help).map_or_else(|error| shell::unwritten("doctor", &error), |()| ExitCode::SUCCESS)
        }
        Err(Problem::Usage(Usage::Wrong(why))) => {
            complain(format_args!("doctor: {why}\ndoctor: `doctor --help` lists the options"));
            ExitCode::from(2)
        }
        Err(Problem::Input(why)) => {
            complain(format_args!("doctor: {why}"));
            ExitCode::from(2)
        }
        Err(Problem::Output(error)) => shell::unwritten("doctor", &error),
        Err(Problem::Capture(why)) => {
            complain(format_args!("doctor: {why}"));
            ExitCode::from(shell::IO_ERROR)
        }
        Err(Problem::Machine(error)) => {
            complain(format_args!("doctor: the simulated modem can't be started: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// The reason why there is no diagnosis.
enum Problem {
    Usage(Usage),
    /// A file can't be read, is no exchange with a modem, or too little of it is understood.
    Input(String),
    Machine(air724ug::Error),
    Output(io::Error),
    /// The capture is incomplete.
    Capture(String),
}

impl From<Usage> for Problem {
    fn from(usage: Usage) -> Self {
        Self::Usage(usage)
    }
}

impl From<String> for Problem {
    fn from(why: String) -> Self {
        Self::Usage(why.into())
    }
}

fn parse(args: &mut Arguments) -> Result<Options, Problem> {
    let mut options = Options::default();
    while let Some(argument) = args.take()? {
        let option = match argument {
            Argument::Help => return Err(Usage::Help.into()),
            Argument::Option(option) if options.common.take(&option, args)? => continue,
            Argument::Option(option) => option,
            operand @ Argument::Operand(_) => return Ok(operand.unknown()?),
        };
        match option.as_str() {
            "--connect" => options.connect = Some(host_and_port(&option, &args.value()?)?),
            "--tls" => options.tls = true,
            "--ca" => {
                options.ca = Some(certificate(&args.value()?)?);
                options.tls = true;
            }
            "--offline" => options.offline = Some(args.path()?),
            "--collect" => options.collect = Some(args.path()?),
            "--marks" => {
                marks::add(&mut options.marks, &args.path()?).map_err(Problem::Input)?;
            }
            "--simulate" => options.simulate = Some(args.value()?),
            "--wait" => options.wait = Some(seconds(&option, args)?),
            "--patience" => options.patience = Some(seconds(&option, args)?),
            "--json" => options.json = true,
            "--quiet" => options.quiet = true,
            _ => return Ok(Argument::Option(option).unknown()?),
        }
    }
    options.common.recording.check()?;
    let recording = &options.common.recording;
    if options.collect.is_some() && (recording.append || recording.limit.is_some()) {
        return Err(Usage::Wrong(
            "--collect takes what is in the capture: leave out --append and --capture-limit".into(),
        )
        .into());
    }
    if let Some(report) = &options.collect {
        let recorded = options.common.recording.file.as_deref();
        let inputs: Vec<&Path> = options.offline.as_deref().into_iter().chain(recorded).collect();
        output_file::check(report, &inputs, collect::SIGN)?;
    }
    let sources = [options.common.port.is_some(), options.offline.is_some(), options.simulate.is_some()];
    if sources.into_iter().filter(|given| *given).count() > 1 {
        return Err(Usage::Wrong("--port, --offline and --simulate exclude each other".into()).into());
    }
    let mut config = options.common_config();
    config.pin = options.common.pin.clone();
    if let Err(error) = config.validate() {
        return Err(Usage::Wrong(error.to_string()).into());
    }
    Ok(options)
}

fn certificate(path: &str) -> Result<Certificate, Problem> {
    Certificate::from_file(path).map_err(|error| {
        let advice = "--ca takes a certificate in a file, PEM or DER";
        Problem::Input(format!("{path}: {error}; {advice}"))
    })
}

fn seconds(option: &str, args: &mut Arguments) -> Result<Duration, Usage> {
    Ok(Duration::from_secs(u64::from(number::<u32>(option, &args.value()?)?)))
}

/// Writes a report. A session that was recorded for it only is removed.
fn write_collected(options: &Options, file: &Path, diagnosis: &Diagnosis) -> Result<(), String> {
    let session = options.recorded();
    let source = options.offline.as_ref().or(session.as_ref()).filter(|source| source.exists());
    let capture = match source {
        Some(source) => capture::load_with(source, &options.marks).map_err(|error| error.to_string())?,
        // A port that could not be opened has no session.
        None => capture::read(b"").map_err(|error| error.to_string())?,
    };
    let collected = collect::collected(capture, diagnosis);
    if options.common.recording.file.is_none()
        && let Some(session) = session
    {
        let _ = std::fs::remove_file(session);
    }
    std::fs::write(file, collected).map_err(|error| format!("{}: {error}", file.display()))
}

impl Options {
    /// The file of the session's recording: that of the option, or one beside the report.
    fn recorded(&self) -> Option<PathBuf> {
        let beside = || {
            let mut name = self.collect.clone()?.into_os_string();
            name.push(".session");
            Some(PathBuf::from(name))
        };
        self.common.recording.file.clone().or_else(beside)
    }

    fn recorded_by(&self, config: Config) -> Config {
        let mut config = self.common.recording.of(config);
        config.capture = self.recorded();
        config
    }

    fn common_config(&self) -> Config {
        let mut config = self.recorded_by(port_root::config().baud_rate(self.common.baud));
        config.apn = self.common.apn.clone();
        config
    }

    /// Sets the values of the command line; others are not changed.
    fn checkup(&self, mut checkup: Checkup) -> Checkup {
        if let Some((host, port)) = &self.connect {
            checkup = checkup.server(host, *port);
        }
        checkup.ready_timeout = self.wait.unwrap_or(checkup.ready_timeout);
        checkup.connect_timeout = self.patience.unwrap_or(checkup.connect_timeout);
        match &self.ca {
            Some(ca) => checkup.tls(TlsConfig::verified(ca.clone())),
            None if self.tls && checkup.tls.is_none() => checkup.tls(TlsConfig::unverified()),
            None => checkup,
        }
    }
}

struct Examined {
    diagnosis: Diagnosis,
    /// The words for a capture that is cut in its last line.
    cut: Option<String>,
    /// True if a part of the file is unexplained.
    is_partial: bool,
}

fn examine(options: &Options) -> Result<Examined, Problem> {
    if let Some(file) = &options.offline {
        let capture =
            capture::load_with(file, &options.marks).map_err(|error| Problem::Input(error.to_string()))?;
        let coverage = Coverage::of(&capture, &capture::replay(&capture));
        if !coverage.is_understood {
            let advice = capture.layout.advice();
            let why = format!("{} is not understood: {coverage}; better to save {advice}", file.display());
            return Err(Problem::Input(why));
        }
        let diagnosis = Evidence::of_capture(&capture).diagnose();
        if diagnosis.is_unseen() {
            let why = format!("{} shows no answer of a module: there is nothing to examine", file.display());
            return Err(Problem::Input(why));
        }
        let is_partial = coverage.unexplained > 0;
        if is_partial {
            complain(format_args!("doctor: {coverage}"));
        }
        let cut = coverage.cut.map(|_| format!("{} is cut: {coverage}", file.display()));
        return Ok(Examined { diagnosis, cut, is_partial });
    }
    live(options).map(|diagnosis| Examined { diagnosis, cut: None, is_partial: false })
}

fn live(options: &Options) -> Result<Diagnosis, Problem> {
    let progress = |what: &str| {
        if !options.quiet {
            complain(format_args!("doctor: {what}"));
        }
    };
    let step = |modem: &Modem, what: &str| {
        common::keep(modem);
        progress(what);
    };
    if let Some(path) = &options.common.port {
        let mut config = options.common_config();
        config.pin = options.common.pin.clone();
        let checkup = options.checkup(Checkup::default());
        return Ok(Modem::diagnose_port_with_progress(path, &config, &checkup, step));
    }
    if options.simulate.is_none() {
        progress("no --port given, so here is a simulated modem");
    }
    let name = options.simulate.as_deref().unwrap_or(if options.tls { "tls" } else { "fine" });
    let Some((_, state, _)) = STATES.iter().find(|(known, ..)| *known == name) else {
        return Err(Usage::Wrong(format!("there is no state {name}")).into());
    };
    let patient = Patient::new(*state).map_err(Problem::Machine)?;
    let config = options.recorded_by(patient.config.clone());
    let checkup = options.checkup(patient.checkup.clone());
    Ok(Modem::diagnose_port_with_progress(&patient.path, &config, &checkup, step))
}

fn show(options: &Options, diagnosis: &Diagnosis, is_partial: bool) -> io::Result<ExitCode> {
    let text = match options.json {
        true => format!("{}\n", diagnosis.to_json()),
        false if io::stdout().is_terminal() => diagnosis.to_string().lines().map(painted).collect(),
        false => diagnosis.to_string(),
    };
    let written = shell::print(text);
    let is_wrong = matches!(diagnosis.severity(), Some(Severity::Warning | Severity::Error));
    let code = u8::from(is_wrong || is_partial);
    match written {
        // If the reader has closed the output, the exit code still shows the result.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        Ok(()) | Err(_) => Ok(ExitCode::from(code)),
    }
}

/// The line in the colour of its mark.
fn painted(line: &str) -> String {
    let colour = match line.split(' ').next() {
        Some("ok") => "32",
        Some("warn") => "33",
        Some("FAIL") => "31;1",
        Some("note") => "36",
        _ => return format!("{line}\n"),
    };
    format!("\u{1b}[{colour}m{line}\u{1b}[0m\n")
}
