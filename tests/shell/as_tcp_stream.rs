//! The same program over a `std::net::TcpStream` and over a socket of the module. The results of all calls are
//! compared.
#![cfg(target_os = "linux")] // Some calls have other results on the sockets of other systems.
#![allow(clippy::unwrap_used)] // A failing io call shall fail the test, also in a helper.

use std::io::{self, BufRead, BufReader, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::support::driver::{MODES, SOON, eventually, ready};
use air724ug::{Config, Socket};

const SHORT: Duration = Duration::from_millis(30);

/// A peer in a thread, and a channel that starts each of its steps.
struct Rig {
    connect: SocketAddr,
    go: Sender<()>,
    done: Receiver<Vec<u8>>,
}

/// A server that waits for a signal before each step, and reports the bytes that it has read.
fn peer(serve: impl FnOnce(&mut TcpStream, &Receiver<()>) -> Vec<u8> + Send + 'static) -> Rig {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connect = listener.local_addr().unwrap();
    let (go, going) = bounded(8);
    let (sender, done) = bounded(1);
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let read = serve(&mut stream, &going);
        drop(stream);
        let _ = sender.send(read);
    });
    Rig { connect, go, done }
}

/// Waits for a signal, or for the end of the test.
fn word(going: &Receiver<()>) {
    let _ = going.recv_timeout(SOON);
}

fn all(stream: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read);
    read
}

/// A result in a form that can be compared: an error only has its kind.
fn seen<T: std::fmt::Debug, E: Into<io::Error>>(result: Result<T, E>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{:?}", error.into().kind()),
    }
}

type Observed = Vec<(&'static str, String)>;

/// The program, expanded for each type. A trait of our own would hide differences.
macro_rules! program {
    ($name:ident, $Stream:ty) => {
        fn $name(connect: &dyn Fn(SocketAddr) -> $Stream) -> Observed {
            let mut observed = Observed::new();
            macro_rules! observe {
                ($what:literal, $result:expr) => {
                    observed.push(($what, seen($result)));
                };
            }

            fn goes_anywhere<T: Read + Write + Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static>() {
            }
            goes_anywhere::<$Stream>();

            // A stream that was just opened.
            let rig = peer(|stream, going| {
                stream.write_all(b"abcdef").unwrap();
                word(going);
                stream.write_all(b"line 1\nline 2\n").unwrap();
                all(stream)
            });
            let mut stream = connect(rig.connect);
            observe!("read_timeout at first", stream.read_timeout());
            observe!("write_timeout at first", stream.write_timeout().map(|span| span.is_some()));
            observe!("nodelay at first", stream.nodelay());
            observe!("take_error at first", stream.take_error().map(|error| error.is_some()));
            observe!("the peer's address", stream.peer_addr().map(|address| address == rig.connect));
            observe!("the own address", stream.local_addr().map(|address| address.ip().is_ipv4()));
            observe!("a port of its own", stream.local_addr().map(|address| address.port() != 0));
            observe!("a read time-out of zero", stream.set_read_timeout(Some(Duration::ZERO)));
            observe!("a write time-out of zero", stream.set_write_timeout(Some(Duration::ZERO)));
            observe!("a read time-out", stream.set_read_timeout(Some(SOON)));
            observe!("a write time-out", stream.set_write_timeout(Some(SOON)));
            let mut clone = stream.try_clone().unwrap();
            observe!("the read time-out of a clone", clone.read_timeout());
            observe!("the write time-out of a clone", clone.write_timeout());
            observe!("set_nodelay", clone.set_nodelay(true));
            observe!("nodelay of a clone", stream.nodelay());
            let mut buf = [0; 6];
            eventually("six bytes", || stream.peek(&mut buf).unwrap() == 6);
            observe!("peek into less", stream.peek(&mut buf[..4]));
            observe!("peek into nothing", stream.peek(&mut []));
            observe!("read into nothing", stream.read(&mut []));
            let (mut one, mut two) = ([0; 2], [0; 8]);
            let parts = &mut [IoSliceMut::new(&mut []), IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
            observe!("read_vectored of more than one buffer takes", stream.read_vectored(parts));
            // The rest of the data, if any.
            stream.set_read_timeout(Some(SHORT)).unwrap();
            let _ = stream.read(&mut two);
            stream.set_read_timeout(Some(SOON)).unwrap();
            observed.push(("read_vectored gives first", String::from_utf8(one.to_vec()).unwrap()));
            rig.go.send(()).unwrap();
            let mut lines = BufReader::new(clone.try_clone().unwrap()).lines();
            observe!("a line", lines.next().unwrap());
            observe!("a second line", lines.next().unwrap());
            observe!("a time-out is short", stream.set_read_timeout(Some(SHORT)));
            observe!("a read that times out", stream.read(&mut buf));
            observe!("a read of a clone that times out", clone.read(&mut buf));
            observe!("a peek that times out", stream.peek(&mut buf));
            observe!("read_exact that times out", stream.read_exact(&mut buf));
            observe!("read_to_end that times out", stream.read_to_end(&mut Vec::new()));
            observe!("set_nonblocking", clone.set_nonblocking(true));
            observe!("a read that would block", stream.read(&mut buf));
            observe!("a peek that would block", stream.peek(&mut buf));
            observe!("a read into nothing that would block", stream.read(&mut []));
            observe!("write of nothing", stream.write(&[]));
            observe!("write_vectored of nothing", stream.write_vectored(&[]));
            observe!("a write that has room", stream.write(b"one "));
            observe!("a vectored write", stream.write_vectored(&[IoSlice::new(b"t"), IoSlice::new(b"wo")]));
            observe!("set_nonblocking back", stream.set_nonblocking(false));
            observe!("flush", stream.flush());
            observe!("write by a reference", (&stream).write(b" three"));
            observe!("read by a reference", (&stream).read(&mut buf));
            drop((stream, clone, lines));
            observed
                .push(("the peer reads", String::from_utf8(rig.done.recv_timeout(SOON).unwrap()).unwrap()));

            // The peer closes.
            let rig = peer(|stream, going| {
                stream.write_all(b"last words").unwrap();
                word(going);
                Vec::new()
            });
            let mut stream = connect(rig.connect);
            rig.go.send(()).unwrap();
            rig.done.recv_timeout(SOON).unwrap();
            eventually("what came", || stream.peek(&mut [0; 16]).unwrap() == 10);
            observe!("flush before what came is read", stream.flush());
            let mut read = String::new();
            observe!("read_to_string until the peer's end", stream.read_to_string(&mut read));
            observed.push(("what came before the peer's end", read));
            observe!("read after the end", stream.read(&mut buf));
            observe!("peek after the end", stream.peek(&mut buf));
            observe!("read_to_end after the end", stream.read_to_end(&mut Vec::new()));
            observe!("read_exact after the end", stream.read_exact(&mut buf));
            stream.set_nonblocking(true).unwrap();
            observe!("a read after the end that would not block", stream.read(&mut buf));
            stream.set_nonblocking(false).unwrap();
            observe!("flush after the end", stream.flush());
            observe!("take_error after the end", stream.take_error().map(|error| error.is_some()));
            let mut last = stream.write(b"x");
            eventually("an error of a write", || {
                last = stream.write(b"x");
                last.is_err()
            });
            observe!("the end of writes after the peer's close", last);
            observe!("a write after that", stream.write(b"x"));
            observe!("a vectored write after that", stream.write_vectored(&[IoSlice::new(b"x")]));
            observe!("a read after that", stream.read(&mut buf));

            // The program shuts down writes.
            let rig = peer(|stream, going| {
                let mut read = vec![0; 6];
                stream.read_exact(&mut read).unwrap();
                word(going);
                stream.write_all(b"answer").unwrap();
                read.extend(all(stream));
                read
            });
            let mut stream = connect(rig.connect);
            stream.write_all(b"before").unwrap();
            observe!("shutdown of writes", stream.shutdown(Shutdown::Write));
            observe!("shutdown of writes again", stream.shutdown(Shutdown::Write));
            observe!("write after it", stream.write(b"x"));
            observe!("write_all after it", stream.try_clone().unwrap().write_all(b"x"));
            observe!("write_vectored after it", stream.write_vectored(&[IoSlice::new(b"x")]));
            observe!("flush after it", stream.flush());
            stream.set_nonblocking(true).unwrap();
            observe!("a write after it that would not block", stream.write(b"x"));
            stream.set_nonblocking(false).unwrap();
            rig.go.send(()).unwrap();
            observe!("read_exact after it", stream.read_exact(&mut buf));
            observed.push(("what came after it", String::from_utf8_lossy(&buf).into_owned()));
            drop(stream);
            observed.push((
                "the peer reads before the shutdown",
                String::from_utf8(rig.done.recv_timeout(SOON).unwrap()).unwrap(),
            ));

            // The program shuts down reads.
            let rig = peer(|stream, _| all(stream));
            let mut stream = connect(rig.connect);
            let blocked = stream.try_clone().unwrap();
            let reader = thread::spawn(move || (&blocked).read(&mut [0; 8]));
            observe!("shutdown of reads", stream.shutdown(Shutdown::Read));
            observe!("a read that waited", reader.join().unwrap());
            observe!("read after it", stream.read(&mut buf));
            observe!("peek after it", stream.peek(&mut buf));
            stream.set_nonblocking(true).unwrap();
            observe!("a read after it that would not block", stream.read(&mut buf));
            stream.set_nonblocking(false).unwrap();
            observe!("write after a shutdown of reads", stream.write(b"still"));
            observe!("shutdown of reads again", stream.shutdown(Shutdown::Read));
            drop(stream);
            observed.push((
                "the peer reads after a shutdown of reads",
                String::from_utf8(rig.done.recv_timeout(SOON).unwrap()).unwrap(),
            ));

            // The program shuts down both through a clone, while a thread reads.
            let rig = peer(|stream, _| all(stream));
            let mut stream = connect(rig.connect);
            stream.write_all(b"given before").unwrap();
            let blocked = stream.try_clone().unwrap();
            let reader = thread::spawn(move || (&blocked).read(&mut [0; 8]));
            observe!("shutdown of both", stream.try_clone().unwrap().shutdown(Shutdown::Both));
            observe!("a read that waited for both", reader.join().unwrap());
            observed.push((
                "the peer reads before a shutdown of both",
                String::from_utf8(rig.done.recv_timeout(SOON).unwrap()).unwrap(),
            ));
            observe!("read after both", stream.read(&mut buf));
            observe!("peek after both", stream.peek(&mut buf));
            observe!("write after both", stream.write(b"x"));
            observe!("flush after both", stream.flush());
            observe!("take_error after both", stream.take_error().map(|error| error.is_some()));
            observe!(
                "the peer's address after both",
                stream.peer_addr().map(|address| address == rig.connect)
            );

            // A peer that does not read.
            let rig = peer(|stream, going| {
                word(going);
                all(stream)
            });
            let mut stream = connect(rig.connect);
            stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
            let mut given = 0;
            let full = loop {
                match stream.write(&[7; 60_000]) {
                    Ok(count) => given += count,
                    Err(error) => break error,
                }
            };
            observe!("a write that times out", Err::<(), _>(full));
            stream.set_nonblocking(true).unwrap();
            let full = loop {
                match stream.write_vectored(&[IoSlice::new(b"x"), IoSlice::new(b"y")]) {
                    Ok(count) => given += count,
                    Err(error) => break error,
                }
            };
            observe!("a write that would block", Err::<(), _>(full));
            stream.set_nonblocking(false).unwrap();
            observe!("no time-out of writes", stream.set_write_timeout(None));
            observe!("no time-out of writes is read", stream.write_timeout());
            rig.go.send(()).unwrap();
            observe!("a write after one that timed out", stream.write_all(b"the rest"));
            drop(stream);
            let got = rig.done.recv_timeout(SOON).unwrap().len();
            observed.push(("the peer gets what writes have taken", (got == given + 8).to_string()));

            // The peer shuts down its writes and still reads.
            let rig = peer(|stream, _| {
                stream.shutdown(Shutdown::Write).unwrap();
                all(stream)
            });
            let mut stream = connect(rig.connect);
            observe!("read after the end of what the peer writes", stream.read(&mut buf));
            observe!("write after it, once", stream.write(b"x"));
            drop(stream);
            observed.push((
                "a peer that reads on gets it",
                (rig.done.recv_timeout(SOON).unwrap() == b"x").to_string(),
            ));

            // The peer closes with unread data.
            let rig = peer(|stream, going| {
                stream.read_exact(&mut [0; 1]).unwrap();
                word(going);
                Vec::new()
            });
            let mut stream = connect(rig.connect);
            stream.write_all(b"some that are not read").unwrap();
            stream.flush().unwrap();
            rig.go.send(()).unwrap();
            rig.done.recv_timeout(SOON).unwrap();
            observe!("read after a reset", stream.read(&mut buf));
            observe!("read again", stream.read(&mut buf));
            observed
        }
    };
}

program!(over_std, TcpStream);
program!(over_the_module, Socket);

/// The differences of a socket of the module: the observation, the result of std, and that of the socket. The
/// documentation of [`Socket`] lists them.
const DIFFERENCES: [(&str, &str, &str); 9] = [
    ("write_timeout at first", "false", "true"),
    ("a port of its own", "true", "false"),
    ("read_vectored of more than one buffer takes", "6", "2"),
    ("a read into nothing that would block", "WouldBlock", "0"),
    ("flush after both", "()", "NotConnected"),
    ("the peer's address after both", "NotConnected", "true"),
    ("write after it, once", "1", "BrokenPipe"),
    ("a peer that reads on gets it", "true", "false"),
    ("read after a reset", "ConnectionReset", "0"),
];

#[test]
fn a_socket_gives_the_results_of_a_tcp_stream() {
    let std = over_std(&|address| TcpStream::connect(address).unwrap());
    let mut wrong = Vec::new();
    for mode in MODES {
        let (_terminal, modem) = ready(Config::default().receive_mode(mode));
        let ours = over_the_module(&|address| modem.tcp().connect(address).unwrap());
        for ((what, std), (same, ours)) in std.iter().zip(&ours) {
            assert_eq!(what, same);
            let known = DIFFERENCES.iter().find(|(name, ..)| name == what);
            if known.map_or(std != ours, |(_, theirs, own)| std != theirs || ours != own) {
                wrong.push(format!("{mode:?}: {what}: std {std}, the module {ours}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let named: Vec<_> =
        DIFFERENCES.iter().filter(|(name, ..)| std.iter().all(|(what, _)| what != name)).collect();
    assert!(named.is_empty(), "{named:?}");
}
