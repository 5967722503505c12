//! A reconnecting socket as a stream of `std::io`, and the reports of its gaps.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use crate::support::driver::{SOON, Terminal, all_asleep, echo_server, named, ready};
use air724ug::supervisor::{Missing, Policy, ReconnectingSocket, Supervisor};
use air724ug::{CloseReason, Config, Error, Received};

struct Bench {
    _terminal: Terminal,
    supervisor: Supervisor,
}

fn bench() -> Bench {
    let (terminal, modem) = ready(Config::default());
    let policy = Policy::default().pause(Duration::from_millis(20)).ready_timeout(SOON);
    Bench { _terminal: terminal, supervisor: Supervisor::new(modem, policy) }
}

fn to(bench: &Bench, address: SocketAddr) -> ReconnectingSocket {
    bench.supervisor.tcp(address.ip().to_string(), address.port())
}

/// A server that passes its connections to the test.
fn connections() -> (SocketAddr, Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (address, handed_over(listener))
}

fn handed_over(listener: TcpListener) -> Receiver<TcpStream> {
    let (sender, receiver): (Sender<TcpStream>, _) = unbounded();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if sender.send(stream).is_err() {
                return;
            }
        }
    });
    receiver
}

fn gap_of(error: &std::io::Error) -> u64 {
    match error.get_ref().and_then(|source| source.downcast_ref()) {
        Some(Error::Gap { number }) => *number,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_thread_reads_while_another_writes_through_clones() {
    let bench = bench();
    let socket = to(&bench, echo_server());
    let mut reader = socket.try_clone().unwrap();
    let reader = named("r-clone", move || {
        let mut back = vec![0; 100_000];
        reader.read_exact(&mut back).unwrap();
        back
    });
    all_asleep("r-clone", 1);
    let data: Vec<u8> = (0..100_000u32).map(|at| (at % 251) as u8).collect();
    (&socket).write_all(&data).unwrap();
    (&socket).flush().unwrap();
    assert!(reader.join().unwrap() == data);
    socket.close().unwrap();
}

#[test]
fn a_gap_is_one_error_of_a_read_between_the_data_before_and_after_it() {
    let bench = bench();
    let (address, accepted) = connections();
    let mut socket = to(&bench, address);
    socket.write_all(b"question").unwrap();
    let mut first = accepted.recv_timeout(SOON).unwrap();
    first.write_all(b"before").unwrap();
    // Unread data would turn the close into a reset, which loses data.
    first.read_exact(&mut [0; 8]).unwrap();
    drop(first);
    thread::spawn(move || {
        accepted.recv_timeout(SOON).unwrap().write_all(b"behind").unwrap();
        accepted.recv_timeout(SOON)
    });
    let mut buf = [0; 6];
    // The test reads in small pieces.
    socket.read_exact(&mut buf[..2]).unwrap();
    socket.read_exact(&mut buf[2..]).unwrap();
    assert_eq!(&buf, b"before");
    let error = socket.read(&mut buf).unwrap_err();
    assert_eq!((error.kind(), gap_of(&error)), (ErrorKind::ConnectionAborted, 1));
    let gap = socket.last_gap().unwrap();
    assert_eq!((gap.number, gap.missing.to_string().as_str()), (1, "8 bytes"));
    socket.read_exact(&mut buf).unwrap();
    assert_eq!(&buf, b"behind");
}

#[test]
fn reconnections_to_a_peer_that_closes_at_once_have_growing_pauses() {
    let bench = bench();
    let (address, accepted) = connections();
    let socket = to(&bench, address);
    let (end, mut gaps) = (Instant::now() + Duration::from_millis(1_400), 0);
    while Instant::now() < end {
        // Each connection is dropped once it is established.
        accepted.try_iter().for_each(drop);
        match socket.recv(Duration::from_millis(20)).unwrap() {
            Received::Gap(_) => gaps += 1,
            Received::Timeout => {}
            Received::Data(data) => panic!("{data:?}"),
        }
    }
    // Two connections at once, then one after 0.1, 0.2, 0.4 and 0.8 s.
    assert!((2..=6).contains(&gaps), "{gaps} connections");
}

#[test]
fn data_before_the_end_are_read_even_if_a_write_reports_the_end_first() {
    let bench = bench();
    let (address, accepted) = connections();
    let socket = to(&bench, address);
    (&socket).write_all(b"question").unwrap();
    let mut first = accepted.recv_timeout(SOON).unwrap();
    first.write_all(b"answer").unwrap();
    // Unread data would turn the close into a reset, which loses data.
    first.read_exact(&mut [0; 8]).unwrap();
    drop(first);
    // Writes continue until one reports the end.
    let number = loop {
        match socket.send(b"more", SOON) {
            Ok(()) => {}
            Err(Error::Gap { number }) => break number,
            Err(error) => panic!("{error}"),
        }
    };
    let mut came = Vec::new();
    let gap = loop {
        match socket.recv(SOON).unwrap() {
            Received::Data(data) => came.extend(data),
            Received::Gap(gap) => break gap,
            Received::Timeout => panic!("nothing came after {came:?}"),
        }
    };
    assert_eq!((&came[..], gap.number), (&b"answer"[..], number));
}

#[test]
fn a_gap_lasts_until_the_new_connection_is_established() {
    const OUTAGE: Duration = Duration::from_millis(1_200);
    let bench = bench();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let socket = to(&bench, address);
    socket.send(b"hello", SOON).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    stream.read_exact(&mut [0; 5]).unwrap();
    drop(listener);
    let began = Instant::now();
    drop(stream);
    let (up, is_up) = bounded(1);
    thread::spawn(move || {
        crossbeam_channel::never::<()>().recv_timeout(OUTAGE).unwrap_err();
        let accepted = handed_over(TcpListener::bind(address).unwrap());
        up.send(accepted).unwrap();
    });
    // An application that reads often gets time-outs, and then the gap once.
    let mut timeouts = 0;
    let gap = loop {
        match socket.recv(Duration::from_millis(50)).unwrap() {
            Received::Timeout => timeouts += 1,
            Received::Gap(gap) => break gap,
            Received::Data(data) => panic!("{data:?}"),
        }
    };
    assert!(timeouts > 1);
    assert!(gap.lasted > OUTAGE - Duration::from_millis(200), "{gap:?}");
    assert!(gap.lasted <= began.elapsed(), "{gap:?} in {:?}", began.elapsed());
    let _accepted = is_up.recv().unwrap();
}

#[test]
fn no_data_are_sent_on_a_new_connection_before_its_gap_is_reported() {
    let bench = bench();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let socket = to(&bench, address);
    socket.send(b"hello", SOON).unwrap();
    let (stream, _) = listener.accept().unwrap();
    drop(listener);
    drop(stream);
    let unaware = socket.recv(Duration::from_millis(300)).unwrap();
    assert_eq!((unaware, socket.gaps()), (Received::Timeout, 1));
    let accepted = handed_over(TcpListener::bind(address).unwrap());
    let answer = socket.send(b" old", SOON);
    assert!(matches!(answer, Err(Error::Gap { number: 1 })), "{answer:?}");
    let Received::Gap(gap) = socket.recv(SOON).unwrap() else { panic!() };
    assert_eq!(gap.missing, Missing::Unacknowledged { last: b"hello old".to_vec(), before: 0 });
    socket.send(b"new", SOON).unwrap();
    let mut buf = [0; 3];
    accepted.recv_timeout(SOON).unwrap().read_exact(&mut buf).unwrap();
    assert_eq!(&buf, b"new");
}

#[test]
fn a_gap_lists_few_bytes_that_the_peer_has() {
    let bench = bench();
    let (address, accepted) = connections();
    let socket = to(&bench, address);
    for _ in 0..100 {
        socket.send(&[b'x'; 100], SOON).unwrap();
    }
    let mut stream = accepted.recv_timeout(SOON).unwrap();
    stream.read_exact(&mut [0; 10_000]).unwrap();
    // In this time the driver asks the module for acknowledgements, without a call.
    assert_eq!(socket.recv(Duration::from_secs(3)).unwrap(), Received::Timeout);
    socket.send(b"the last words", SOON).unwrap();
    drop(stream);
    let Received::Gap(gap) = socket.recv(SOON).unwrap() else { panic!() };
    let Missing::Unacknowledged { last, before: 0 } = gap.missing else { panic!("{gap:?}") };
    assert!(last.len() <= 14 && b"the last words".ends_with(&last), "{} bytes", last.len());
}

#[test]
fn a_signal_comes_with_data_and_with_the_end_on_every_connection() {
    let bench = bench();
    let (address, accepted) = connections();
    let socket = to(&bench, address);
    for round in 0..3 {
        socket.send(b"here", SOON).unwrap();
        let mut stream = accepted.recv_timeout(SOON).unwrap();
        stream.write_all(b"data").unwrap();
        let mut came = Vec::new();
        while came != b"data" {
            socket.readable().recv_timeout(SOON).unwrap();
            match socket.recv(Duration::from_millis(1)).unwrap() {
                Received::Data(data) => came.extend(data),
                Received::Timeout | Received::Gap(_) => {}
            }
        }
        drop(stream);
        socket.readable().recv_timeout(SOON).unwrap();
        // This call connects again.
        let gap = socket.recv(SOON).unwrap();
        assert!(matches!(gap, Received::Gap(_)), "round {round}: {gap:?}");
    }
}

#[test]
fn a_close_of_one_handle_ends_the_others() {
    let bench = bench();
    let socket = to(&bench, echo_server());
    socket.send(b"hello", SOON).unwrap();
    let reader = socket.try_clone().unwrap();
    assert_eq!(reader.recv(SOON).unwrap(), Received::Data(b"hello".to_vec()));
    let waiting = named("r-over", move || reader.recv(SOON));
    all_asleep("r-over", 1);
    let other = socket.try_clone().unwrap();
    socket.close().unwrap();
    assert!(matches!(waiting.join().unwrap(), Err(Error::Closed(CloseReason::Local))));
    assert!(matches!(other.send(b"x", SOON), Err(Error::Closed(CloseReason::Local))));
}

#[test]
fn reads_and_writes_end_at_their_timeouts() {
    let bench = bench();
    let (address, _accepted) = connections();
    let mut socket = to(&bench, address);
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(matches!(socket.set_write_timeout(Some(Duration::ZERO)), Err(Error::InvalidInput { .. })));
    assert_eq!(socket.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(socket.read(&mut []).unwrap(), 0);
    socket.write_all(b"x").unwrap();
}
