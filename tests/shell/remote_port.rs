//! Ports of serial servers in front of simulated modems: raw TCP, and RFC 2217.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failing call shall fail the test, also in a helper"
)]

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use air724ug::sim::{MemoryNetwork, Peer, Settings, Simulator, serve};
use air724ug::supervisor::{Policy, Supervisor};
use air724ug::{Config, Error, Event, Modem, Received};

/// A limit: the awaited event comes within seconds, or the test fails.
const SOON: Duration = Duration::from_secs(60);
const IAC: u8 = 255;
/// Every byte, and runs of both lengths of the byte that telnet escapes.
const EVERY_BYTE: [&[u8]; 4] =
    [&[IAC], &[IAC, IAC], &[0, IAC, 13, 10, IAC, IAC, IAC, 240], &[1, 250, 251, 253, 255]];

/// A server that serves a new simulated modem to each connection.
struct Server {
    address: String,
    streams: Arc<Mutex<Vec<TcpStream>>>,
    /// The commands and values that the clients have sent.
    settings: Arc<Mutex<Set>>,
}

/// The settings in the order of their arrival.
type Set = Vec<(u8, Vec<u8>)>;

fn modem() -> (serve::Reader, serve::Writer) {
    let mut network = MemoryNetwork::new();
    network.name("echo.test", [10, 1, 0, 1]).serve("echo.test", 7, Peer::echo());
    let (reader, writer, _) = serve::in_process(Simulator::new(Settings::default(), network)).unwrap();
    (reader, writer)
}

impl Server {
    fn start(has_control: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (streams, settings) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<Vec<_>>>::default());
        let (all, set) = (streams.clone(), settings.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                all.lock().unwrap().push(stream.try_clone().unwrap());
                let set = set.clone();
                thread::spawn(move || drop(serve_one(stream, has_control, &set)));
            }
        });
        Self { address, streams, settings }
    }

    /// Closes all connections.
    fn kill(&self) {
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn serve_one(stream: TcpStream, has_control: bool, set: &Mutex<Set>) -> io::Result<()> {
    let (mut from_modem, mut to_modem) = modem();
    let mut out = stream.try_clone()?;
    thread::spawn(move || {
        let mut buf = [0; 1000];
        while let Ok(count @ 1..) = from_modem.read(&mut buf) {
            let doubled = |byte: &u8| if has_control && *byte == IAC { vec![IAC; 2] } else { vec![*byte] };
            let bytes: Vec<u8> = buf[..count].iter().flat_map(doubled).collect();
            if out.write_all(&bytes).is_err() {
                return;
            }
        }
    });
    let mut reply = stream.try_clone()?;
    let mut bytes = io::BufReader::new(stream).bytes();
    let mut next = || bytes.next().unwrap_or(Err(io::ErrorKind::UnexpectedEof.into()));
    loop {
        let byte = next()?;
        if !has_control || byte != IAC {
            to_modem.write_all(&[byte])?;
            continue;
        }
        match next()? {
            IAC => to_modem.write_all(&[IAC])?,
            250 => {
                let mut content = Vec::new();
                loop {
                    match next()? {
                        IAC if next()? == 240 => break,
                        byte => content.push(byte),
                    }
                }
                assert_eq!(content[0], 44);
                set.lock().unwrap().push((content[1], content[2..].to_vec()));
                let mut answer = vec![IAC, 250, 44, content[1] + 100];
                answer.extend(
                    content[2..].iter().flat_map(|byte| vec![*byte; if *byte == IAC { 2 } else { 1 }]),
                );
                answer.extend([IAC, 240]);
                reply.write_all(&answer)?;
            }
            verb => {
                let option = next()?;
                if (verb, option) == (251, 44) {
                    reply.write_all(&[IAC, 253, 44])?;
                }
            }
        }
    }
}

fn main_job(modem: &Modem) {
    modem.wait_ready(SOON).unwrap();
    let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    let all: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    for data in EVERY_BYTE.iter().copied().chain([&all[..]]) {
        socket.send(data).unwrap();
        let mut received = vec![0; data.len()];
        (&socket).read_exact(&mut received).unwrap();
        assert!(received == data, "{} bytes were changed", data.len());
    }
    socket.close().unwrap();
}

#[test]
fn every_byte_passes_a_raw_server_and_an_rfc2217_server() {
    for (scheme, has_control) in [("tcp", false), ("rfc2217", true)] {
        let server = Server::start(has_control);
        let modem = Modem::open(format!("{scheme}://{}", server.address), Config::default()).unwrap();
        main_job(&modem);
        modem.close();
    }
}

#[test]
fn the_remote_port_gets_its_settings_even_if_the_rate_contains_an_iac() {
    for rate in [115_200_u32, 65_280] {
        let server = Server::start(true);
        let name = format!("rfc2217://{}", server.address);
        let modem = Modem::open(&name, Config::default().baud_rate(rate)).unwrap();
        modem.wait_ready(SOON).unwrap();
        let set = server.settings.lock().unwrap().clone();
        for wanted in
            [(1, rate.to_be_bytes().to_vec()), (2, vec![8]), (5, vec![1]), (5, vec![8]), (12, vec![3])]
        {
            assert!(set.contains(&wanted), "{wanted:?} of {set:?}");
        }
    }
}

#[test]
fn a_server_that_closes_all_connections_causes_one_gap_on_each_socket() {
    for (scheme, has_control) in [("tcp", false), ("rfc2217", true)] {
        let server = Server::start(has_control);
        let modem = Modem::open(format!("{scheme}://{}", server.address), Config::default()).unwrap();
        let events = modem.events();
        let supervisor = Supervisor::new(modem.clone(), Policy::default().pause(Duration::from_millis(20)));
        let mut sockets: Vec<_> = (0..8).map(|_| supervisor.tcp("echo.test", 7)).collect();
        for socket in &mut sockets {
            socket.send(b"one", SOON).unwrap();
            assert_eq!(socket.recv(SOON).unwrap(), Received::Data(b"one".to_vec()));
        }
        for round in 1..=3 {
            server.kill();
            while events.recv_timeout(SOON).unwrap() != Event::PortLost {}
            for socket in &mut sockets {
                let gap = socket.recv(SOON).unwrap();
                assert!(matches!(&gap, Received::Gap(gap) if gap.number == round), "{gap:?}");
                socket.send(b"two", SOON).unwrap();
                assert_eq!(socket.recv(SOON).unwrap(), Received::Data(b"two".to_vec()));
            }
        }
        modem.close();
    }
}

/// The error of opening this name.
fn refused(name: &str) -> String {
    let Err(Error::Io(error)) = Modem::open(name, Config::default()) else { panic!("{name} was opened") };
    let text = error.to_string();
    assert!(text.starts_with(name), "{text}");
    text
}

/// The reason for which a modem has lost its port, and waits for no other one.
fn lost(modem: &Modem) -> String {
    let Err(Error::PortLost(reason)) = modem.wait_ready(SOON) else {
        panic!("the modem waits for another port")
    };
    assert!(modem.is_wrong_port());
    reason.to_string()
}

#[test]
fn the_error_for_a_server_of_another_kind_names_the_right_scheme() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let greeting = |says: &'static [u8]| {
        let listener = listener.try_clone().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(says).unwrap();
            // Keeps the connection until the client closes it.
            drop(io::copy(&mut stream, &mut io::sink()));
        })
    };
    let telnet = greeting(&[IAC, 251, 3, IAC, 251, 1]);
    // On a busy machine the first bytes of the server may come when the port is already open.
    let text = match Modem::open(format!("tcp://{address}"), Config::default()) {
        Err(Error::Io(error)) => error.to_string(),
        Err(other) => panic!("{other}"),
        Ok(modem) => lost(&modem),
    };
    assert!(text.contains("rfc2217://"), "{text}");
    telnet.join().unwrap();
    let plain = greeting(&[IAC, 254, 44]);
    assert!(refused(&format!("rfc2217://{address}")).contains("tcp://"));
    plain.join().unwrap();
    let silent = greeting(b"");
    assert!(refused(&format!("rfc2217://{address}")).contains("tcp://"));
    silent.join().unwrap();
    drop(listener);
    for name in [format!("tcp://{address}"), format!("rfc2217://{address}"), "tcp://nowhere".to_owned()] {
        refused(&name);
    }
}

/// Regression: the reason was "it hung up" and the like, which named neither the server nor what to do.
#[test]
fn the_reason_of_a_lost_port_names_the_server_that_has_closed_the_connection() {
    for (scheme, has_control) in [("tcp", false), ("rfc2217", true)] {
        for is_reset in [false, true] {
            let server = Server::start(has_control);
            let config = Config::default().reopen(false);
            let modem = Modem::open(format!("{scheme}://{}", server.address), config).unwrap();
            modem.wait_ready(SOON).unwrap();
            if is_reset {
                let streams = server.streams.lock().unwrap();
                rustix::net::sockopt::set_socket_linger(&streams[0], Some(Duration::ZERO)).unwrap();
            }
            server.kill();
            let reason = loop {
                match modem.wait_ready(SOON) {
                    Err(Error::PortLost(reason)) => break reason.to_string(),
                    other => other.map(drop).unwrap(),
                }
            };
            assert!(reason.contains("the server closed the connection; does it run"), "{reason}");
        }
    }
}

/// Regression: the port was opened repeatedly, and only the log gave the reason. In a slow network, the first bytes of
/// a server come when the port is already open.
#[test]
fn a_telnet_server_whose_first_bytes_come_late_is_an_error_of_the_modem() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("tcp://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // The first command comes when the port is open.
        stream.read_exact(&mut [0; 2]).unwrap();
        stream.write_all(&[IAC, 253, 24]).unwrap();
        drop(io::copy(&mut stream, &mut io::sink()));
    });
    let modem = Modem::open(name, Config::default()).unwrap();
    let reason = lost(&modem);
    assert!(reason.contains("rfc2217://"), "{reason}");
    assert!(modem.is_closed());
    server.join().unwrap();
}

/// Regression: the error was that nothing answers, after the whole time of the call.
#[test]
fn a_device_that_is_no_module_is_an_error_of_the_modem_that_names_its_bytes() {
    type Serve = fn(TcpStream);
    let servers: [(Serve, &str); 3] = [
        (|stream| drop(io::copy(&mut &stream, &mut &stream)), "it sends back what is written: \"AT"),
        (
            |stream| while (&stream).write_all(&[0xff; 99]).is_ok() {},
            r#"it sends without end, and no answer to AT: "\xff"#,
        ),
        (
            |mut stream| {
                let _ = stream.write_all(b"rack login: ");
                drop(io::copy(&mut stream, &mut io::sink()));
            },
            r#"it asks for a login: "rack login: ""#,
        ),
    ];
    thread::scope(|scope| {
        for (serve, expected) in servers {
            scope.spawn(move || {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let name = format!("tcp://{}", listener.local_addr().unwrap());
                thread::spawn(move || serve(listener.accept().unwrap().0));
                let modem = Modem::open(name, Config::default()).unwrap();
                let Err(Error::PortLost(reason)) = modem.wait_ready(SOON) else {
                    panic!("the modem waits for {expected}")
                };
                assert!(reason.contains(expected), "{reason}");
                assert!(modem.is_closed());
            });
        }
    });
}

/// Regression: the close waited a second for the server.
#[test]
fn closing_a_modem_does_not_wait_for_a_silent_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("rfc2217://{}", listener.local_addr().unwrap());
    let (accepted, silent) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let (first, _) = listener.accept().unwrap();
        let ends = first.try_clone().unwrap();
        thread::spawn(move || serve_one(first, true, &Mutex::default()));
        accepted.send(ends).unwrap();
        accepted.send(listener.accept().unwrap().0).unwrap();
    });
    let modem = Modem::open(name, Config::default()).unwrap();
    modem.wait_ready(SOON).unwrap();
    silent.recv().unwrap().shutdown(Shutdown::Both).unwrap();
    let mut server = silent.recv_timeout(SOON).unwrap();
    let began = Instant::now();
    modem.close();
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
    // The abandoned call that opens the port ends at its own time-out.
    server.set_read_timeout(Some(SOON)).unwrap();
    drop(io::copy(&mut server, &mut io::sink()));
    assert!(began.elapsed() < SOON);
}
