//! A socket behaves like a `std::net::TcpStream`, as far as the module allows.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // A failing io call shall fail the test, also in a helper.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::driver::{
    MODES, SOON, Terminal, all_asleep, connect, echo_server, eventually, memory, named, noise, ready, server,
};
use air724ug::sim::{Peer, Settings};
use air724ug::{CloseReason, Config, Error, Modem, Received, Socket};

fn modem() -> (Terminal, Modem) {
    let terminal = Terminal::with(Settings::default(), memory());
    let modem = terminal.modem(Config::default());
    (terminal, modem)
}

fn to(modem: &Modem, host: &str, port: u16) -> Socket {
    modem.tcp().connect((host, port)).unwrap()
}

const SHORT: Duration = Duration::from_millis(50);
/// A call may end this long after its time-out.
const MARGIN: Duration = Duration::from_secs(1);

/// The error kind of a read time-out on this system's own sockets.
fn of_std() -> ErrorKind {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    stream.read(&mut [0]).unwrap_err().kind()
}

/// Runs a call that has to end at a time-out of [`SHORT`].
#[track_caller]
fn timed<T>(call: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = call();
    let took = began.elapsed();
    assert!(took >= SHORT && took < SHORT + MARGIN, "it took {took:?}");
    result
}

#[test]
fn data_before_the_peers_close_are_read_and_then_the_end() {
    for mode in MODES {
        let data = noise(100_000, 5);
        let sent = data.clone();
        let server = server(move |mut stream| stream.write_all(&sent).unwrap());
        let (_terminal, modem) = ready(Config::default().receive_mode(mode));
        let mut socket = connect(&modem, server);
        let mut read = Vec::new();
        socket.read_to_end(&mut read).unwrap();
        assert!(read == data, "{mode:?}");
        assert_eq!(socket.read(&mut [0; 8]).unwrap(), 0);
        assert_eq!(socket.peek(&mut [0; 8]).unwrap(), 0);
        assert!(matches!(socket.recv(None), Err(Error::Closed(CloseReason::Peer))));
        assert!(matches!(socket.try_recv(), Err(Error::Closed(CloseReason::Peer))));
        assert!(matches!(socket.send(b"x"), Err(Error::Closed(CloseReason::Peer))));
        assert_eq!(socket.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        socket.close().unwrap();
    }
}

#[test]
fn peek_removes_no_byte() {
    let (_terminal, modem) = modem();
    let mut socket = to(&modem, "hello.test", 1);
    let mut buf = [0; 3];
    for _ in 0..3 {
        assert_eq!(socket.peek(&mut buf).unwrap(), 3);
        assert_eq!(&buf, b"hel");
    }
    assert_eq!(socket.read(&mut buf).unwrap(), 3);
    assert_eq!(socket.recv(SOON).unwrap(), Received::Data(b"lo".to_vec()));
}

#[test]
fn empty_reads_and_writes_do_nothing() {
    let (_terminal, modem) = modem();
    let mut socket = to(&modem, "discard.test", 9);
    assert_eq!(socket.read(&mut []).unwrap(), 0);
    assert_eq!(socket.peek(&mut []).unwrap(), 0);
    assert_eq!(socket.write(&[]).unwrap(), 0);
    socket.send(&[]).unwrap();
    socket.flush().unwrap();
}

#[test]
fn try_recv_returns_nothing_without_data() {
    let (_terminal, modem) = modem();
    let socket = to(&modem, "echo.test", 7);
    assert_eq!(socket.try_recv().unwrap(), b"");
    socket.send(b"hello").unwrap();
    assert_eq!(socket.recv(SOON).unwrap(), Received::Data(b"hello".to_vec()));
    assert_eq!(socket.try_recv().unwrap(), b"");
}

#[test]
fn reads_end_at_their_timeout() {
    let (_terminal, modem) = modem();
    let mut socket = to(&modem, "discard.test", 9);
    assert_eq!(socket.read_timeout().unwrap(), None);
    assert_eq!(timed(|| socket.recv(SHORT)).unwrap(), Received::Timeout);
    socket.set_read_timeout(Some(SHORT)).unwrap();
    assert_eq!(socket.read_timeout().unwrap(), Some(SHORT));
    assert_eq!(timed(|| socket.read(&mut [0])).unwrap_err().kind(), of_std());
    let error = timed(|| socket.peek(&mut [0])).unwrap_err();
    assert_eq!(error.to_string(), "nothing came to be read within 50ms");
    assert_eq!(socket.recv(Duration::ZERO).unwrap(), Received::Timeout);
}

#[test]
fn writes_end_at_their_timeout_even_after_another_writer() {
    let (terminal, modem) = modem();
    let socket = to(&modem, "discard.test", 9);
    assert_eq!(socket.write_timeout().unwrap(), Some(Duration::from_secs(120)));
    terminal.fault(air724ug::sim::fault::LostAnswer { command: 0 });
    let first = socket.try_clone().unwrap();
    let first = named("w-first", move || first.send(&[1; 3000]));
    all_asleep("w-first", 1);
    socket.set_write_timeout(Some(SHORT)).unwrap();
    let error = timed(|| socket.send(b"second")).unwrap_err();
    assert_eq!(error.to_string(), "no answer to send within 50ms");
    assert_eq!(timed(|| (&socket).write(b"third")).unwrap_err().kind(), of_std());
    modem.close();
    assert!(matches!(first.join().unwrap(), Err(Error::PortLost(_))));
}

#[test]
fn a_timeout_of_zero_is_refused_as_in_std() {
    let (_terminal, modem) = modem();
    let socket = to(&modem, "discard.test", 9);
    for error in [
        socket.set_read_timeout(Some(Duration::ZERO)).unwrap_err(),
        socket.set_write_timeout(Some(Duration::ZERO)).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    // The longest time-out is no time-out.
    socket.set_write_timeout(Some(Duration::MAX)).unwrap();
    socket.send(b"x").unwrap();
    socket.set_write_timeout(None).unwrap();
    socket.send(b"x").unwrap();
}

#[test]
fn one_thread_reads_while_another_writes_through_the_same_reference() {
    let (_terminal, modem) = ready(Config::default());
    let socket = connect(&modem, echo_server());
    let data = noise(300_000, 9);
    thread::scope(|scope| {
        scope.spawn(|| (&socket).write_all(&data).unwrap());
        let mut back = vec![0; data.len()];
        (&socket).read_exact(&mut back).unwrap();
        assert!(back == data);
    });
}

#[test]
fn several_writers_keep_each_ones_data_together() {
    const LEN: usize = 20_000;
    let (_terminal, modem) = ready(Config::default());
    let socket = connect(&modem, echo_server());
    thread::scope(|scope| {
        for writer in 1..=4u8 {
            let socket = socket.try_clone().unwrap();
            scope.spawn(move || socket.send(&[writer; LEN]).unwrap());
        }
        let mut back = vec![0; 4 * LEN];
        (&socket).read_exact(&mut back).unwrap();
        let mut writers: Vec<u8> = back.chunks(LEN).map(|chunk| chunk[0]).collect();
        assert!(back.chunks(LEN).all(|chunk| chunk.iter().all(|byte| *byte == chunk[0])));
        writers.sort_unstable();
        assert_eq!(writers, [1, 2, 3, 4]);
    });
}

#[test]
fn two_readers_share_what_comes_and_both_see_the_end() {
    let (_terminal, modem) = modem();
    let socket = to(&modem, "echo.test", 7);
    let read = Arc::new(AtomicUsize::new(0));
    let reader = || {
        let mut socket = socket.try_clone().unwrap();
        let read = read.clone();
        named("r-share", move || {
            let mut buf = [0; 7];
            while let Ok(count @ 1..) = socket.read(&mut buf) {
                read.fetch_add(count, Ordering::Relaxed);
            }
        })
    };
    let readers = [reader(), reader()];
    all_asleep("r-share", 2);
    socket.send(&[b'x'; 5000]).unwrap();
    eventually("all bytes are read", || read.load(Ordering::Relaxed) == 5000);
    all_asleep("r-share", 2);
    socket.shutdown(Shutdown::Read).unwrap();
    for reader in readers {
        reader.join().unwrap();
    }
    assert_eq!(read.load(Ordering::Relaxed), 5000);
}

#[test]
fn closing_one_handle_ends_the_others() {
    let (_terminal, modem) = modem();
    let mut socket = to(&modem, "discard.test", 9);
    let clone = socket.try_clone().unwrap();
    let reader = socket.try_clone().unwrap();
    let reader = named("r-closed", move || reader.recv(None));
    all_asleep("r-closed", 1);
    clone.close().unwrap();
    assert!(matches!(reader.join().unwrap(), Err(Error::Closed(CloseReason::Local))));
    assert_eq!(socket.read(&mut [0]).unwrap_err().kind(), ErrorKind::NotConnected);
    assert_eq!(socket.write(&[0]).unwrap_err().kind(), ErrorKind::NotConnected);
    socket.close().unwrap();
}

#[test]
fn a_shutdown_of_writes_leaves_reads() {
    let (_terminal, modem) = modem();
    let mut socket = to(&modem, "echo.test", 7);
    socket.send(b"before").unwrap();
    socket.shutdown(Shutdown::Write).unwrap();
    assert!(matches!(socket.send(b"x"), Err(Error::Closed(CloseReason::ShutDown))));
    assert_eq!(socket.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    let mut buf = [0; 6];
    socket.read_exact(&mut buf).unwrap();
    assert_eq!(&buf, b"before");
}

#[test]
fn a_shutdown_of_reads_wakes_readers_and_leaves_writes() {
    let (_terminal, modem) = modem();
    let socket = to(&modem, "hello.test", 1);
    assert_eq!(socket.recv(SOON).unwrap(), Received::Data(b"hello".to_vec()));
    let reader = || {
        let mut socket = socket.try_clone().unwrap();
        named("r-down", move || socket.read(&mut [0]).unwrap())
    };
    let readers = [reader(), reader(), reader()];
    all_asleep("r-down", 3);
    socket.shutdown(Shutdown::Read).unwrap();
    for reader in readers {
        assert_eq!(reader.join().unwrap(), 0);
    }
    assert!(matches!(socket.recv(None), Err(Error::Closed(CloseReason::ShutDown))));
    socket.send(b"still").unwrap();
}

#[test]
fn a_shutdown_of_both_closes_without_waiting_and_releases_the_channel() {
    let (_terminal, modem) = modem();
    let sockets: Vec<_> = (0..8).map(|_| to(&modem, "discard.test", 9)).collect();
    sockets[3].shutdown(Shutdown::Both).unwrap();
    assert!(matches!(sockets[3].send(b"x"), Err(Error::Closed(CloseReason::ShutDown))));
    eventually("the channel is free again", || modem.tcp().connect(("discard.test", 9)).is_ok());
}

#[test]
fn the_ninth_socket_is_refused_until_one_is_dropped() {
    let (_terminal, modem) = modem();
    let mut sockets: Vec<_> = (0..8).map(|_| to(&modem, "discard.test", 9)).collect();
    let ids: Vec<usize> = sockets.iter().map(|socket| socket.id().index()).collect();
    assert_eq!(ids, [0, 1, 2, 3, 4, 5, 6, 7]);
    let error = modem.tcp().connect(("discard.test", 9)).unwrap_err();
    assert!(matches!(error, Error::NoFreeChannel));
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    drop(sockets.remove(5));
    eventually("the channel is free again", || modem.tcp().connect(("discard.test", 9)).is_ok());
}

#[test]
fn a_socket_that_is_dropped_is_closed_for_the_peer() {
    let (sender, ended) = crossbeam_channel::bounded(1);
    let server = server(move |mut stream| {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        sender.send(all).unwrap();
    });
    let (_terminal, modem) = ready(Config::default());
    let socket = connect(&modem, server);
    let clone = socket.try_clone().unwrap();
    socket.send(b"last words").unwrap();
    drop(socket);
    assert!(ended.try_recv().is_err(), "another handle exists");
    drop(clone);
    assert_eq!(ended.recv_timeout(SOON).unwrap(), b"last words");
}

#[test]
fn a_socket_knows_the_address_and_the_name_of_its_peer() {
    let (_terminal, modem) = ready(Config::default());
    let server: SocketAddr = echo_server();
    let socket = connect(&modem, server);
    assert_eq!(socket.peer_addr().unwrap(), server);
    assert_eq!(socket.peer_name(), ("127.0.0.1", server.port()));
    let named = modem.tcp().connect(("localhost", server.port())).unwrap();
    assert_eq!(named.peer_addr().unwrap(), server, "the module resolves it");
    assert_eq!(named.peer_name(), ("localhost", server.port()));
    let own = named.local_addr().unwrap();
    assert!(own.ip().is_ipv4() && !own.ip().is_unspecified() && own.port() == 0, "{own}");
}

#[test]
fn an_error_on_a_stream_is_an_io_error_with_its_source() {
    let (terminal, modem) = modem();
    let mut socket = to(&modem, "discard.test", 9);
    assert!(terminal.remote.send(air724ug::sim::Control::PdpLost));
    let error = socket.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NetworkDown);
    let source = error.get_ref().unwrap().downcast_ref::<Error>();
    assert!(matches!(source, Some(Error::Closed(CloseReason::BearerLost))), "{source:?}");
}

#[test]
fn handles_can_be_cloned_and_shared() {
    fn shared<T: Send + Sync + 'static>() {}
    fn cloned<T: Clone>() {}
    shared::<Modem>();
    shared::<Socket>();
    shared::<air724ug::Connector>();
    shared::<Error>();
    cloned::<Modem>();
    cloned::<air724ug::Connector>();
}

#[test]
fn statistics_remain_after_the_end_of_the_socket_and_the_port() {
    let (_terminal, modem) = modem();
    let socket = to(&modem, "echo.test", 7);
    socket.send(b"hello").unwrap();
    assert_eq!(socket.recv(SOON).unwrap(), Received::Data(b"hello".to_vec()));
    let other = socket.try_clone().unwrap();
    socket.close().unwrap();
    let next = to(&modem, "discard.test", 9);
    let seen = other.statistics();
    assert_eq!((seen.sent, seen.received, seen.commands.written), (5, 5, 3), "{seen:?}");
    assert_eq!((next.statistics().sent, next.statistics().commands.written), (0, 1));
    modem.close();
    let seen = modem.statistics();
    assert_eq!((seen.sent, seen.received, seen.opened, seen.closed, seen.port_losses), (5, 5, 2, 2, 1));
    assert!(seen.written > 0 && seen.read > 0 && seen.commands.latency.quantile(0.99).is_some());
    assert_eq!(other.statistics().sent, 5);
}

#[test]
fn closing_the_modem_is_the_cause_of_the_error_of_a_waiting_socket() {
    let (_terminal, modem) = modem();
    let socket = to(&modem, "discard.test", 9);
    let reader = socket.try_clone().unwrap();
    let reader = named("r-cause", move || reader.recv(None));
    all_asleep("r-cause", 1);
    modem.close();
    let error = reader.join().unwrap().unwrap_err();
    assert!(matches!(&error, Error::PortLost(why) if why.contains("the modem was closed")), "{error}");
    for later in [socket.send(b"x"), modem.command("AT", SOON).map(drop), socket.clone().close()] {
        let error = later.unwrap_err();
        assert!(error.to_string().contains("the modem was closed"), "{error}");
    }
}

#[test]
fn a_send_that_times_out_reports_the_accepted_bytes() {
    let (terminal, modem) = modem();
    let socket = to(&modem, "discard.test", 9);
    socket.set_write_timeout(Some(SHORT)).unwrap();
    terminal.fault(air724ug::sim::fault::LostAnswer { command: 0 });
    let error = timed(|| socket.send(&[1; 3000])).unwrap_err();
    assert!(matches!(error, Error::Timeout { after: SHORT, accepted: 0, .. }), "{error:?}");
    assert_eq!(socket.statistics().sent, 0);
    (&socket).write_all(b"behind it").unwrap();
    let flushed = timed(|| (&socket).flush());
    assert_eq!(flushed.unwrap_err().kind(), ErrorKind::TimedOut, "the module does not have all data");

    let mut network = memory();
    network.serve("deaf.test", 1, Peer::discard().never_reads());
    let terminal = Terminal::with(Settings::default(), network);
    let modem = terminal.modem(Config::default());
    let socket = to(&modem, "deaf.test", 1);
    let timeout = Duration::from_secs(1);
    socket.set_write_timeout(Some(timeout)).unwrap();
    let error = socket.send(&[1; 100_000]).unwrap_err();
    let Error::Timeout { accepted, after, .. } = error else { panic!("{error:?}") };
    assert!((1..100_000).contains(&accepted), "{accepted}");
    assert_eq!((u64::from(accepted), after), (socket.statistics().sent, timeout));
    assert!(error.to_string().ends_with("bytes were accepted before)"), "{error}");
}
