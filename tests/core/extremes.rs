//! Extreme settings, and captures to files that accept nothing: their cost, and the limits of their effects.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failing call shall fail the test, also in a helper"
)]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::pair::{ECHO, Pair};
use air724ug::capture::{self, Entry};
use air724ug::diagnosis::Checkup;
use air724ug::proto::{Command, Event, Protocol, Quotable, Request, Response, SocketId};
use air724ug::query::{Ping, Resolve};
use air724ug::sim::{MemoryNetwork, Peer, Settings, Simulator, serve};
use air724ug::{Config, Error, Modem, Received};

/// A limit: the awaited event comes within milliseconds, or the test fails.
const SOON: Duration = Duration::from_secs(30);
/// Durations at and beyond the limits of every clock.
const SPANS: [Duration; 4] =
    [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(u64::MAX / 1_000), Duration::MAX];

fn connect(pair: &mut Pair, protocol: Protocol, timeout: Duration) -> Option<SocketId> {
    let host = Quotable::host(ECHO.0).unwrap();
    match pair.call(Request::Connect { protocol, host, port: ECHO.1, timeout }) {
        Ok(Response::Connected(socket)) => Some(socket),
        Err(Error::Timeout { .. } | Error::NotReady(_)) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_may_have_any_timeout() {
    for timeout in SPANS {
        let mut pair = Pair::online();
        let forever = timeout > SOON;
        let host = || Quotable::host(ECHO.0).unwrap();
        let in_vain = |answer: &Result<Response, Error>| {
            matches!(answer, Err(Error::Timeout { .. } | Error::NotReady(_)))
        };
        let command = Command::of_user("AT+CSQ", timeout).unwrap();
        for request in [
            Request::WaitReady { timeout },
            Request::Run(command),
            Request::query(&Resolve::new(host().as_str()).unwrap().within(timeout)),
            Request::query(&Ping::new(host().as_str()).unwrap().within(timeout)),
        ] {
            let what = request.summary();
            let answer = pair.call(request);
            assert!(answer.is_ok() || (!forever && in_vain(&answer)), "{what}: {answer:?}");
        }
        assert!(connect(&mut pair, Protocol::Tcp, timeout).is_some() || !forever);
        let socket = pair.channel_open();
        for request in [
            Request::Send { socket, data: b"x".to_vec(), timeout },
            Request::Drain { socket, timeout },
            Request::Flush { socket, timeout },
            Request::Unacknowledged { socket, timeout },
        ] {
            let what = request.summary();
            let answer = pair.call(request);
            assert!(answer.is_ok() || (!forever && in_vain(&answer)), "{what}: {answer:?}");
        }
        let answer = pair.call(Request::Close { socket, timeout });
        assert!(answer.is_ok() || (!forever && in_vain(&answer)), "{answer:?}");
        // The engine still works.
        let socket = pair.channel_open();
        assert_eq!(pair.send(socket, b"hello").unwrap(), 5);
        assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
    }
}

/// A modem on a thread, ready, with a peer that echoes.
fn real_modem(config: Config) -> Modem {
    let mut network = MemoryNetwork::new();
    network.name("echo.test", [10, 1, 0, 1]).serve("echo.test", 7, Peer::echo());
    let (reader, writer, _handle) = serve::in_process(Simulator::new(Settings::default(), network)).unwrap();
    let modem = Modem::start(reader, writer, config).unwrap();
    modem.wait_ready(SOON).unwrap();
    modem
}

#[test]
fn a_call_may_have_any_timeout() {
    let modem = real_modem(Config::default().receive_poll(Duration::MAX));
    for timeout in SPANS {
        let forever = timeout > SOON;
        modem.wait_ready(timeout).unwrap();
        assert!(modem.command("AT", timeout).is_ok() || !forever);
        assert!(modem.tcp().timeout(timeout).connect(("echo.test", 7)).is_ok() || !forever);
        let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
        for set in [socket.set_read_timeout(Some(timeout)), socket.set_write_timeout(Some(timeout))] {
            assert_eq!(set.is_ok(), !timeout.is_zero());
        }
        socket.set_write_timeout(None).unwrap();
        if !forever {
            assert_eq!(socket.recv(timeout).unwrap(), Received::Timeout);
        }
        socket.send(b"hello").unwrap();
        assert_eq!(socket.recv(SOON).unwrap(), Received::Data(b"hello".to_vec()));
        assert!(socket.close_acknowledged(timeout).is_ok() || !forever);
    }
    let checkup = Checkup::default()
        .answer_timeout(Duration::MAX)
        .ready_timeout(Duration::MAX)
        .connect_timeout(Duration::MAX)
        .server("echo.test", 7);
    let diagnosis = modem.diagnose(&checkup);
    assert!(diagnosis.root_cause().is_none(), "{diagnosis}");
    let latency = modem.statistics().commands.latency;
    for part in [f64::NAN, f64::INFINITY, -1.0, 2.0] {
        assert!(latency.quantile(part).is_some());
    }
}

/// A named pipe in the folder for temporary files, removed when this is dropped.
struct Pipe(PathBuf);

impl Pipe {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("air724ug-{name}-{}", std::process::id()));
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        Self(path)
    }

    /// A handle of both ends, so that the driver can open the pipe and the test reads it later.
    fn held(&self) -> std::fs::File {
        std::fs::OpenOptions::new().read(true).write(true).open(&self.0).unwrap()
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// The reason in the event that reports the end of the capture.
fn capture_ended(events: &air724ug::crossbeam_channel::Receiver<Event>) -> String {
    loop {
        if let Event::CaptureEnded(why) = events.recv_timeout(SOON).unwrap() {
            return why;
        }
    }
}

fn echoes(modem: &Modem, data: &[u8]) {
    let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    // Each part fits into the receive window.
    for part in data.chunks(50_000) {
        socket.send(part).unwrap();
        let mut back = vec![0; part.len()];
        (&socket).read_exact(&mut back).unwrap();
        assert!(back == part);
    }
    socket.close().unwrap();
}

#[cfg(unix)]
#[test]
fn a_capture_on_a_pipe_without_a_reader_is_refused_at_once() {
    let pipe = Pipe::new("no-reader");
    let (reader, writer) = (std::io::empty(), std::io::sink());
    let answer = Modem::start(reader, writer, Config::default().capture(&pipe.0));
    let why = answer.unwrap_err().to_string();
    assert!(why.contains("nothing reads from this pipe") && why.contains("no-reader"), "{why}");
}

#[cfg(unix)]
#[test]
fn a_capture_on_an_unread_pipe_ends_without_a_delay_for_the_session() {
    let pipe = Pipe::new("not-drained");
    let mut held = pipe.held();
    let modem = real_modem(Config::default().capture(&pipe.0));
    let events = modem.events();
    echoes(&modem, b"hello");
    // Each byte is recorded in both directions, with four characters each time.
    echoes(&modem, &vec![0; 600_000]);
    let why = capture_ended(&events);
    assert!(why.contains("takes less than is recorded"), "{why}");
    let before = Instant::now();
    let error = modem.flush_capture().unwrap_err().to_string();
    assert!(error.contains("not complete"), "{error}");
    echoes(&modem, b"hello");
    modem.close();
    assert!(before.elapsed() < SOON);
    // The text in the pipe says that the capture is incomplete.
    let (mut text, mut buf) = (Vec::new(), vec![0; 64 * 1024]);
    while !text.windows(21).any(|part| part == b"the capture ends here") || !text.ends_with(b"\n") {
        let count = held.read(&mut buf).unwrap();
        text.extend_from_slice(&buf[..count]);
    }
    let capture = capture::read_own(&text).unwrap();
    assert!(
        matches!(&capture.records.last().unwrap().record.what, Entry::Note(note) if note.contains("ends here"))
    );
}

/// The times of sends with their echoes, of 5 000 bytes each, until nothing more is wanted.
#[cfg(unix)]
fn send_times(modem: &Modem, mut is_wanted: impl FnMut(usize) -> bool) -> Vec<Duration> {
    let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    let data = [0; 5_000];
    let mut times = Vec::new();
    while is_wanted(times.len()) {
        let before = Instant::now();
        socket.send(&data).unwrap();
        times.push(before.elapsed());
        let mut back = [1; 5_000];
        (&socket).read_exact(&mut back).unwrap();
        assert_eq!(back, data);
    }
    times
}

/// The pipe takes 64 KiB. Then a record waits for ever for the reader, whereas a busy machine delays any send.
#[cfg(unix)]
#[test]
fn each_send_takes_its_own_time_while_the_pipe_of_a_capture_fills() {
    let own = send_times(&real_modem(Config::default()), |count| count < 100);
    let pipe = Pipe::new("filling");
    let _held = pipe.held();
    let modem = real_modem(Config::default().capture(&pipe.0));
    let events = modem.events();
    let mut ended_at = None;
    let times = send_times(&modem, |count| {
        if ended_at.is_none() && events.try_iter().any(|event| matches!(event, Event::CaptureEnded(_))) {
            ended_at = Some(count);
        }
        ended_at.is_none_or(|at| count < at + 20)
    });
    // The pipe is full after two sends. Until the capture ends its records wait in memory.
    assert!((50..1_000).contains(&ended_at.unwrap()), "the capture ended after {ended_at:?} sends");
    let slowest = |times: &[Duration]| times.iter().max().copied().unwrap_or_default();
    let limit = (slowest(&own) * 10).max(Duration::from_secs(3));
    assert!(slowest(&times) < limit, "{:?}, and {:?} without a capture", slowest(&times), slowest(&own));
    println!(
        "{ended_at:?} of {} sends, the slowest in {:?} ({:?})",
        times.len(),
        slowest(&times),
        slowest(&own)
    );
}

#[cfg(unix)]
#[test]
fn a_full_disk_under_a_capture_is_reported_and_the_session_goes_on() {
    let modem = real_modem(Config::default().capture("/dev/full"));
    let error = modem.flush_capture().unwrap_err().to_string();
    assert!(error.contains("No space left"), "{error}");
    echoes(&modem, b"hello");
    modem.close();
    assert!(modem.flush_capture().is_err(), "the error remains");
}

/// The capture of a session.
fn recorded(name: &str, end: impl FnOnce(Modem)) -> Vec<u8> {
    let path = std::env::temp_dir().join(format!("air724ug-{name}-{}", std::process::id()));
    let modem = real_modem(Config::default().capture(&path));
    modem.flush_capture().unwrap();
    assert!(is_whole(&path));
    assert_eq!(modem.command("AT+CSQ", SOON).unwrap().len(), 1);
    end(modem);
    assert!(is_whole(&path));
    let text = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    text
}

fn is_whole(path: &Path) -> bool {
    capture::load_own(path).is_ok()
}

#[test]
fn a_closed_or_dropped_modem_leaves_a_complete_capture() {
    for (name, end) in
        [("closed", (|modem: Modem| modem.close()) as fn(Modem)), ("dropped", |modem: Modem| drop(modem))]
    {
        let text = recorded(name, end);
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(text.contains("AT+CSQ") && text.contains("+CSQ: 24,99"), "{text}");
    }
}
