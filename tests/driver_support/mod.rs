//! A simulated modem on a real pseudo-terminal with this machine's network behind it, and servers for it to reach.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used)] // A failing io call shall fail the test, also in a helper.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use air724ug::sim::{Control, HostNetwork, Settings, Simulator, serve};
use air724ug::{Config, Modem, ReceiveMode, Socket};

/// A ceiling: what is waited for comes at once, or the test fails.
pub const SOON: Duration = Duration::from_secs(20);

/// Both receive modes.
pub const MODES: [ReceiveMode; 2] = [ReceiveMode::Push, ReceiveMode::Manual];

/// A simulated modem that serves a pseudo-terminal on a thread of its own; hung up when this is dropped.
pub struct Terminal {
    pub path: String,
    pub remote: serve::Remote,
    served: Option<JoinHandle<io::Result<()>>>,
}

impl Terminal {
    pub fn new(settings: Settings) -> Self {
        let pty = serve::Pty::open().unwrap();
        let path = pty.path().display().to_string();
        let (remote, inbox) = serve::remote().unwrap();
        let modem = Simulator::new(settings, HostNetwork::new());
        let served = thread::Builder::new().name("sim".into()).spawn(move || serve::run(modem, pty, inbox));
        Self { path, remote, served: Some(served.unwrap()) }
    }

    /// Opens the terminal like any port; a modem that is ready.
    pub fn modem(&self, config: Config) -> Modem {
        let modem = Modem::open(&self.path, config).unwrap();
        modem.wait_ready(SOON).unwrap();
        modem
    }

    /// The port vanishes, and is gone when this returns.
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

/// A server that does this with every connection, each on a thread of its own.
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

/// A server that takes everything and says nothing.
pub fn silent_server() -> SocketAddr {
    server(|mut stream| drop(io::copy(&mut stream, &mut io::sink())))
}

/// A server that says this, and then waits for the end.
pub fn talking_server(text: &'static [u8]) -> SocketAddr {
    server(move |mut stream| {
        if stream.write_all(text).is_ok() {
            drop(io::copy(&mut stream, &mut io::sink()));
        }
    })
}

pub fn connect(modem: &Modem, server: SocketAddr) -> Socket {
    modem.tcp().connect(&server.ip().to_string(), server.port()).unwrap()
}

/// Bytes that look like none other.
pub fn noise(len: usize, mut seed: u32) -> Vec<u8> {
    let mut next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// How many bytes are equal from the start.
pub fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The threads of this process, by name.
pub fn threads() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect();
    names.sort();
    names
}

/// Waits until something is so: for what other threads do soon, and no call waits for.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < SOON, "waited in vain: {what}");
        thread::yield_now();
    }
}
