//! The simulated modem in this process and on a pseudo-terminal, with real sockets as its network.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // A failing io call shall fail the test, also in a helper.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use air724ug::sim::{Control, HostNetwork, MemoryNetwork, Network, Peer, Settings, Simulator, serve};

/// A server that echoes, for any number of connections.
fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || echo(stream.unwrap()));
        }
    });
    address
}

fn echo(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

fn quiet() -> Settings {
    Settings::default().echo(false)
}

/// A program on the modem's line. It writes commands and reads until a text has come.
struct Program<R, W> {
    reader: R,
    writer: W,
    seen: Vec<u8>,
}

impl<R: Read, W: Write> Program<R, W> {
    fn new(reader: R, writer: W) -> Self {
        Self { reader, writer, seen: Vec::new() }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).unwrap();
    }

    /// Reads until this text has come, and drops all bytes up to its end.
    #[track_caller]
    fn expect(&mut self, text: &str) -> Vec<u8> {
        let mut buffer = [0; 4096];
        loop {
            let found = self.seen.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(at) = found {
                let rest = self.seen.split_off(at + text.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            let count = self.reader.read(&mut buffer).unwrap();
            assert!(count > 0, "the port ended before {text:?}; seen {}", self.seen.escape_ascii());
            self.seen.extend_from_slice(&buffer[..count]);
            let failed = !text.contains("FAIL") && self.seen.ends_with(b"CONNECT FAIL\r\n");
            assert!(!failed, "waited for {text:?}; seen {}", self.seen.escape_ascii());
        }
    }

    fn read_exactly(&mut self, count: usize) -> Vec<u8> {
        let mut buffer = [0; 4096];
        while self.seen.len() < count {
            let got = self.reader.read(&mut buffer).unwrap();
            assert!(got > 0, "the port ended");
            self.seen.extend_from_slice(&buffer[..got]);
        }
        let rest = self.seen.split_off(count);
        std::mem::replace(&mut self.seen, rest)
    }

    fn ask(&mut self, command: &str, answer: &str) {
        self.write(format!("{command}\r\n").as_bytes());
        self.expect(answer);
    }

    fn go_online(&mut self) {
        self.ask("AT+CIPMUX=1", "OK\r\n");
        self.ask("AT+CIPQSEND=1", "OK\r\n");
        self.ask("AT+CSTT;+CIICR", "OK\r\n");
        self.ask("AT+CIFSR", "10.83.172.111\r\n");
    }

    fn send(&mut self, channel: usize, bytes: &[u8]) {
        self.ask(&format!("AT+CIPSEND={channel},{}", bytes.len()), "\r\n> ");
        self.write(bytes);
        self.expect(&format!("\r\nDATA ACCEPT:{channel},{}\r\n", bytes.len()));
    }

    fn receive(&mut self, channel: usize, count: usize) -> Vec<u8> {
        let mut got = Vec::new();
        while got.len() < count {
            self.expect(&format!("\r\n+RECEIVE,{channel},"));
            let length = self.expect(":\r\n");
            let length = std::str::from_utf8(&length[..length.len() - 3]).unwrap();
            got.extend(self.read_exactly(length.parse().unwrap()));
        }
        got
    }
}

/// A modem on a pseudo-terminal, served by a thread, and a program that has opened the terminal.
fn on_a_terminal<N: Network + Send + 'static>(
    modem: Simulator<N>,
) -> (Program<File, File>, serve::Remote, JoinHandle<std::io::Result<()>>) {
    let pty = serve::Pty::open().unwrap();
    let path = pty.path().to_owned();
    let (remote, inbox) = serve::remote().unwrap();
    let served = thread::spawn(move || serve::run(modem, pty, inbox));
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    (Program::new(file.try_clone().unwrap(), file), remote, served)
}

#[test]
fn bytes_reach_a_real_server_and_return_in_process() {
    let server = echo_server();
    let (reader, writer, handle) = serve::in_process(Simulator::new(quiet(), HostNetwork::new())).unwrap();
    let mut program = Program::new(reader, writer);
    program.go_online();
    program.ask(&format!("AT+CIPSTART=3,\"TCP\",\"127.0.0.1\",{}", server.port()), "3, CONNECT OK\r\n");
    program.send(3, b"hello\0\r\nOK\r\n\x1a");
    assert_eq!(program.receive(3, 13), b"hello\0\r\nOK\r\n\x1a");
    assert_eq!(handle.state().unwrap().channels[3].state, "CONNECTED");
    program.ask("AT+CIPCLOSE=3", "3, CLOSE OK\r\n");
    assert_eq!(handle.state().unwrap().channels[3].state, "CLOSED");
}

#[test]
fn a_host_in_the_table_of_names_is_found() {
    let server = echo_server();
    let network = HostNetwork::new().name("broker.test", [127, 0, 0, 1]);
    let (reader, writer, _handle) = serve::in_process(Simulator::new(quiet(), network)).unwrap();
    let mut program = Program::new(reader, writer);
    program.go_online();
    program.ask("AT+CDNSGIP=\"broker.test\"", "+CDNSGIP: 1,\"broker.test\",\"127.0.0.1\"\r\n");
    program.ask(&format!("AT+CIPSTART=0,\"TCP\",\"broker.test\",{}", server.port()), "0, CONNECT OK\r\n");
}

#[test]
fn a_port_without_a_server_refuses_the_connection() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (reader, writer, _handle) = serve::in_process(Simulator::new(quiet(), HostNetwork::new())).unwrap();
    let mut program = Program::new(reader, writer);
    program.go_online();
    program.ask(&format!("AT+CIPSTART=0,\"TCP\",\"127.0.0.1\",{}", closed.port()), "0, CONNECT FAIL\r\n");
}

#[test]
fn a_server_that_closes_is_reported_after_its_last_byte() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"bye").unwrap();
    });
    let (reader, writer, _handle) = serve::in_process(Simulator::new(quiet(), HostNetwork::new())).unwrap();
    let mut program = Program::new(reader, writer);
    program.go_online();
    program.ask(&format!("AT+CIPSTART=0,\"TCP\",\"127.0.0.1\",{port}"), "0, CONNECT OK\r\n");
    program.expect("\r\n+RECEIVE,0,3:\r\nbye\r\n0, CLOSED\r\n");
    server.join().unwrap();
}

#[test]
fn datagrams_reach_a_real_peer_and_return() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = peer.local_addr().unwrap().port();
    let (reader, writer, _handle) = serve::in_process(Simulator::new(quiet(), HostNetwork::new())).unwrap();
    let mut program = Program::new(reader, writer);
    program.go_online();
    program.ask(&format!("AT+CIPSTART=0,\"UDP\",\"127.0.0.1\",{port}"), "0, CONNECT OK\r\n");
    program.send(0, b"ping");
    let mut buffer = [0; 16];
    let (count, from) = peer.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"ping");
    peer.send_to(b"one", from).unwrap();
    peer.send_to(b"three", from).unwrap();
    program.expect("\r\n+RECEIVE,0,3:\r\none\r\n+RECEIVE,0,5:\r\nthree");
}

/// A free port that the system does not hand out: Linux hands out ports from 32768 on, other systems from 49152 on.
fn free_port() -> u16 {
    let begin = 20_000 + (std::process::id() % 10_000) as u16;
    let is_free = |port: &u16| {
        TcpListener::bind(("127.0.0.1", *port)).is_ok() && UdpSocket::bind(("127.0.0.1", *port)).is_ok()
    };
    (begin..32_000).chain(10_000..begin).find(is_free).unwrap()
}

#[cfg(unix)]
#[test]
fn a_real_peer_sees_the_requested_local_port() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (reader, writer, _handle) = serve::in_process(Simulator::new(quiet(), HostNetwork::new())).unwrap();
    let mut program = Program::new(reader, writer);
    let own = free_port();
    program.go_online();
    program.ask("AT+CIPTKA=1,60,30,3", "OK\r\n");
    program.ask(&format!("AT+CLPORT=2,TCP,{own}"), "OK\r\n");
    let port = listener.local_addr().unwrap().port();
    // The same pair of addresses again, directly after its close.
    for _ in 0..2 {
        program.ask(&format!("AT+CIPSTART=2,\"TCP\",\"127.0.0.1\",{port}"), "2, CONNECT OK\r\n");
        let (mut stream, from) = listener.accept().unwrap();
        assert_eq!(from.port(), own);
        stream.write_all(b"to you").unwrap();
        assert_eq!(program.receive(2, 6), b"to you");
        drop(stream);
        program.expect("2, CLOSED\r\n");
    }

    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    program.ask(&format!("AT+CLPORT=3,UDP,{own}"), "OK\r\n");
    let port = peer.local_addr().unwrap().port();
    program.ask(&format!("AT+CIPSTART=3,\"UDP\",\"127.0.0.1\",{port}"), "3, CONNECT OK\r\n");
    program.send(3, b"ping");
    let (_, from) = peer.recv_from(&mut [0; 16]).unwrap();
    assert_eq!(from.port(), own);
}

#[cfg(unix)]
#[test]
fn a_local_port_in_use_fails_the_connect() {
    let (server, taken) = (echo_server(), echo_server());
    let (reader, writer, _handle) = serve::in_process(Simulator::new(quiet(), HostNetwork::new())).unwrap();
    let mut program = Program::new(reader, writer);
    program.go_online();
    program.ask(&format!("AT+CLPORT=2,TCP,{}", taken.port()), "OK\r\n");
    program.ask(&format!("AT+CIPSTART=2,\"TCP\",\"127.0.0.1\",{}", server.port()), "2, CONNECT FAIL\r\n");
}

#[test]
fn a_slow_send_waits_for_the_peer() {
    let server = echo_server();
    let (reader, writer, _handle) = serve::in_process(Simulator::new(quiet(), HostNetwork::new())).unwrap();
    let mut program = Program::new(reader, writer);
    program.ask("AT+CIPMUX=1", "OK\r\n");
    program.ask("AT+CIPQSEND=2", "OK\r\n");
    program.ask("AT+CSTT;+CIICR", "OK\r\n");
    program.ask("AT+CIFSR", "10.83.172.111\r\n");
    program.ask(&format!("AT+CIPSTART=0,\"TCP\",\"127.0.0.1\",{}", server.port()), "0, CONNECT OK\r\n");
    program.ask("AT+CIPSEND=0,2", "\r\n> ");
    program.write(b"hi");
    program.expect("0, SEND OK\r\n");
}

#[test]
fn a_host_that_does_not_read_stops_the_peer_with_bounded_memory() {
    let mut network = MemoryNetwork::new();
    network.serve("source.test", 1, Peer::source(64 << 20).close_when_sent());
    let (reader, writer, handle) = serve::in_process(Simulator::new(quiet(), network)).unwrap();
    let mut program = Program::new(reader, writer);
    program.go_online();
    program.ask("AT+CIPSTART=0,\"TCP\",\"source.test\",1", "0, CONNECT OK\r\n");
    // The program does not read. The modem still answers through its handle, and its link is open.
    assert_eq!(handle.state().unwrap().channels[0].state, "CONNECTED");
    let mut place = 0;
    for _ in 0..1000 {
        let data = program.receive(0, 1460);
        for byte in data {
            assert_eq!(byte, Peer::source_byte(place));
            place += 1;
        }
    }
    assert_eq!(handle.state().unwrap().channels[0].state, "CONNECTED");
}

#[test]
fn a_hang_up_is_the_end_of_the_reader() {
    let (mut reader, mut writer, handle) =
        serve::in_process(Simulator::new(quiet(), MemoryNetwork::new())).unwrap();
    handle.control(Control::HangUp);
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"");
    assert!((0..100).any(|_| writer.write(b"AT\r\n").is_err()), "no write fails on the closed port");
    assert!(handle.state().is_none());
}

#[test]
fn dropping_the_writer_is_the_end_of_the_reader() {
    let (mut reader, writer, _handle) =
        serve::in_process(Simulator::new(quiet(), MemoryNetwork::new())).unwrap();
    drop(writer);
    assert_eq!(reader.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn a_program_can_close_and_open_the_terminal() {
    let server = echo_server();
    let mut pty = serve::Pty::open().unwrap();
    let link = std::env::temp_dir().join(format!("air724ug-sim-{}", std::process::id()));
    pty.link(&link).unwrap();
    let (remote, inbox) = serve::remote().unwrap();
    let modem = Simulator::new(quiet(), HostNetwork::new());
    let served = thread::spawn(move || serve::run(modem, pty, inbox));
    let open = || {
        let file = OpenOptions::new().read(true).write(true).open(&link).unwrap();
        Program::new(file.try_clone().unwrap(), file)
    };
    let mut program = open();
    program.go_online();
    drop(program);
    let mut program = open();
    program.ask(&format!("AT+CIPSTART=7,\"TCP\",\"127.0.0.1\",{}", server.port()), "7, CONNECT OK\r\n");
    program.send(7, b"over a terminal \x03\x04\x11\x13\x1a\x7f\r\n");
    assert_eq!(program.receive(7, 24), b"over a terminal \x03\x04\x11\x13\x1a\x7f\r\n");
    assert!(remote.send(Control::HangUp));
    served.join().unwrap().unwrap();
    assert!(!link.exists() && link.symlink_metadata().is_err(), "the link is removed");
}

#[test]
fn a_terminal_carries_every_byte_in_order() {
    const TOTAL: u64 = 8 << 20;
    let mut network = MemoryNetwork::new();
    network.serve("source.test", 1, Peer::source(TOTAL).close_when_sent());
    let (mut program, remote, served) = on_a_terminal(Simulator::new(quiet(), network));
    program.go_online();
    program.ask("AT+CIPSTART=0,\"TCP\",\"source.test\",1", "0, CONNECT OK\r\n");
    let mut place = 0;
    while place < TOTAL {
        for byte in program.receive(0, 1460.min((TOTAL - place) as usize)) {
            assert_eq!(byte, Peer::source_byte(place), "byte {place}");
            place += 1;
        }
    }
    program.expect("0, CLOSED\r\n");
    remote.send(Control::HangUp);
    served.join().unwrap().unwrap();
}

#[test]
fn a_link_never_replaces_a_file() {
    let path = std::env::temp_dir().join(format!("air724ug-file-{}", std::process::id()));
    std::fs::write(&path, "precious").unwrap();
    let mut pty = serve::Pty::open().unwrap();
    assert!(pty.link(&path).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_link_to_a_running_modem_is_kept_and_a_dangling_link_is_replaced() {
    let folder = Folder::new("taken");
    let link = folder.0.join("modem");
    let mut first = serve::Pty::open().unwrap();
    first.link(&link).unwrap();
    let path = first.path().to_owned();
    let mut second = serve::Pty::open().unwrap();
    let error = second.link(&link).unwrap_err();
    assert_eq!(error.to_string(), format!("it leads to {}, which another program serves", path.display()));
    assert_eq!(std::fs::read_link(&link).unwrap(), path);
    drop(first);
    std::os::unix::fs::symlink(folder.0.join("gone"), &link).unwrap();
    second.link(&link).unwrap();
    assert_eq!(std::fs::read_link(&link).unwrap(), second.path());
}

/// A folder that is removed when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("air724ug-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// A modem with a link in this folder.
    fn modem(&self, link: &str) -> (serve::Remote, JoinHandle<std::io::Result<()>>) {
        let mut pty = serve::Pty::open().unwrap();
        pty.link(self.0.join(link)).unwrap();
        let (remote, inbox) = serve::remote().unwrap();
        let modem = Simulator::new(quiet(), MemoryNetwork::new());
        (remote, thread::spawn(move || serve::run(modem, pty, inbox)))
    }

    /// The names of the files in this folder.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[test]
fn a_port_with_an_impossible_new_name_comes_back_under_the_old_one() {
    let folder = Folder::new("replug");
    std::fs::write(folder.0.join("file"), "precious").unwrap();
    let (other, other_served) = folder.modem("other");
    let theirs = std::fs::read_link(folder.0.join("other")).unwrap();
    let (remote, served) = folder.modem("modem");
    let long = "x".repeat(4_000);
    for name in ["file", "other", "..", ".", "", "a/b", "/", "\0", &long] {
        assert!(remote.send(Control::Unplug) && remote.state().is_some());
        assert_eq!(folder.names(), ["file", "other"], "{name:?}");
        assert!(remote.send(Control::Replug(Some(name.to_owned()))));
        assert!(remote.state().is_some(), "the modem has ended: {name:?}");
        assert_eq!(folder.names(), ["file", "modem", "other"], "{name:?}");
    }
    assert_eq!(std::fs::read_to_string(folder.0.join("file")).unwrap(), "precious");
    assert_eq!(std::fs::read_link(folder.0.join("other")).unwrap(), theirs, "another modem's port");
    assert!(remote.send(Control::Unplug) && remote.send(Control::Replug(Some("third".to_owned()))));
    assert!(remote.state().is_some());
    assert_eq!(folder.names(), ["file", "other", "third"]);
    for (remote, served) in [(remote, served), (other, other_served)] {
        assert!(remote.send(Control::HangUp));
        served.join().unwrap().unwrap();
    }
}

#[test]
fn a_new_name_is_a_file_name_and_belongs_to_one_modem() {
    let (first, _inbox) = serve::remote().unwrap();
    let (second, _other_inbox) = serve::remote().unwrap();
    let remotes = [first, second];
    let long = format!("0 replug {}", "x".repeat(300));
    for order in ["0 replug ..", "0 replug .", "0 replug a/b", "0 replug /", "0 replug \0", &long] {
        let said = serve::obey(&remotes, order);
        assert!(said.starts_with("error: ") && said.contains("replug modem2"), "{order:?}: {said}");
    }
    let said = serve::obey(&remotes, "replug same");
    assert_eq!(said, "error: a name is for one modem; write its number in front, as in 0 replug same");
    for order in ["0 replug same", "replug", "unplug", "1 replug name with spaces"] {
        assert_eq!(serve::obey(&remotes, order), "ok", "{order}");
    }
    assert_eq!(serve::obey(&remotes[..1], "replug same"), "ok");
}

#[test]
fn an_order_of_the_longest_length_is_accepted_and_a_longer_one_refused() {
    let (remote, _inbox) = serve::remote().unwrap();
    for (len, ended) in
        [(4_095, true), (4_096, true), (4_097, true), (4_096, false), (4_097, false), (9_999, false)]
    {
        let mut text = "x".repeat(len);
        text.push_str(if ended { "\nhelp" } else { "" });
        let mut answers = Vec::new();
        let remotes = std::slice::from_ref(&remote);
        let keep = |answer: &str| {
            answers.push(answer.to_owned());
            Ok(())
        };
        serve::converse(remotes, text.as_bytes(), keep).unwrap();
        let refused = answers[0] == "error: an order has at most 4096 bytes";
        assert_eq!(refused, len > 4_096, "{len}: {answers:?}");
        assert_eq!(answers.len(), 1 + usize::from(ended), "{len}: {answers:?}");
    }
}

#[test]
fn orders_over_a_unix_socket_reach_the_named_modem() {
    let (first, first_inbox) = serve::remote().unwrap();
    let (second, second_inbox) = serve::remote().unwrap();
    let running = [first_inbox, second_inbox].map(|inbox| {
        let modem = Simulator::new(quiet(), MemoryNetwork::new());
        let pty = serve::Pty::open().unwrap();
        thread::spawn(move || serve::run(modem, pty, inbox))
    });
    let path = std::env::temp_dir().join(format!("air724ug-console-{}", std::process::id()));
    let console = serve::Console::listen(&path, vec![first, second]).unwrap();
    assert!(serve::Console::listen(&path, Vec::new()).is_err(), "another console listens there");
    let stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
    let mut program = Program::new(stream.try_clone().unwrap(), stream);
    program.write(b"1 sim remove\n");
    program.expect("ok\n\n");
    program.write(b"state\r\n");
    let states = String::from_utf8(program.expect("\n\n")).unwrap();
    assert!(states.contains("modem 0: listening, SIM READY"), "{states}");
    assert!(states.contains("modem 1: listening, SIM no card"), "{states}");
    program.write(b"2 state\nfault explode\nhelp\n");
    program.expect("error: there are 2 modems, counted from 0\n\n");
    program.expect("error: there is no fault \"explode\"");
    program.expect("net down | net up");
    // An invalid order is an error, and the connection stays open.
    let mut long = b"0 urc ".to_vec();
    long.extend([b'x'; 100_000]);
    program.write(&long);
    program.write(b"\n");
    program.expect("error: an order has at most 4096 bytes\n\n");
    program.write(b"urc \xff\n\r\nclose 8\nclose 7\n");
    program.expect("error: an order is UTF-8\n\n");
    program.expect("error: \"8\" is no channel, they are 0 to 7; write close 3\n\n");
    program.expect("ok\n\n");
    program.write(b"hang up\n");
    program.expect("ok\n\n");
    for modem in running {
        modem.join().unwrap().unwrap();
    }
    program.write(b"0 state\n");
    program.expect("does not run\n\n");
    drop(console);
    assert!(!path.exists(), "the console has left the file of its socket");
}
