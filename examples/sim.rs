//! Serves the simulated Air724UG on a pseudo-terminal, with this machine's network behind it.
//!
//! ```text
//! cargo run --example sim -- --link /tmp/modem
//! picocom /tmp/modem
//! ```

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use air724ug::sim::{BadRule, Boot, HostNetwork, Profile, Settings, SimCard, Simulator, serve};
use air724ug::time::Timestamp;

const HELP: &str = "\
Serves a simulated Air724UG on a pseudo-terminal. Prints the terminal's path; any program can open it.

usage: sim [options]

  --baud N         the line's rate in bits a second, both ways [infinitely fast]
  --link PATH      makes a symbolic link to the terminal; removed at the end
  --profile NAME   the dialect: air724, vendor8910, air780e, sim800 [air724]
  --seed N         where chance begins [0]
  --cold           begins with the boot
  --pin PIN        the SIM is locked by this PIN [it asks for none]
  --fault RULE     something that goes wrong, by chance or at a moment: lost-prompt:0.01, reboot@12s; may be given
                   several times
  --log            shows both directions and what goes on inside
  --help           this text
";

/// What the command line says.
struct Options {
    settings: Settings,
    link: Option<PathBuf>,
    log: bool,
}

fn main() -> ExitCode {
    env_logger::init();
    let options = match parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("sim: {problem}\nsim: `sim --help` lists the options");
            return ExitCode::from(2);
        }
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("sim: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// `None`: help is wanted.
fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options { settings: Settings::default(), link: None, log: false };
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
        let settings = options.settings.clone();
        match arg.as_str() {
            "--help" | "-h" => return Ok(None),
            "--log" => options.log = true,
            "--cold" => options.settings = settings.boot(Boot::Cold),
            "--pin" => options.settings = settings.sim(SimCard::Locked { pin: pin(&value()?)? }),
            "--link" => options.link = Some(value()?.into()),
            "--baud" => options.settings = settings.baud(Some(positive(&arg, &value()?)?)),
            "--seed" => options.settings = settings.seed(number(&arg, &value()?)?),
            "--fault" => {
                options.settings.faults.push(value()?.parse().map_err(|bad: BadRule| bad.to_string())?)
            }
            "--profile" => options.settings = settings.profile(profile(&value()?)?),
            other => return Err(format!("there is no option {other}")),
        }
    }
    Ok(Some(options))
}

fn number(option: &str, text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{option} takes a number, not \"{text}\""))
}

fn positive(option: &str, text: &str) -> Result<u32, String> {
    let rate = number(option, text)?;
    u32::try_from(rate)
        .ok()
        .filter(|rate| *rate > 0)
        .ok_or_else(|| format!("{option} {text} is no line rate"))
}

/// Four to eight digits (3GPP 31.101).
fn pin(text: &str) -> Result<String, String> {
    let valid = (4..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if valid { Ok(text.to_owned()) } else { Err(format!("--pin takes four to eight digits, not \"{text}\"")) }
}

fn profile(name: &str) -> Result<Profile, String> {
    let names = Profile::all().map(|profile| profile.name).join(", ");
    Profile::named(name).ok_or_else(|| format!("there is no profile \"{name}\"; there are {names}"))
}

fn run(options: Options) -> Result<(), String> {
    let mut pty = serve::Pty::open().map_err(|error| format!("can't open a pseudo-terminal: {error}"))?;
    if let Some(link) = &options.link {
        pty.link(link).map_err(|error| {
            format!("can't make the link {}: {error}; give --link another path", link.display())
        })?;
    }
    let link = options.link.as_deref();
    let _guard = link.map(|link| guard(link, pty.path())).transpose();
    let (_remote, inbox) = serve::remote().map_err(|error| format!("can't make a pipe: {error}"))?;
    announce(&pty).map_err(|error| format!("can't print the path: {error}"))?;
    let modem = Simulator::new(options.settings, HostNetwork::new());
    let log = options.log;
    let served = serve::run_with(modem, pty, inbox, |at, seen| {
        if log {
            show(at, seen);
        }
    });
    served.map_err(|error| format!("the pseudo-terminal failed: {error}"))
}

/// Removes the link when this process ends in a way that it can't hear of, such as Ctrl-C: a shell waits for the end of
/// its input, which is ours to keep open.
fn guard(link: &Path, terminal: &Path) -> io::Result<Child> {
    let script = r#"trap '' INT TERM HUP; cat; [ "$(readlink "$1")" = "$2" ] && rm -f "$1""#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sim-link"]).args([link, terminal]);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

/// The path alone on the first line, so that a script can read it.
fn announce(pty: &serve::Pty) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{}", pty.path().display())?;
    out.flush()
}

fn show(at: Timestamp, seen: serve::Seen<'_>) {
    match seen {
        serve::Seen::FromHost(bytes) => println!("{at} > {}", bytes.escape_ascii()),
        serve::Seen::ToHost(bytes) => println!("{at} < {}", bytes.escape_ascii()),
        serve::Seen::Happened(happening) => println!("{at}   {happening}"),
    }
}
