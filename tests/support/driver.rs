//! A simulated modem on a real pseudo-terminal with this machine's network, and servers for it.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used)] // A failing io call shall fail the test, also in a helper.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use air724ug::sim::{Control, Fault, HostNetwork, MemoryNetwork, Network, Peer, Settings, Simulator, serve};
use air724ug::{Config, Modem, ReceiveMode, Socket};

/// A limit: the awaited event comes at once, or the test fails.
pub const SOON: Duration = Duration::from_secs(20);

/// Both receive modes.
pub const MODES: [ReceiveMode; 2] = [ReceiveMode::Push, ReceiveMode::Manual];

/// A simulated modem that serves a pseudo-terminal on its own thread; it hangs up when this is dropped.
pub struct Terminal {
    pub path: String,
    pub remote: serve::Remote,
    served: Option<JoinHandle<io::Result<()>>>,
}

impl Terminal {
    /// A modem with this machine's network.
    pub fn new(settings: Settings) -> Self {
        Self::with(settings, HostNetwork::new())
    }

    pub fn with(settings: Settings, network: impl Network + Send + 'static) -> Self {
        let pty = serve::Pty::open().unwrap();
        let path = pty.path().display().to_string();
        let (remote, inbox) = serve::remote().unwrap();
        let modem = Simulator::new(settings, network);
        let served = thread::Builder::new().name("sim".into()).spawn(move || serve::run(modem, pty, inbox));
        Self { path, remote, served: Some(served.unwrap()) }
    }

    /// Opens the terminal like any port. Returns a modem that is ready.
    pub fn modem(&self, config: Config) -> Modem {
        let modem = Modem::open(&self.path, config).unwrap();
        modem.wait_ready(SOON).unwrap();
        modem
    }

    /// Lets a fault strike at the next opportunity.
    pub fn fault(&self, fault: impl Into<Fault>) {
        assert!(self.remote.send(Control::fault(fault)));
    }

    /// Removes the port, and waits until it is gone.
    pub fn hang_up(&mut self) {
        self.remote.send(Control::HangUp);
        if let Some(served) = self.served.take() {
            served.join().unwrap().unwrap();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.remote.send(Control::HangUp);
    }
}

/// A ready modem on a terminal of its own.
pub fn ready(config: Config) -> (Terminal, Modem) {
    let terminal = Terminal::new(Settings::default());
    let modem = terminal.modem(config);
    (terminal, modem)
}

/// A network in memory with hosts for all tests.
pub fn memory() -> MemoryNetwork {
    let mut network = MemoryNetwork::new();
    network
        .serve("echo.test", 7, Peer::echo())
        .serve("discard.test", 9, Peer::discard())
        .serve("refuse.test", 1, Peer::refuse())
        .serve("silent.test", 1, Peer::silent())
        .serve("source.test", 1, Peer::source(1 << 40))
        .serve("hello.test", 1, Peer::discard().greeting(*b"hello"))
        .serve("bye.test", 1, Peer::discard().greeting(*b"hello, and bye").close_when_sent());
    network
}

/// A server that runs this function for every connection, each on its own thread.
pub fn server(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    address
}

/// A server that sends back what it receives.
pub fn echo_server() -> SocketAddr {
    server(|mut stream| {
        let mut buf = [0; 16 * 1024];
        while let Ok(count @ 1..) = stream.read(&mut buf) {
            if stream.write_all(&buf[..count]).is_err() {
                return;
            }
        }
    })
}

/// A server that reads everything and sends nothing.
pub fn silent_server() -> SocketAddr {
    server(|mut stream| drop(io::copy(&mut stream, &mut io::sink())))
}

/// A server that sends this text, and then waits for the end.
pub fn talking_server(text: &'static [u8]) -> SocketAddr {
    server(move |mut stream| {
        if stream.write_all(text).is_ok() {
            drop(io::copy(&mut stream, &mut io::sink()));
        }
    })
}

pub fn connect(modem: &Modem, server: SocketAddr) -> Socket {
    modem.tcp().connect((&server.ip().to_string(), server.port())).unwrap()
}

/// Pseudo-random bytes.
pub fn noise(len: usize, mut seed: u32) -> Vec<u8> {
    let mut next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// The number of equal bytes at the beginning.
pub fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// A file of each thread of this process, with the thread's name.
fn tasks(file: &str) -> Vec<(String, String)> {
    let read = |task: &std::path::Path, file: &str| std::fs::read_to_string(task.join(file)).ok();
    std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| {
            let task = task.ok()?.path();
            Some((read(&task, "comm")?.trim().to_owned(), read(&task, file)?))
        })
        .collect()
}

/// The number of threads whose names begin like this.
pub fn threads(prefix: &str) -> usize {
    tasks("comm").iter().filter(|(name, _)| name.starts_with(prefix)).count()
}

/// The number of times that these threads have gone to sleep so far.
pub fn naps(prefix: &str) -> u64 {
    let count = |status: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.unwrap().trim().parse::<u64>().unwrap()
    };
    tasks("status").iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, status)| count(status)).sum()
}

/// The processor time of these threads so far (`proc(5)`: schedstat, in nanoseconds).
pub fn processor_time(prefix: &str) -> Duration {
    let time = |text: &str| text.split_whitespace().next().unwrap().parse::<u64>().unwrap();
    let named = tasks("schedstat").into_iter().filter(|(name, _)| name.starts_with(prefix));
    Duration::from_nanos(named.map(|(_, text)| time(&text)).sum())
}

/// Waits until `count` threads whose names begin with `prefix` exist and sleep.
pub fn all_asleep(prefix: &str, count: usize) {
    eventually("all are asleep", || {
        let tasks = tasks("status");
        let asleep = |(name, status): &&(String, String)| {
            name.starts_with(prefix) && status.lines().any(|line| line.starts_with("State:\tS"))
        };
        tasks.iter().filter(asleep).count() == count
    });
}

/// A thread with a name.
pub fn named<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    thread::Builder::new().name(name.into()).spawn(run).unwrap()
}

/// Waits for a condition that other threads establish soon, and that has no blocking call.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < SOON, "did not happen: {what}");
        thread::yield_now();
    }
}
