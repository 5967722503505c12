//! Serves simulated Air724UG modems on pseudo-terminals, with this machine's network behind them.
//!
//! ```text
//! cargo run --example sim -- --link /tmp/modem
//! picocom /tmp/modem
//! ```
//!
//! It reads orders on its standard input: `net down`, `sim remove`, `fault reboot@12s`, `state`, `help`.

#[path = "common/shell.rs"]
mod shell;

use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use air724ug::capture::{self, Coverage, Player};
use air724ug::sim::{BadRule, Boot, Distant, HostNetwork, Profile, Settings, SimCard, Simulator, serve};
use air724ug::time::Timestamp;
use shell::{Argument, Arguments, complain};

const HELP: &str = "\
Serves simulated Air724UG modems on pseudo-terminals. Prints each terminal's path; any program can open it.

usage: sim [options]

  --baud N          the line's rate in bits a second, both ways [infinitely fast]
  --link PATH       makes a symbolic link to the terminal; removed at the end
  --modems N        serves N modems at once; the links are PATH0, PATH1 ... [1]
  --profile NAME    the dialect: PROFILES [air724]
  --seed N          where chance begins; modem n begins at N + n [0]
  --cold            begins with the boot
  --pin PIN         the SIM is locked by this PIN [it asks for none]
  --autobaud        boots with an unknown line rate, found in an upper-case AT
  --latency MS      how long a command takes until its answer [0]
  --jitter MS       the most that chance adds to it [0]
  --rtt MS          how far the network is: the round trip of every answer of a peer [0]
  --echo PORT       an echo server of its own on 127.0.0.1, TCP and UDP
  --play FILE       plays a capture in place of the simulated modem: what came comes again when a program writes what was
                    written; says where the program departs from it
  --times           keeps the times of that capture
  --old-tls         takes sslversion 0 to 2 for TLS 1.2 [their connects fail]
  --clac            AT+CLAC lists the commands [it is ERROR, as the manual does not know it]
  --uart-buffer N   bytes that a UART holds; more are lost without AT+IFC=2,2 (needs --baud) [nothing is lost]
  --host NAME=IP    gives a host name an address, for the modem alone; may be given several times
  --fault RULE      something that goes wrong, by chance or at a moment: lost-prompt:0.01, reboot@12s; may be given
                    several times
  --control SOCKET  takes orders on a Unix socket, too; one a line
  --log             shows both directions and what goes on inside
  --quiet           shows the paths alone; what it does anyway when its output is no terminal
  --help            this text
  --version         its version

orders on the standard input or the socket:
";

/// The selection of the output.
#[derive(Clone, Copy, PartialEq)]
enum Show {
    Paths,
    Events,
    Everything,
}

/// The options of the command line.
struct Options {
    settings: Settings,
    modems: usize,
    link: Option<PathBuf>,
    control: Option<PathBuf>,
    hosts: Vec<(String, IpAddr)>,
    round_trip: Duration,
    echo: Option<u16>,
    play: Option<PathBuf>,
    keeps_times: bool,
    show: Show,
}

fn main() -> ExitCode {
    env_logger::init();
    let options = match parse(&mut Arguments::of_process()) {
        Ok(Some(options)) => options,
        Ok(None) => {
            let help = HELP.replace("PROFILES", &Profile::names());
            let help = format!("{help}{}\n", indented(air724ug::sim::Order::HELP));
            return shell::print(help)
                .map_or_else(|error| shell::unwritten("sim", &error), |()| ExitCode::SUCCESS);
        }
        Err(problem) => {
            complain(format_args!("sim: {problem}\nsim: `sim --help` lists the options"));
            return ExitCode::from(2);
        }
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Problem::Output(error)) => shell::unwritten("sim", &error),
        Err(Problem::Job(problem)) => {
            complain(format_args!("sim: {problem}"));
            ExitCode::FAILURE
        }
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

impl Options {
    fn new() -> Self {
        // The real time, so that certificates are judged by it.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let show = if io::stdout().is_terminal() { Show::Events } else { Show::Paths };
        Self {
            settings: Settings::default().clock(now.as_secs()),
            modems: 1,
            link: None,
            control: None,
            hosts: Vec::new(),
            round_trip: Duration::ZERO,
            echo: None,
            play: None,
            keeps_times: false,
            show,
        }
    }

    /// The link of a modem: PATH for a single one, PATH0, PATH1 ... for several.
    fn link_of(&self, modem: usize) -> Option<PathBuf> {
        let link = self.link.as_ref()?;
        if self.modems == 1 {
            return Some(link.clone());
        }
        let mut name = link.clone().into_os_string();
        name.push(modem.to_string());
        Some(name.into())
    }
}

/// `None`: help is requested.
fn parse(args: &mut Arguments) -> Result<Option<Options>, String> {
    let mut options = Options::new();
    let wants_help = args.each_option(|option, args| {
        let mut value = || args.value();
        let settings = options.settings.clone();
        match option {
            "--log" => options.show = Show::Everything,
            "--quiet" => options.show = Show::Paths,
            "--cold" => options.settings = settings.boot(Boot::Cold),
            "--pin" => options.settings = settings.sim(SimCard::Locked { pin: pin(&value()?)? }),
            "--autobaud" => options.settings = settings.boot(Boot::Cold).autobaud(true),
            "--link" => options.link = Some(value()?.into()),
            "--control" => options.control = Some(value()?.into()),
            "--modems" => options.modems = positive(option, &value()?)? as usize,
            "--baud" => options.settings = settings.baud(Some(positive(option, &value()?)?)),
            "--seed" => options.settings = settings.seed(number(option, &value()?)?),
            "--latency" => options.settings = settings.latency(millis(option, &value()?)?),
            "--jitter" => options.settings = settings.jitter(millis(option, &value()?)?),
            "--rtt" => options.round_trip = millis(option, &value()?)?,
            "--echo" => options.echo = Some(port(&value()?)?),
            "--play" => options.play = Some(value()?.into()),
            "--times" => options.keeps_times = true,
            "--old-tls" => options.settings = settings.tls_upgraded(true),
            "--clac" => options.settings = settings.lists_commands(true),
            "--uart-buffer" => {
                options.settings = settings.uart_buffer(Some(positive(option, &value()?)? as usize));
            }
            "--fault" => {
                options.settings.faults.push(value()?.parse().map_err(|bad: BadRule| bad.to_string())?)
            }
            "--host" => options.hosts.push(host(&value()?)?),
            "--profile" => options.settings = settings.profile(profile(&value()?)?),
            _ => return Argument::Option(option.to_owned()).unknown(),
        }
        Ok(())
    })?;
    if wants_help {
        return Ok(None);
    }
    Ok(Some(options))
}

fn number(option: &str, text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{option} takes a number, not \"{text}\""))
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("--echo takes a port, not \"{text}\""))
}

fn positive(option: &str, text: &str) -> Result<u32, String> {
    let number = number(option, text)?;
    let positive = u32::try_from(number).ok().filter(|number| *number > 0);
    positive.ok_or_else(|| format!("{option} takes a number from 1 on, not {text}"))
}

fn millis(option: &str, text: &str) -> Result<Duration, String> {
    number(option, text).map(Duration::from_millis)
}

fn host(text: &str) -> Result<(String, IpAddr), String> {
    let problem =
        || format!("--host takes a name and an address, as in example.com=127.0.0.1, not \"{text}\"");
    let (name, address) = text.split_once('=').ok_or_else(problem)?;
    Ok((name.to_owned(), address.parse().map_err(|_| problem())?))
}

/// Four to eight digits (3GPP 31.101).
fn pin(text: &str) -> Result<String, String> {
    let valid = (4..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if valid { Ok(text.to_owned()) } else { Err(format!("--pin takes four to eight digits, not \"{text}\"")) }
}

fn profile(name: &str) -> Result<Profile, String> {
    let names = Profile::names();
    Profile::named(name).ok_or_else(|| format!("there is no profile \"{name}\"; there are {names}"))
}

/// The reason of an early end.
enum Problem {
    /// The standard output can't be written.
    Output(io::Error),
    Job(String),
}

impl From<String> for Problem {
    fn from(problem: String) -> Self {
        Self::Job(problem)
    }
}

fn run(options: Options) -> Result<(), Problem> {
    if let Some(port) = options.echo {
        echo(port).map_err(|error| format!("can't listen on port {port} for --echo: {error}"))?;
    }
    if let Some(file) = &options.play {
        return play(file, &options);
    }
    let mut remotes = Vec::new();
    let mut modems = Vec::new();
    for number in 0..options.modems {
        let (remote, inbox) = serve::remote().map_err(|error| format!("can't make a pipe: {error}"))?;
        remotes.push(remote);
        modems.push((terminal(options.link_of(number))?, inbox));
    }
    let paths: Vec<PathBuf> = modems.iter().map(|(pty, _)| pty.path().to_owned()).collect();
    let links = (0..options.modems).filter_map(|number| options.link_of(number));
    let _guards: Vec<Child> = links
        .map(|link| guard(&link))
        .collect::<io::Result<_>>()
        .map_err(|error| format!("can't start a shell: {error}"))?;
    let console = options.control.as_ref().map(|path| {
        let made = serve::Console::listen(path, remotes.clone());
        made.map_err(|error| {
            format!("can't listen on {}: {error}; give --control another path", path.display())
        })
    });
    let _console = console.transpose()?;
    announce(&paths).map_err(Problem::Output)?;
    thread::spawn(move || take_orders(&remotes));
    let running: Vec<_> = modems
        .into_iter()
        .enumerate()
        .map(|(number, (pty, inbox))| {
            let (modem, show) = (modem(&options, number), Screen::new(&options, number));
            thread::spawn(move || serve::run_with(modem, pty, inbox, |at, seen| show.show(at, seen)))
        })
        .collect();
    for modem in running {
        let served = modem.join().map_err(|_| "a modem's thread has panicked".to_owned())?;
        served.map_err(|error| format!("the pseudo-terminal failed: {error}"))?;
    }
    Ok(())
}

fn terminal(link: Option<PathBuf>) -> Result<serve::Pty, String> {
    let mut pty = serve::Pty::open().map_err(|error| format!("can't open a pseudo-terminal: {error}"))?;
    if let Some(link) = link {
        pty.link(&link).map_err(|error| {
            format!("can't make the link {}: {error}; give --link another path", link.display())
        })?;
    }
    Ok(pty)
}

/// A modem with this number in its serial number and seed.
fn modem(options: &Options, number: usize) -> Simulator<Distant<HostNetwork>> {
    let settings = options.settings.clone();
    let seed = settings.seed.wrapping_add(number as u64);
    let imei = checked(format!("86{number:012}"));
    let names = options.hosts.iter().cloned();
    let network = names.fold(HostNetwork::new(), |network, (name, address)| network.name(&name, address));
    Simulator::new(settings.seed(seed).imei(imei), Distant::new(network, options.round_trip))
}

/// Plays a capture on a pseudo-terminal until this process ends. Prints each departure at once.
fn play(file: &Path, options: &Options) -> Result<(), Problem> {
    let capture = capture::load(file).map_err(|error| error.to_string())?;
    let coverage = Coverage::of(&capture, &capture::replay(&capture));
    let has_records = capture.records.iter().any(|located| located.record.what.bytes().is_some());
    if !coverage.is_understood || !has_records {
        let advice = capture.layout.advice();
        let file = file.display();
        return Err(format!("{file} is not understood: {coverage}; better to save {advice}").into());
    }
    if coverage.cut.is_some() {
        shell::complain(format_args!("sim: {} is cut: {coverage}", file.display()));
    }
    let pty = terminal(options.link.clone())?;
    let _guard = options.link.as_deref().map(guard).transpose();
    announce(&[pty.path().to_owned()]).map_err(Problem::Output)?;
    let player = Player::new(&capture);
    let player = if options.keeps_times { player.timed() } else { player };
    let (reader, writer, watch) = player.port();
    let failed = |error: io::Error| format!("the pseudo-terminal failed: {error}");
    let report_count = |count: usize| {
        for departure in watch.departures().into_iter().skip(count) {
            // If the output is closed, the departure is not shown.
            let _ = shell::print(format_args!("{departure}\n"));
        }
        watch.departures().len()
    };
    Ok(serve::play(&pty, reader, writer, report_count).map_err(failed)?)
}

/// Starts threads that echo received bytes until this process ends.
fn echo(port: u16) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port))?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // An error of a connection ends its own thread only.
            thread::spawn(move || io::copy(&mut &stream, &mut &stream));
        }
    });
    thread::spawn(move || {
        let mut datagram = [0; 64 * 1024];
        while let Ok((length, from)) = socket.recv_from(&mut datagram) {
            let _ = socket.send_to(&datagram[..length], from);
        }
    });
    Ok(())
}

/// Digits with their check digit (Luhn).
fn checked(mut digits: String) -> String {
    let doubled = |(place, digit): (usize, u32)| match (place % 2, 2 * digit) {
        (0, twice) if twice > 9 => twice - 9,
        (0, twice) => twice,
        _ => digit,
    };
    let sum: u32 = digits.chars().rev().filter_map(|digit| digit.to_digit(10)).enumerate().map(doubled).sum();
    digits.push_str(&((10 - sum % 10) % 10).to_string());
    digits
}

/// Removes the link if this process ends without notice, as by Ctrl-C: a shell waits for the end of its input, which
/// this process keeps open. It removes a dangling link, as this one is when the terminal is closed: the next modem at
/// this path may have a terminal with the same number.
fn guard(link: &Path) -> io::Result<Child> {
    let script = r#"trap '' INT TERM HUP; cat
        for try in 1 2 3 4 5 6 7 8 9 10; do
            [ -L "$1" ] && [ ! -e "$1" ] && rm -f "$1"
            [ -L "$1" ] || exit 0
            sleep 0.05
        done"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sim-link"]).arg(link);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

/// Prints only the paths on the first lines, so that a script can read them.
fn announce(paths: &[PathBuf]) -> io::Result<()> {
    paths.iter().try_for_each(|path| shell::print(format_args!("{}\n", path.display())))
}

/// Reads orders from the standard input until its end; the modems continue after it.
fn take_orders(remotes: &[serve::Remote]) {
    let answer = |text: &str| {
        // If the output is closed, the answer is not shown.
        let _ = shell::print(format_args!("{text}\n"));
        Ok(())
    };
    if io::stdin().is_terminal() {
        complain(
            "sim: a serial terminal or a driver finds the simulated modem at this port; `help` lists the orders",
        );
    }
    if let Err(error) = serve::converse(remotes, io::stdin().lock(), answer) {
        complain(format_args!("sim: takes no orders any more: {error}"));
    }
}

/// Prints bytes and events of the modems.
struct Screen {
    show: Show,
    coloured: bool,
    /// The number of the modem, if there are several.
    number: Option<usize>,
}

impl Screen {
    fn new(options: &Options, number: usize) -> Self {
        let coloured = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { show: options.show, coloured, number: (options.modems > 1).then_some(number) }
    }

    fn show(&self, at: Timestamp, seen: serve::LogEntry<'_>) {
        match seen {
            serve::LogEntry::FromHost(bytes) => self.bytes(at, "36", ">", bytes),
            serve::LogEntry::ToHost(bytes) => self.bytes(at, "32", "<", bytes),
            serve::LogEntry::Happened(_) if self.show == Show::Paths => {}
            serve::LogEntry::Happened(event) => self.line(at, "2", " ", event),
            _ => {}
        }
    }

    fn bytes(&self, at: Timestamp, colour: &str, sign: &str, bytes: &[u8]) {
        if self.show == Show::Everything {
            self.line(at, colour, sign, bytes.escape_ascii());
        }
    }

    fn line(&self, at: Timestamp, colour: &str, sign: &str, text: impl Display) {
        let number = self.number.map_or(String::new(), |number| format!("{number} "));
        let (on, off) =
            if self.coloured { (format!("\x1b[{colour}m"), "\x1b[0m") } else { (String::new(), "") };
        // A closed output ends the display, not the modem.
        let _ = shell::print(format_args!("{number}{at} {on}{sign} {text}{off}\n"));
    }
}
