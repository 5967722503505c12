//! The log lines of the driver.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use air724ug::at::{Fault, Urc};
use air724ug::query::CurrentOperator;
use air724ug::sim::{Control, MemoryNetwork, Peer, Settings, SimCard, Simulator, serve};
use air724ug::supervisor::{Policy, Rung, Supervisor};
use air724ug::{Config, Event, Heartbeat, Modem};
use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::quick_start::quick_start;

const SOON: Duration = Duration::from_secs(60);

/// A logger that keeps the lines of modems whose names begin with `log-`, because other tests run at the same time.
struct Kept(Mutex<Vec<(Level, String, String)>>);

static KEPT: Kept = Kept(Mutex::new(Vec::new()));

impl Log for Kept {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = record.args().to_string();
        if line.starts_with("log-") {
            self.0.lock().unwrap().push((record.level(), record.target().to_owned(), line));
        }
    }

    fn flush(&self) {}
}

fn modem(name: &str, settings: Settings, config: Config) -> (Modem, serve::Handle<MemoryNetwork>) {
    altered_modem(name, settings, config, Changes::default())
}

/// Texts of the modem and their replacements, each for one occurrence, in this order.
type Changes = Arc<Mutex<VecDeque<(&'static str, String)>>>;

/// The output of a modem with changes.
struct Altered<R> {
    inner: R,
    changes: Changes,
    /// The bytes that were not read yet.
    left: VecDeque<u8>,
}

impl<R: Read> Read for Altered<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.left.is_empty() {
            let mut bytes = [0; 4096];
            let count = self.inner.read(&mut bytes)?;
            let mut text = bytes[..count].to_vec();
            let mut changes = self.changes.lock().unwrap();
            if let Some((old, new)) = changes.front()
                && let Some(at) = text.windows(old.len()).position(|part| part == old.as_bytes())
            {
                text.splice(at..at + old.len(), new.bytes());
                changes.pop_front();
            }
            self.left.extend(text);
        }
        self.left.read(buf)
    }
}

fn altered_modem(
    name: &str,
    settings: Settings,
    config: Config,
    changes: Changes,
) -> (Modem, serve::Handle<MemoryNetwork>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&KEPT).unwrap();
        log::set_max_level(LevelFilter::Trace);
    });
    let mut network = MemoryNetwork::new();
    network.serve("echo.test", 7, Peer::echo()).serve("refuse.test", 7, Peer::refuse());
    let (inner, writer, handle) = serve::in_process(Simulator::new(settings, network)).unwrap();
    let reader = Altered { inner, changes, left: VecDeque::new() };
    (Modem::start(reader, writer, config.name(name)).unwrap(), handle)
}

/// The lines of a modem with their levels and targets. The lock is free afterwards, because a thread that still runs
/// when a test fails needs it.
fn all_lines(name: &str) -> Vec<(Level, String, String)> {
    let kept = KEPT.0.lock().unwrap();
    kept.iter().filter(|(_, _, line)| line.starts_with(name)).cloned().collect()
}

/// The lines of a modem on a target and from a level on, without the modem's name.
fn lines(name: &str, target: &str, level: Level) -> Vec<String> {
    let kept = all_lines(name);
    let mine = kept.iter().filter(|(at, on, _)| *at <= level && on == target);
    mine.filter_map(|(at, _, line)| Some(format!("{at} {}", line.strip_prefix(name)?))).collect()
}

#[test]
fn info_and_warn_show_the_course_of_a_session() {
    let (modem, world) = modem("log-story", quick_start(), Config::default());
    modem.wait_ready(SOON).unwrap();
    for _ in 0..2 {
        assert_eq!(modem.query(&CurrentOperator).unwrap().unwrap().name, "46000");
    }
    let mut socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    socket.write_all(b"hello").unwrap();
    socket.read_exact(&mut [0; 5]).unwrap();
    socket.close().unwrap();
    modem.tcp().connect(("refuse.test", 7)).unwrap_err();
    let _open = modem.tcp().connect(("echo.test", 7)).unwrap();
    world.control(Control::Reset);
    let restarted = |line: &String| line == "WARN : the module has restarted";
    while !lines("log-story", "air724ug", Level::Info).iter().any(restarted) {
        std::thread::yield_now();
    }
    modem.close();
    let story = lines("log-story", "air724ug", Level::Trace);
    assert_eq!(story[0], "INFO : the port is open");
    let ready = "INFO : ready: AirM2M_720U_V401881_LTE_AT, signal 24/31 (-65 dBm), address 10.";
    assert!(story.iter().any(|line| line.starts_with(ready)), "{story:#?}");
    assert_eq!(story.iter().filter(|line| *line == "INFO : the operator is 46000").count(), 1, "{story:#?}");
    for expected in [
        "INFO : socket 0.1 is connected to TCP echo.test:7",
        "INFO : socket 0.1 to TCP echo.test:7 has ended (by the application): 5 bytes sent, 5 received",
        "INFO : the port is closed: the modem was closed by the application",
    ] {
        assert!(story.iter().any(|line| line == expected), "{expected} in {story:#?}");
    }
    // The channel depends on whether that of the refused connection is free again.
    let ended = " to TCP echo.test:7 has ended (the module has restarted): 0 bytes sent, 0 received";
    assert!(story.iter().any(|line| line.starts_with("INFO") && line.ends_with(ended)), "{story:#?}");
    assert!(
        story.iter().any(|line| line.starts_with("WARN : no connection to TCP refuse.test:7: ")),
        "{story:#?}"
    );
    assert!(story.len() < 16, "{story:#?}");
}

/// Regression: such a socket ended with `0 bytes sent, 0 received`.
#[test]
fn the_bytes_of_a_dropped_socket_are_logged() {
    let (modem, _world) = modem("log-dropped", quick_start(), Config::default());
    modem.wait_ready(SOON).unwrap();
    let mut socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    socket.write_all(b"hello").unwrap();
    socket.read_exact(&mut [0; 5]).unwrap();
    drop(socket);
    modem.close();
    let story = lines("log-dropped", "air724ug", Level::Info);
    let ended =
        "INFO : socket 0.1 to TCP echo.test:7 has ended (by the application): 5 bytes sent, 5 received";
    assert!(story.iter().any(|line| line == ended), "{story:#?}");
}

/// Regression: the reason of a heartbeat was shown as `QueueFull { len: 4, room: 1 }`, and a failure twice, as in
/// `failed: the connection failed: CONNECT FAIL`.
#[test]
fn reasons_are_logged_in_words_and_once() {
    let (modem, _world) = modem("log-words", quick_start(), Config::default());
    modem.wait_ready(SOON).unwrap();
    let supervisor =
        Supervisor::new(modem.clone(), Policy::default().ladder([(Rung::Retry, 1)]).pause(Duration::ZERO));
    supervisor.tcp("refuse.test", 7).send(b"hello", Duration::from_secs(1)).unwrap_err();
    let events = modem.events();
    let socket = modem.udp().connect(("echo.test", 7)).unwrap();
    socket.set_heartbeat(Heartbeat::with(Duration::from_secs(1), |_| vec![0; 5000])).unwrap();
    while !matches!(events.recv_timeout(SOON).unwrap(), Event::HeartbeatFailed(..)) {}
    modem.close();
    let story = lines("log-words", "air724ug", Level::Warn);
    for expected in [
        "no connection to TCP refuse.test:7: CONNECT FAIL",
        "supervisor: the connection failed: CONNECT FAIL",
        "a heartbeat was not sent: its 5000 bytes are more than a datagram can carry",
    ] {
        assert!(story.iter().any(|line| line.ends_with(expected)), "{expected} in {story:#?}");
    }
    assert!(!story.iter().any(|line| line.contains('{') || line.matches("fail").count() > 1), "{story:#?}");
}

#[test]
fn a_lost_port_is_a_warning() {
    let (modem, world) = modem("log-lost", Settings::default(), Config::default());
    modem.wait_ready(SOON).unwrap();
    let mut socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    world.control(Control::HangUp);
    socket.read(&mut [0; 5]).unwrap_err();
    let story = lines("log-lost", "air724ug", Level::Warn);
    assert!(story.iter().any(|line| line.starts_with("WARN : the port is lost: ")), "{story:#?}");
}

/// Regression: the log did not show that a permission was missing, and said that the module may have restarted.
#[test]
fn a_missing_port_is_logged_once_for_each_reason() {
    drop(modem("log-nothing", Settings::default(), Config::default()));
    let mut network = MemoryNetwork::new();
    network.serve("echo.test", 7, Peer::echo());
    let (reader, writer, world) = serve::in_process(Simulator::new(Settings::default(), network)).unwrap();
    let (mut first, mut calls, again) = (Some((reader, writer)), 0, world.clone());
    let source = move || {
        calls += 1;
        let (reader, writer) = match calls {
            1 => first.take().unwrap(),
            2 | 3 | 5 => return Err(std::io::Error::other("no permission")),
            4 => return Err(std::io::Error::other("no such port")),
            _ => again.open()?,
        };
        Ok((Box::new(reader) as _, Box::new(writer) as _))
    };
    let modem = Modem::start_from(source, Config::default().name("log-away")).unwrap();
    modem.wait_ready(SOON).unwrap();
    let events = modem.events();
    let _socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    world.control(Control::UsbRestart(Duration::ZERO));
    while events.recv_timeout(SOON).unwrap() != Event::PortBack {}
    let story = lines("log-away", "air724ug", Level::Info);
    for (expected, times) in [
        ("WARN : the port is not back: no permission", 1),
        ("WARN : the port is not back: no such port", 1),
        ("INFO : socket 0.1 to TCP echo.test:7 has ended (the port is lost): 0 bytes sent, 0 received", 1),
        ("INFO : the port is back", 1),
    ] {
        assert_eq!(story.iter().filter(|line| *line == expected).count(), times, "{expected} in {story:#?}");
    }
    modem.close();
}

#[test]
fn a_command_is_one_line_with_its_answer_and_its_time() {
    let (modem, _world) = modem("log-commands", Settings::default(), Config::default());
    modem.wait_ready(SOON).unwrap();
    modem.close();
    let commands = lines("log-commands", "air724ug::command", Level::Debug);
    let signal =
        commands.iter().find(|line| line.starts_with("DEBUG : AT+CSQ: +CSQ: 24,99, OK in ")).unwrap();
    assert!(signal.ends_with('s'), "{signal}");
    assert!(lines("log-commands", "air724ug", Level::Debug).iter().all(|line| !line.starts_with("DEBUG")));
    let bytes = lines("log-commands", "air724ug::bytes", Level::Trace);
    assert!(bytes.iter().any(|line| line == r"TRACE  > AT+CSQ\r\n"), "{bytes:#?}");
}

#[test]
fn no_level_shows_a_secret() {
    let settings = Settings::default().sim(SimCard::Locked { pin: "7391".into() });
    let config = Config::default().pin("7391").apn("internet").apn_credentials("joe", "mellon-77");
    let (modem, _world) = modem("log-secret", settings, config);
    modem.wait_ready(SOON).unwrap();
    modem.command("AT+CSTT?", SOON).unwrap();
    modem.close();
    let mine = all_lines("log-secret");
    assert!(mine.iter().any(|(_, target, line)| target == "air724ug::bytes" && line.contains("AT+CPIN=")));
    for (_, _, line) in mine {
        assert!(!line.contains("7391") && !line.contains("mellon-77"), "{line}");
    }
}

/// The forms in which a faulty module or line repeats a line with a secret.
fn damaged(line: &str, secret: &str) -> Vec<String> {
    let (before, after) = line.split_at(line.find(secret).unwrap() + secret.len() / 2);
    vec![
        line.to_owned(),
        line[1..].to_owned(),
        format!("{before}\0{after}"),
        format!("{}\0{}", &line[..1], &line[1..]),
        line.to_ascii_lowercase(),
        format!("+CREG: 1{line}"),
        format!("+CGEV: NW PDN DEACT 1{line}"),
        format!("+NITZ: 24/07/23,08:35:01+32,0{line}"),
        format!("{line}+CREG: 1"),
        format!("{line}\r\n{line}"),
        format!("+NEWS: {secret}"),
        secret.to_owned(),
        secret[1..].to_ascii_uppercase(),
    ]
}

/// The secret of which four consecutive characters are in the line, in any case and with any NUL in between.
fn shown<'a>(line: &str, secrets: &[&'a str]) -> Option<&'a str> {
    let line = line.replace("\\r", " ").replace("\\n", " ").replace("\\x00", "").replace("\\u{0}", "");
    let line = line.replace('\0', "").to_ascii_lowercase();
    let is_in = |secret: &&&str| {
        let secret = secret.to_ascii_lowercase();
        secret.as_bytes().windows(4).any(|piece| line.contains(std::str::from_utf8(piece).unwrap()))
    };
    secrets.iter().find(is_in).copied()
}

const KEY_LINES: [&str; 3] = [
    "MIIEvwIBADANBgkqhkiG9w0BAQEFAASCBKkwggSlAgEAAoIBAQC7VJTUt9Us8cKj",
    "MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu",
    "NMoSfm76oqFvAp8Gy0iz5sxjZmSnXyCdPEovGhLa0VzMaQ8s",
];

/// At debug and at trace level.
#[test]
fn no_level_shows_a_secret_that_a_faulty_module_repeats() {
    let name = "log-repeats";
    let (pin, user, password) = ("73914628", "joseph-k", "mellon-77");
    let settings = Settings::default().sim(SimCard::Locked { pin: pin.into() });
    let config = Config::default().pin(pin).apn("internet").apn_credentials(user, password);
    let changes = Changes::default();
    let (modem, world) = altered_modem(name, settings, config, changes.clone());
    modem.wait_ready(SOON).unwrap();
    let events = modem.events();
    let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", KEY_LINES.join("\n"));
    let write = format!("AT+FSWRITE=\"client.key\",0,{},5", key.len());
    modem.command("AT+FSCREATE=\"client.key\"", SOON).unwrap();
    modem.command_with_payload(&write, key.as_bytes(), SOON).unwrap();

    let cpin = format!("AT+CPIN=\"{pin}\"");
    let cstt = format!("AT+CSTT=\"internet\",\"{user}\",\"{password}\"");
    let mut lines = vec![(cpin.as_str(), pin), (cstt.as_str(), user), (cstt.as_str(), password)];
    lines.extend(KEY_LINES.map(|line| (line, line)));
    let secrets: Vec<&str> = lines.iter().map(|(_, secret)| *secret).collect();
    for line in lines.iter().flat_map(|(line, secret)| damaged(line, secret)) {
        // Between two commands, and in the answer to one.
        world.control(Control::Urc(line.clone()));
        world.control(Control::Urc("+NEWS: done".into()));
        let done = |event| matches!(event, Event::Urc(Urc::Unknown(line)) if line == "+NEWS: done");
        while !done(events.recv_timeout(SOON).unwrap()) {}
        changes.lock().unwrap().push_back(("\r\nOK\r\n", format!("\r\n{line}\r\n\r\nOK\r\n")));
        modem.command("AT+CSQ", SOON).ok();
        assert_eq!(changes.lock().unwrap().len(), 0, "the module did not repeat {line:?}");
    }
    // The module refuses a file after the prompt, and sends back its content.
    changes.lock().unwrap().extend([
        ("\r\n> ", "\r\n> \r\nERROR\r\n".to_owned()),
        ("\r\nOK\r\n", format!("{}\r\nERROR\r\n", key.replace('\n', "\r\n"))),
    ]);
    modem.command_with_payload(&write, key.as_bytes(), Duration::from_secs(2)).unwrap_err();
    modem.close();
    assert_eq!(changes.lock().unwrap().len(), 0, "the module did not send back the file");

    let mine = all_lines(name);
    for (level, target, line) in &mine {
        assert_eq!(shown(line, &secrets), None, "{level} {target} {line}");
    }
    for target in ["air724ug::command", "air724ug::urc", "air724ug::bytes"] {
        let masked = mine.iter().filter(|(_, on, line)| on == target && line.contains("**"));
        assert!(masked.count() >= 30, "the module repeats no secret on {target}");
    }
}

#[test]
fn damage_on_the_line_is_a_warning() {
    let (modem, world) = modem("log-damage", quick_start(), Config::default());
    modem.wait_ready(SOON).unwrap();
    let events = modem.events();
    let mut socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    world.control(Control::Urc("+RECEIVE,0,146x:".into()));
    while events.recv_timeout(SOON).unwrap() != Event::Fault(Fault::UnreadableHeader) {}
    socket.read(&mut [0; 5]).unwrap_err();
    modem.close();
    let story = lines("log-damage", "air724ug", Level::Warn);
    let damage = "WARN : the serial line was damaged: a header that can't be read";
    assert_eq!(story.iter().filter(|line| *line == damage).count(), 1, "{story:#?}");
}

#[test]
fn the_log_contains_no_control_characters_of_a_modem() {
    let (modem, world) = modem("log-steer", Settings::default(), Config::default());
    modem.wait_ready(SOON).unwrap();
    let events = modem.events();
    world.control(Control::Urc("+NEWS: \u{1b}[2J\u{7}".into()));
    while !matches!(events.recv_timeout(SOON).unwrap(), Event::Urc(_)) {}
    modem.close();
    let mine = all_lines("log-steer");
    assert!(mine.iter().any(|(_, target, line)| target == "air724ug::urc" && line.contains("+NEWS")));
    for (_, _, line) in mine {
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

#[test]
fn steps_of_recovery_and_gaps_are_logged() {
    let (modem, world) = modem("log-gap", quick_start(), Config::default());
    let supervisor = Supervisor::new(modem.clone(), Policy::default().pause(Duration::from_millis(20)));
    let mut socket = supervisor.tcp("echo.test", 7);
    socket.write_all(b"hello").unwrap();
    socket.read_exact(&mut [0; 5]).unwrap();
    world.control(Control::Reset);
    socket.read(&mut [0; 5]).unwrap_err();
    socket.close().unwrap();
    modem.close();
    let story = lines("log-gap", "air724ug", Level::Info);
    for expected in [
        "WARN : echo.test:7: gap 1 begins: ",
        "INFO : echo.test:7: gap 1 is over after ",
        "INFO : supervisor: connected",
    ] {
        assert!(story.iter().any(|line| line.starts_with(expected)), "{expected} in {story:#?}");
    }
    let story = lines("log-gap", "air724ug", Level::Warn);
    assert!(story.iter().all(|line| !line.contains("supervisor: the next attempt")), "{story:#?}");
}
