//! The simulator's speed, which must not limit a test at 3 Mbaud: measured through one socket, without I/O, in process
//! and on a pseudo-terminal, for sending, receiving and both at once.
//!
//! ```sh
//! cargo bench --bench simulator
//! ```
//!
//! prints the figures in `docs/simulator.md`, with the 300 000 bytes a second of 3 Mbaud. They are for readers; the
//! bench fails only if bytes are missing.
#![allow(clippy::unwrap_used, reason = "a failing io call shall end the measurement")]

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use air724ug::sim::{FullBuffer, MemoryNetwork, Peer, Settings, Simulator, VirtualHost, serve};

/// The bytes a second of a line of 3 Mbaud, with ten bits for a byte.
const NEEDED: f64 = 300_000.0;
const CHUNK: usize = 1460;
/// The payload in each direction.
const AMOUNT: usize = 2_000 * CHUNK;

fn report(what: &str, bytes: usize, took: Duration) {
    let rate = bytes as f64 / took.as_secs_f64();
    println!("{what}: {:.1} MB/s, {:.0} x 3 Mbaud", rate / 1e6, rate / NEEDED);
}

/// A module that waits when its send buffer is full: by default it prints `ERROR` instead of the prompt when a busy
/// machine delays the reads of the peer.
fn quiet() -> Settings {
    Settings::default().echo(false).full_buffer(FullBuffer::Wait)
}

fn main() {
    without_io();
    on_a_thread();
    #[cfg(unix)]
    terminal::measure();
}

fn without_io() {
    let mut network = MemoryNetwork::new();
    network.serve("discard.test", 9, Peer::discard());
    network.serve("source.test", 1, Peer::source(AMOUNT as u64));
    let mut host = VirtualHost::new(Simulator::new(quiet(), network));
    host.write(b"AT+CIPMUX=1;+CIPQSEND=1;+CSTT;+CIICR\r\n");
    host.write(b"AT+CIFSR\r\nAT+CIPSTART=0,\"TCP\",\"discard.test\",9\r\n");

    let chunk = [b'x'; CHUNK];
    let begun = Instant::now();
    for _ in 0..AMOUNT / CHUNK {
        assert!(host.write(b"AT+CIPSEND=0,1460\r\n").ends_with(b"> "));
        assert!(host.write(&chunk).ends_with(b"DATA ACCEPT:0,1460\r\n"));
    }
    report("without io, sending", AMOUNT, begun.elapsed());

    let begun = Instant::now();
    let received = host.write(b"AT+CIPSTART=1,\"TCP\",\"source.test\",1\r\n");
    assert!(received.len() > AMOUNT);
    report("without io, receiving", AMOUNT, begun.elapsed());
}

fn on_a_thread() {
    let mut network = MemoryNetwork::new();
    network.serve("discard.test", 9, Peer::discard());
    network.serve("source.test", 1, Peer::source(AMOUNT as u64));
    network.serve("echo.test", 7, Peer::echo());
    let (reader, writer, _handle) = serve::in_process(Simulator::new(quiet(), network)).unwrap();
    let target = |name: &str, port: u16| format!("\"TCP\",\"{name}\",{port}");
    measure(
        "in process",
        Program { reader, writer },
        &[target("discard.test", 9), target("source.test", 1), target("echo.test", 7)],
    );
}

/// Sends, receives, and does both at once in transparent mode.
fn measure<R: Read + Send + 'static, W: Write + Send + 'static>(
    door: &str,
    mut program: Program<R, W>,
    targets: &[String; 3],
) {
    program.ask("AT+CIPQSEND=1", "OK\r\n");
    program.ask(&format!("AT+CIPSTART={}", targets[0]), "CONNECT OK\r\n");
    let chunk = [b'x'; CHUNK];
    let begun = Instant::now();
    for _ in 0..AMOUNT / CHUNK {
        program.ask("AT+CIPSEND=1460", "> ");
        program.writer.write_all(&chunk).unwrap();
        program.expect("DATA ACCEPT:1460\r\n");
    }
    report(&format!("{door}, sending with AT+CIPSEND"), AMOUNT, begun.elapsed());

    program.ask("AT+CIPSHUT", "SHUT OK\r\n");
    program.ask("AT+CIPRXF=1", "OK\r\n");
    program.ask("AT+CIPHEAD=0", "OK\r\n");
    let begun = Instant::now();
    program.ask(&format!("AT+CIPSTART={}", targets[1]), "CONNECT OK\r\n");
    program.read(AMOUNT);
    report(&format!("{door}, receiving"), AMOUNT, begun.elapsed());

    program.ask("AT+CIPSHUT", "SHUT OK\r\n");
    program.ask("AT+CIPMODE=1", "OK\r\n");
    program.ask(&format!("AT+CIPSTART={}", targets[2]), "CONNECT\r\n");
    let begun = Instant::now();
    let Program { reader, mut writer } = program;
    let sender = thread::spawn(move || {
        for _ in 0..AMOUNT / CHUNK {
            writer.write_all(&[b'x'; CHUNK]).unwrap();
        }
        writer
    });
    Program { reader, writer: std::io::sink() }.read(AMOUNT);
    report(&format!("{door}, both ways at once"), 2 * AMOUNT, begun.elapsed());
    drop(sender.join().unwrap());
}

/// A program on the modem's line.
struct Program<R, W> {
    reader: R,
    writer: W,
}

impl<R: Read, W: Write> Program<R, W> {
    fn ask(&mut self, command: &str, end: &str) {
        self.writer.write_all(format!("{command}\r\n").as_bytes()).unwrap();
        self.expect(end);
    }

    /// Reads byte by byte until this text has come, so that no later byte is read.
    fn expect(&mut self, end: &str) {
        let mut seen = Vec::new();
        let mut byte = [0; 1];
        while !seen.ends_with(end.as_bytes()) {
            self.reader.read_exact(&mut byte).unwrap();
            seen.push(byte[0]);
            assert!(!seen.ends_with(b"ERROR\r\n"), "waited for {end:?}, saw {}", seen.escape_ascii());
            assert!(seen.len() < 10_000, "waited for {end:?}, saw {}", seen.escape_ascii());
        }
    }

    fn read(&mut self, count: usize) {
        let mut left = count;
        let mut buffer = [0; 16 * 1024];
        while left > 0 {
            let most = left.min(buffer.len());
            let got = self.reader.read(&mut buffer[..most]).unwrap();
            assert!(got > 0, "the port ended");
            left -= got;
        }
    }
}

/// The same through a pseudo-terminal, with servers on this machine.
#[cfg(unix)]
mod terminal {
    use std::fs::OpenOptions;
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::thread;
    use std::time::Instant;

    use air724ug::sim::{HostNetwork, Network, Simulator, serve};

    use super::{AMOUNT, CHUNK, NEEDED, Program, quiet};

    pub(super) fn measure() {
        on_a_pseudo_terminal();
        on_a_line_of_3_mbaud();
    }

    fn on_a_pseudo_terminal() {
        let target = |address: SocketAddr| format!("\"TCP\",\"{}\",{}", address.ip(), address.port());
        let targets = [target(server(discard)), target(server(source)), target(server(echo))];
        let (path, _remote) = terminal(Simulator::new(quiet(), HostNetwork::new()));
        let port = OpenOptions::new().read(true).write(true).open(path).unwrap();
        super::measure(
            "pseudo-terminal",
            Program { reader: port.try_clone().unwrap(), writer: port },
            &targets,
        );
    }

    fn on_a_line_of_3_mbaud() {
        const BYTES: usize = 400 * CHUNK;
        let address = server(source);
        let (path, _remote) = terminal(Simulator::new(quiet().baud(Some(3_000_000)), HostNetwork::new()));
        let port = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let mut program = Program { reader: port.try_clone().unwrap(), writer: port };
        program.ask("AT+CIPMODE=1", "OK\r\n");
        let begun = Instant::now();
        let command = format!("AT+CIPSTART=\"TCP\",\"{}\",{}", address.ip(), address.port());
        program.ask(&command, "CONNECT\r\n");
        program.read(BYTES);
        let rate = BYTES as f64 / begun.elapsed().as_secs_f64();
        println!("a line of 3 Mbaud carries {:.0} bytes a second, {:.3} of its rate", rate, rate / NEEDED);
        assert!(rate < NEEDED * 1.02, "the line is faster than it is: {rate:.0}");
    }

    /// Serves a modem on a terminal; the remote keeps it running.
    fn terminal<N: Network + Send + 'static>(modem: Simulator<N>) -> (std::path::PathBuf, serve::Remote) {
        let pty = serve::Pty::open().unwrap();
        let path = pty.path().to_owned();
        let (remote, inbox) = serve::remote().unwrap();
        thread::spawn(move || serve::run(modem, pty, inbox).unwrap());
        (path, remote)
    }

    fn server(habit: fn(TcpStream)) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                thread::spawn(move || habit(stream.unwrap()));
            }
        });
        address
    }

    fn discard(mut stream: TcpStream) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(1..) = stream.read(&mut buffer) {}
    }

    /// Sends the measured amount, and waits for the end.
    fn source(mut stream: TcpStream) {
        if stream.write_all(&vec![b'y'; AMOUNT]).is_ok() {
            discard(stream);
        }
    }

    fn echo(mut stream: TcpStream) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            if stream.write_all(&buffer[..count]).is_err() {
                return;
            }
        }
    }
}
