//! The effect of the application's calls on the line, and their behaviour when the line is stuck.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // A failing io call shall fail the test, also in a helper.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::driver::{SOON, Terminal, all_asleep, eventually, memory, named};
use air724ug::sim::{MemoryNetwork, Settings, Simulator, fault, serve};
use air724ug::{Config, Error, Event, Modem, NotReady, Received};
use crossbeam_channel::{Receiver, Sender, bounded};

const SHORT: Duration = Duration::from_millis(100);
/// A call may end this long after its time-out.
const MARGIN: Duration = Duration::from_secs(1);

#[track_caller]
fn timed<T>(call: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = call();
    let took = began.elapsed();
    assert!(took >= SHORT && took < SHORT + MARGIN, "it took {took:?}");
    result
}

/// The bytes that were written to the modem.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// A writer half that records the bytes, and can block.
struct Gate<W> {
    inner: W,
    written: Written,
    /// If set, a write waits for a permit.
    permits: Option<Receiver<()>>,
    shut: Receiver<Receiver<()>>,
}

/// A writer whose next write blocks until the sender of permits is dropped.
fn gate<W: Write>(inner: W) -> (Gate<W>, Written, Sender<Receiver<()>>) {
    let written = Written::default();
    let (shut, shutting) = bounded(1);
    (Gate { inner, written: written.clone(), permits: None, shut: shutting }, written, shut)
}

impl<W: Write> Write for Gate<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.permits = self.shut.try_recv().ok().or(self.permits.take());
        if let Some(permits) = &self.permits {
            let _ = permits.recv();
            self.permits = None;
        }
        // The modem may answer, and the test look here, before this thread runs on: the list is locked over the write.
        let mut written = self.written.0.lock().unwrap();
        let count = self.inner.write(bytes)?;
        written.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A modem over two halves, the bytes written to it, and the means to block its writer.
struct Halves {
    modem: Modem,
    written: Written,
    shut: Sender<Receiver<()>>,
    sim: serve::Handle<MemoryNetwork>,
}

impl Halves {
    fn new(config: Config) -> Self {
        let (reader, writer, sim) = serve::in_process(Simulator::new(Settings::default(), memory())).unwrap();
        let (writer, written, shut) = gate(writer);
        let modem = Modem::start(reader, writer, config).unwrap();
        modem.wait_ready(SOON).unwrap();
        Self { modem, written, shut, sim }
    }

    /// Blocks the writer from the next write on, until the return value is dropped.
    fn block(&self) -> Sender<()> {
        let (open, permits) = bounded(0);
        self.shut.send(permits).unwrap();
        open
    }
}

#[test]
fn values_that_would_break_a_command_are_refused_before_a_write() {
    let halves = Halves::new(Config::default());
    let before = halves.written.len();
    let long = "x".repeat(2000);
    for host in ["", "a\"b", "a\r\nAT", "a b", "a\0", "ümlaut.de", "a,b", "\u{201c}a\u{201d}", &long] {
        let error = halves.modem.tcp().connect((host, 80)).unwrap_err();
        assert!(matches!(error, Error::InvalidInput { what: "host", .. }), "{host:?}: {error:?}");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
    let error = halves.modem.tcp().connect(("example.com", 0)).unwrap_err();
    assert!(matches!(error, Error::InvalidInput { what: "port", .. }));
    for text in [
        "",
        "CSQ",
        "AT\r",
        "AT+CSQ\r\nAT+CFUN=0",
        "AT\u{1a}",
        "ATE1",
        "AT+CIPSEND=0,5",
        "ATD112;",
        "+++",
        &long,
    ] {
        let error = halves.modem.command(text, SOON).unwrap_err();
        assert!(matches!(error, Error::InvalidInput { what: "command", .. }), "{text:?}: {error:?}");
    }
    assert_eq!(halves.written.len(), before);
    assert_eq!(halves.modem.command("AT+CSQ", SOON).unwrap(), ["+CSQ: 24,99"]);
    assert_eq!(halves.written.text()[before..], *"AT+CSQ\r\n");
}

#[test]
fn a_configuration_that_would_break_a_command_opens_no_port() {
    let long = "x".repeat(101);
    let bad = [
        Config::default().apn(""),
        Config::default().apn("a\"b"),
        Config::default().apn("a\r\n"),
        Config::default().apn(&*long),
        Config::default().apn("a").apn_credentials("", "p"),
        Config::default().apn("a").apn_credentials("u", "p\"q"),
        Config::default().pin("123"),
        Config::default().pin("123456789"),
        Config::default().pin("12a4"),
        Config::default().pin("1234\r"),
        Config::default().baud_rate(0),
        Config::default().receive_window(100),
        Config::default().receive_poll(Duration::ZERO),
    ];
    for config in bad {
        let (reader, _peer) = io::pipe().unwrap();
        let (writer, written, _) = gate(io::sink());
        let error = Modem::start(reader, writer, config.clone()).unwrap_err();
        assert!(matches!(error, Error::InvalidInput { .. }), "{config:?}: {error:?}");
        let error = Modem::open("/dev/no-such-port", config).unwrap_err();
        assert!(matches!(error, Error::InvalidInput { .. }), "the error came from the port: {error:?}");
        assert_eq!(written.len(), 0);
    }
}

/// Checks that every call that waits for the module ends at its own time-out.
fn assert_calls_end_in_time(modem: &Modem, socket: &air724ug::Socket) {
    let error = timed(|| modem.command("AT+COPS?", SHORT)).unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    let error = timed(|| modem.tcp().timeout(SHORT).connect(("echo.test", 7))).unwrap_err();
    assert!(matches!(error, Error::Timeout { .. } | Error::NotReady(_)), "{error:?}");
    socket.set_write_timeout(Some(SHORT)).unwrap();
    let error = timed(|| socket.send(&[1; 3000])).unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert_eq!(timed(|| socket.recv(SHORT)).unwrap(), Received::Timeout);
    // A call that needs no module returns at once.
    modem.identity().unwrap();
    assert!(modem.is_ready());
}

#[test]
fn calls_end_in_time_while_the_writer_half_blocks_and_input_is_still_read() {
    let halves = Halves::new(Config::default());
    let echo = halves.modem.tcp().connect(("echo.test", 7)).unwrap();
    let socket = halves.modem.tcp().connect(("discard.test", 9)).unwrap();
    let events = halves.modem.events();
    let open = halves.block();
    assert_calls_end_in_time(&halves.modem, &socket);
    // Unsolicited lines are read although nothing can be written.
    let push = |sim: &mut Simulator<MemoryNetwork>| {
        let (link, _) = sim.network().links().next().unwrap();
        sim.network_mut().push(link, b"news");
    };
    halves.sim.with(push).unwrap();
    assert_eq!(echo.recv(SOON).unwrap(), Received::Data(b"news".to_vec()));
    assert!(events.try_iter().any(|event| matches!(event, Event::Urc(_))));
    drop(open);
    assert_eq!(halves.modem.command("AT+CSQ", SOON).unwrap(), ["+CSQ: 24,99"]);
}

#[test]
fn closing_ends_in_time_while_the_writer_half_blocks() {
    let halves = Halves::new(Config::default());
    let open = halves.block();
    let modem = halves.modem.clone();
    let waiter = named("w-blocked", move || modem.command("AT+CSQ", SOON * 10));
    all_asleep("w-blocked", 1);
    let began = Instant::now();
    halves.modem.close();
    assert!(matches!(waiter.join().unwrap(), Err(Error::PortLost(_))));
    assert!(began.elapsed() < Duration::from_secs(3));
    drop(open);
}

#[test]
fn calls_on_a_terminal_without_a_reader_end_at_their_timeouts() {
    let pty = serve::Pty::open().unwrap();
    let modem = Modem::open(pty.path().display().to_string(), Config::default()).unwrap();
    let error = timed(|| modem.wait_ready(SHORT)).unwrap_err();
    assert!(matches!(error, Error::NotReady(NotReady::NoAnswer)), "{error:?}");
    let error = timed(|| modem.tcp().timeout(SHORT).connect(("example.com", 80))).unwrap_err();
    assert!(matches!(error, Error::NotReady(NotReady::NoAnswer)), "{error:?}");
    let error = timed(|| modem.command("AT+CSQ", SHORT)).unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert!(matches!(modem.identity(), Err(Error::NotReady(_))));
    assert!(matches!(modem.local_ip(), Err(Error::NotReady(_))));
    assert_eq!(modem.not_ready(), Some(NotReady::NoAnswer));
}

/// Kinds of faulty halves.
enum Bad {
    Panics,
    Fails,
    TakesNothing,
}

impl Write for Bad {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match self {
            Self::Panics => panic!("the test wants a panic"),
            Self::Fails => Err(io::Error::other("the test wants an error")),
            Self::TakesNothing => Ok(0),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Bad {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.write(&[])
    }
}

#[test]
fn a_half_that_fails_or_panics_is_a_lost_port() {
    for bad in [Bad::Panics, Bad::Fails, Bad::TakesNothing] {
        let (reader, _peer) = io::pipe().unwrap();
        let modem = Modem::start(reader, bad, Config::default()).unwrap();
        assert!(matches!(modem.wait_ready(SOON * 10), Err(Error::PortLost(_))));
    }
    for bad in [Bad::Panics, Bad::Fails, Bad::TakesNothing] {
        let modem = Modem::start(bad, io::sink(), Config::default()).unwrap();
        assert!(matches!(modem.wait_ready(SOON * 10), Err(Error::PortLost(_))));
    }
}

/// A simulated module on two pipes that answers `OK` to every command.
fn yes_sayer(mut commands: PipeReader, mut answers: PipeWriter) {
    let mut buf = [0; 1000];
    while let Ok(count @ 1..) = commands.read(&mut buf) {
        let lines = buf[..count].iter().filter(|byte| **byte == b'\n').count();
        if answers.write_all("\r\nOK\r\n".repeat(lines).as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn calls_end_in_time_with_a_module_that_answers_only_ok() {
    let (commands, to_module) = io::pipe().unwrap();
    let (from_module, answers) = io::pipe().unwrap();
    thread::spawn(move || yes_sayer(commands, answers));
    let modem = Modem::start(from_module, to_module, Config::default()).unwrap();
    let error = timed(|| modem.wait_ready(SHORT)).unwrap_err();
    assert!(matches!(error, Error::NotReady(_)), "{error:?}");
}

#[test]
fn over_a_terminal_a_late_answer_is_not_taken_for_the_next_hundred_commands() {
    const IMEI: &str = "860000000000009";
    let capture = std::env::temp_dir().join(format!("air724ug-late-answer-{}", std::process::id()));
    let terminal = Terminal::with(Settings::default(), memory());
    let modem = terminal.modem(Config::default().capture(&capture));
    // The capture is written by another thread.
    let answers = || {
        modem.flush_capture().unwrap();
        std::fs::read_to_string(&capture).unwrap().matches(IMEI).count()
    };
    let before = answers();
    // Later than the call may end.
    terminal.fault(fault::DetachedAnswer { command: 0, by: SHORT + MARGIN * 2 });
    assert!(matches!(timed(|| modem.command("AT+CGSN", SHORT)), Err(Error::Timeout { .. })));
    assert_eq!(answers(), before);
    let (mut asked, mut wrong, mut doubtful) = (0, Vec::new(), 0);
    // Commands follow without a pause, so that the late answer comes among them. A hundred more follow.
    let mut ask = |text: &str, answer: &str| {
        match modem.command(text, SOON) {
            Ok(lines) if lines == [answer] => {}
            // The command in flight when the late answer comes may fail, because its own answer can't be distinguished.
            Err(Error::Unexpected(_)) => doubtful += 1,
            result => wrong.push((text.to_owned(), result)),
        }
    };
    let mut left = 100;
    eventually("a hundred commands after the late answer", || {
        ask("AT+CSQ", "+CSQ: 24,99");
        ask("AT+CGSN", IMEI);
        asked += 1;
        left -= i32::from(answers() > before + asked);
        left == 0
    });
    assert!(wrong.is_empty() && doubtful <= 1, "{doubtful} doubtful, {wrong:?}");
    std::fs::remove_file(capture).unwrap();
}

#[test]
fn a_capture_with_a_limit_continues_in_new_files() {
    let folder = std::env::temp_dir().join(format!("air724ug-limit-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let capture = folder.join("a.capture");
    let terminal = Terminal::with(Settings::default(), memory());
    let modem = terminal.modem(Config::default().capture(&capture).capture_limit(600));
    modem.wait_ready(SOON).unwrap();
    let second = folder.join("a.capture.2");
    eventually("a second file is full", || {
        modem.command("AT+CSQ", SOON).unwrap();
        modem.flush_capture().unwrap();
        second.exists()
    });
    modem.close();
    assert!(capture.exists());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn all_subscribers_get_the_same_events_in_the_same_order() {
    let terminal = Terminal::with(Settings::default(), memory());
    let modem = Modem::open(&terminal.path, Config::default()).unwrap();
    let (first, second, left) = (modem.events(), modem.events(), modem.events());
    drop(left);
    modem.wait_ready(SOON).unwrap();
    let socket = modem.tcp().connect(("bye.test", 1)).unwrap();
    while socket.recv(SOON).is_ok() {}
    modem.close();
    let first: Vec<Event> = first.iter().collect();
    assert_eq!(first, second.iter().collect::<Vec<_>>());
    let place = |what: fn(&Event) -> bool| first.iter().position(what).unwrap();
    let ready = place(|event| matches!(event, Event::Ready(Some(_))));
    let connected = place(|event| matches!(event, Event::Connected(_)));
    let closed = place(|event| matches!(event, Event::Closed(..)));
    assert!(ready < connected && connected < closed);
    assert_eq!(first.last(), Some(&Event::PortLost));
}

#[test]
fn the_queries_of_the_modem_are_answered() {
    let terminal = Terminal::with(Settings::default(), memory());
    let modem = terminal.modem(Config::default());
    assert!(modem.is_ready() && modem.not_ready().is_none());
    modem.wait_ready(Duration::ZERO).unwrap();
    assert_eq!(modem.identity().unwrap().imei, "860000000000009");
    assert_eq!(modem.signal_quality().unwrap().dbm(), Some(-65));
    assert!(modem.registration().unwrap().is_registered());
    assert_eq!(modem.local_ip().unwrap().octets(), [10, 83, 172, 111]);
    let error = modem.command("AT+NONSENSE", SOON).unwrap_err();
    assert!(matches!(&error, Error::Refused { command, .. } if &**command == "AT+NONSENSE"), "{error:?}");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    let error = modem.tcp().connect(("refuse.test", 1)).unwrap_err();
    assert!(matches!(error, Error::ConnectFailed(_)), "{error:?}");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    let error = timed(|| modem.tcp().timeout(SHORT).connect(("silent.test", 1))).unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert_eq!(modem.command("AT+CSQ", SOON).unwrap(), ["+CSQ: 24,99"]);
}
