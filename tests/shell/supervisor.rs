//! Reconnecting sockets over a pseudo-terminal, with real TCP servers behind the simulated modem.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use air724ug::error::DeliveryUnknown;
use air724ug::sim::{Control, HostNetwork, Simulator, fault, serve};
use air724ug::supervisor::{Gap, Missing, Policy, Rung, Step, Supervisor};
use air724ug::{CloseReason, Config, Error, Modem, Received};

use crate::support::quick_start::quick_start;

/// A limit: the awaited event comes within seconds, or the test fails.
const SOON: Duration = Duration::from_secs(60);

struct Bench {
    supervisor: Supervisor,
    remote: serve::Remote,
}

fn bench(policy: Policy) -> Bench {
    let pty = serve::Pty::open().unwrap();
    let path = pty.path().display().to_string();
    let (remote, inbox) = serve::remote().unwrap();
    thread::spawn(move || serve::run(Simulator::new(quick_start(), HostNetwork::new()), pty, inbox));
    let modem = Modem::open(&path, Config::default()).unwrap();
    Bench { supervisor: Supervisor::new(modem, policy), remote }
}

/// A server that echoes, and closes a connection that sends "bye".
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut buf = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buf) {
                    if &buf[..count] == b"bye" || stream.write_all(&buf[..count]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn quick() -> Policy {
    Policy::default().pause(Duration::from_millis(20)).ready_timeout(Duration::from_secs(30))
}

/// Reads until the wanted bytes have come. Returns the gaps in between.
fn read(socket: &air724ug::supervisor::ReconnectingSocket, wanted: &[u8]) -> Vec<air724ug::supervisor::Gap> {
    let (mut data, mut gaps) = (Vec::new(), Vec::new());
    while data != wanted {
        match socket.recv(SOON).unwrap() {
            Received::Data(more) => data.extend(more),
            Received::Gap(gap) => {
                data.clear();
                gaps.push(gap);
                socket.send(wanted, SOON).unwrap();
            }
            Received::Timeout => panic!("nothing came, {data:?}"),
        }
        assert!(wanted.starts_with(&data), "{data:?}");
    }
    gaps
}

#[test]
fn a_close_by_the_peer_is_a_gap_with_the_unacknowledged_bytes() {
    let bench = bench(quick());
    let address = server();
    let socket = bench.supervisor.tcp(address.ip().to_string(), address.port());
    socket.send(b"hello", SOON).unwrap();
    assert_eq!(read(&socket, b"hello"), []);
    socket.send(b"bye", SOON).unwrap();
    let gaps = read(&socket, b"again");
    assert_eq!(gaps.len(), 1);
    let Missing::Unacknowledged { last, before: 0 } = &gaps[0].missing else { panic!("{gaps:?}") };
    assert!(last == b"hellobye", "the driver has not asked for acknowledgements: {gaps:?}");
}

/// A server that reads nothing, and resets each connection on request.
fn deaf_server() -> (SocketAddr, crossbeam_channel::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = crossbeam_channel::unbounded();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Unread bytes turn the close into a reset.
            let _ = receiver.recv();
            drop(stream);
        }
    });
    (address, sender)
}

fn next_gap(socket: &air724ug::supervisor::ReconnectingSocket) -> Gap {
    match socket.recv(SOON).unwrap() {
        Received::Gap(gap) => gap,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_gap_lists_the_last_bytes_and_at_most_those_that_were_sent() {
    let bench = bench(quick());
    let (address, reset) = deaf_server();
    let socket = bench.supervisor.tcp(address.ip().to_string(), address.port());
    let data: Vec<u8> = (0..40_000u32).map(|at| (at % 251) as u8).collect();
    socket.send(&data[..100], SOON).unwrap();
    // With more than 32 KiB unacknowledged the driver asks the module, and this machine has received everything.
    socket.send(&data[100..], SOON).unwrap();
    reset.send(()).unwrap();
    let Missing::Unacknowledged { last, before } = next_gap(&socket).missing else { panic!() };
    let count = last.len() as u64 + before;
    assert!(
        (1..=40_000).contains(&count) && data.ends_with(&last),
        "{count} bytes, {before} of them forgotten"
    );
    // A new connection begins without unacknowledged bytes.
    socket.send(b"again", SOON).unwrap();
    reset.send(()).unwrap();
    let gap = next_gap(&socket);
    assert_eq!(gap.missing, Missing::Unacknowledged { last: b"again".to_vec(), before: 0 });
    assert_eq!((gap.number, gap.missing.to_string().as_str()), (2, "5 bytes"));
}

#[test]
fn the_bytes_kept_for_a_gap_are_limited() {
    let bench = bench(quick());
    let (address, reset) = deaf_server();
    let socket = bench.supervisor.tcp(address.ip().to_string(), address.port());
    let data: Vec<u8> = (0..400_000u32).map(|at| (at % 251) as u8).collect();
    socket.send(&data, SOON).unwrap();
    reset.send(()).unwrap();
    let Missing::Unacknowledged { last, before } = next_gap(&socket).missing else { panic!() };
    // On a busy machine results are late, so the driver asks what the peer has, and fewer bytes are missing.
    const KEPT: usize = 256 * 1024;
    assert!(last.len() == KEPT || (before == 0 && last.len() < KEPT), "{} and {before} bytes", last.len());
    assert!(last.len() as u64 + before <= 400_000 && data.ends_with(&last), "{before} bytes forgotten");
}

#[test]
fn bytes_that_were_not_sent_in_time_are_not_part_of_a_gap() {
    let bench = bench(quick());
    let (address, reset) = deaf_server();
    let socket = bench.supervisor.tcp(address.ip().to_string(), address.port());
    socket.send(b"first", SOON).unwrap();
    // More bytes than the buffers of this machine hold.
    let data = vec![7; 16 << 20];
    let answer = socket.send(&data, Duration::from_millis(500));
    assert!(matches!(answer, Err(Error::Timeout { .. })), "{answer:?}");
    reset.send(()).unwrap();
    let Missing::Unacknowledged { last, before } = next_gap(&socket).missing else { panic!() };
    assert!(last.len() as u64 + before < 15 << 20, "{before}");
}

#[test]
fn datagrams_work_again_with_the_bearer_and_their_loss_is_unknown() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    server.set_read_timeout(Some(SOON)).unwrap();
    let bench = bench(quick());
    let socket = bench.supervisor.udp(address.ip().to_string(), address.port());
    socket.send(b"one", SOON).unwrap();
    let mut buf = [0; 16];
    let (count, peer) = server.recv_from(&mut buf).unwrap();
    assert_eq!(&buf[..count], b"one");
    server.send_to(b"two", peer).unwrap();
    assert_eq!(socket.recv(SOON).unwrap(), Received::Data(b"two".to_vec()));
    // A refused datagram is no loss, and leads to no new association.
    assert!(matches!(socket.send(&[0; 2_000], SOON), Err(Error::InvalidInput { .. })));
    bench.remote.send(Control::PdpLost);
    let gap = next_gap(&socket);
    assert_eq!(gap.missing, Missing::Unknown { why: DeliveryUnknown::Datagrams, sent: 3 });
    socket.send(b"three", SOON).unwrap();
    let (count, _) = server.recv_from(&mut buf).unwrap();
    assert_eq!(&buf[..count], b"three");
}

/// The module refuses TLS with `ERROR`, which no step of recovery can change.
#[cfg(not(feature = "sim-tls"))]
#[test]
fn firmware_without_tls_leads_to_no_recovery_step() {
    let bench = bench(quick());
    let events = bench.supervisor.events();
    let config = air724ug::TlsConfig::unverified();
    let socket = bench.supervisor.tls(config, "127.0.0.1", 443);
    let answer = socket.recv(SOON);
    assert!(matches!(answer, Err(Error::Tls { .. })), "{answer:?}");
    let climbed: Vec<_> = events.try_iter().filter(|step| matches!(step, Step::Climbing(_))).collect();
    assert_eq!(climbed, [Step::Climbing(Rung::Retry)]);
}

#[test]
fn eight_sockets_survive_a_lost_bearer_and_a_restart_with_every_gap_reported() {
    let bench = bench(quick());
    let address = server();
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let socket = bench.supervisor.tcp(address.ip().to_string(), address.port());
            socket.send(b"ready", SOON).unwrap();
            read(&socket, b"ready");
            socket
        })
        .collect();
    bench.remote.send(Control::PdpLost);
    let workers = all(workers, b"after the bearer", 1);
    bench.remote.send(Control::Reset);
    let workers = all(workers, b"after the restart", 2);
    assert!(workers.iter().all(|worker| worker.gaps() == 2));
}

/// Waits until each socket has reported its gap and works again, all at once.
fn all(
    workers: Vec<air724ug::supervisor::ReconnectingSocket>,
    word: &'static [u8],
    gaps: u64,
) -> Vec<air724ug::supervisor::ReconnectingSocket> {
    let threads: Vec<_> = workers
        .into_iter()
        .map(|socket| {
            thread::spawn(move || {
                let seen = read(&socket, word);
                assert_eq!((seen.len(), socket.gaps()), (1, gaps), "{seen:?}");
                socket
            })
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn recovery_goes_through_the_steps_of_the_ladder() {
    let policy = quick().ladder([
        (Rung::Retry, 1),
        (Rung::ResetBearer, 1),
        (Rung::FlightMode(Duration::from_millis(20)), 1),
        (Rung::Power, 1),
    ]);
    let bench = bench(policy);
    let (pulled, hook) = crossbeam_channel::unbounded();
    bench.supervisor.power_hook(move || pulled.send(()).unwrap());
    let events = bench.supervisor.events();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let supervisor = bench.supervisor.clone();
    let connecting =
        thread::spawn(move || supervisor.connect(("127.0.0.1", closed.port()), Duration::from_secs(45)));
    hook.recv_timeout(SOON).unwrap();
    let rungs: Vec<_> = events
        .try_iter()
        .filter_map(|step| if let Step::Climbing(rung) = step { Some(rung) } else { None })
        .collect();
    let flight = Rung::FlightMode(Duration::from_millis(20));
    assert_eq!(rungs, [Rung::Retry, Rung::ResetBearer, flight, Rung::Power]);
    drop(bench.supervisor.modem().clone());
    bench.supervisor.modem().close();
    assert!(matches!(connecting.join().unwrap(), Err(Error::PortLost(_) | Error::Timeout { .. })));
}

/// A port of this machine without a listener.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_power_hook_that_panics_is_a_failed_step() {
    let bench = bench(quick().ladder([(Rung::Power, 1)]));
    let (pulled, hook) = crossbeam_channel::unbounded();
    let mut calls = 0;
    bench.supervisor.power_hook(move || {
        calls += 1;
        pulled.send(calls).unwrap();
        assert!(calls % 2 == 0, "the test wants a panic");
    });
    let events = bench.supervisor.events();
    let (supervisor, port) = (bench.supervisor.clone(), closed_port());
    let connecting = thread::spawn(move || supervisor.connect(("127.0.0.1", port), Duration::from_secs(2)));
    for call in 1..=3 {
        assert_eq!(hook.recv_timeout(SOON).unwrap(), call);
    }
    assert!(matches!(connecting.join().unwrap(), Err(Error::Timeout { .. })));
    let failed = Step::Failed("the power hook panicked".into());
    assert!(events.try_iter().filter(|step| *step == failed).count() >= 2);
    let address = server();
    let socket = bench.supervisor.tcp(address.ip().to_string(), address.port());
    socket.send(b"hello", SOON).unwrap();
}

#[test]
fn a_supervisor_works_with_extreme_policies() {
    for (pause, jitter) in [(Duration::MAX, 0.25), (Duration::MAX, f64::NAN), (Duration::ZERO, f64::INFINITY)]
    {
        let mut policy =
            Policy::default().pause(pause).ready_timeout(Duration::MAX).connect_timeout(Duration::MAX);
        (policy.jitter, policy.max_pause) = (jitter, Duration::MAX);
        let bench = bench(policy);
        for _ in 0..2 {
            let answer =
                bench.supervisor.clone().connect(("127.0.0.1", closed_port()), Duration::from_millis(100));
            assert!(matches!(answer, Err(Error::Timeout { .. })), "{answer:?}");
        }
        let socket = bench.supervisor.tcp("127.0.0.1", closed_port());
        assert!(matches!(socket.send(b"x", Duration::ZERO), Err(Error::Timeout { .. })));
        bench.supervisor.connect(("127.0.0.1", server().port()), Duration::MAX).unwrap();
    }
}

#[test]
fn closing_the_modem_ends_a_pause() {
    let mut policy = quick().pause(Duration::MAX);
    policy.max_pause = Duration::MAX;
    let bench = bench(policy);
    let events = bench.supervisor.events();
    let supervisor = bench.supervisor.clone();
    let port = closed_port();
    let connecting = thread::spawn(move || supervisor.connect(("127.0.0.1", port), Duration::MAX));
    while !matches!(events.recv_timeout(SOON).unwrap(), Step::Pausing(_)) {}
    bench.supervisor.modem().close();
    let answer = connecting.join().unwrap();
    assert!(matches!(answer, Err(Error::PortLost(_))), "{answer:?}");
}

#[test]
fn calls_end_at_their_timeouts() {
    let bench = bench(quick());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let socket = bench.supervisor.tcp("127.0.0.1", closed.port());
    assert_eq!(socket.recv(Duration::from_millis(300)).unwrap(), Received::Timeout);
    assert!(matches!(socket.send(b"x", Duration::from_millis(300)), Err(Error::Timeout { .. })));
    let wrong = bench.supervisor.tcp("a\"b", 7);
    assert!(matches!(wrong.recv(SOON), Err(Error::InvalidInput { .. })));
}

/// Regression: a call waited for the answer to the command of its step, 90 s at most.
#[test]
fn calls_end_at_their_timeouts_while_the_module_does_not_answer_a_step() {
    for rung in [Rung::ResetBearer, Rung::FlightMode(Duration::from_millis(20)), Rung::Restart, Rung::Power] {
        let bench = bench(quick().ladder([(rung, 1), (Rung::Retry, 1000)]));
        bench.supervisor.wait_ready(SOON).unwrap();
        let socket = bench.supervisor.tcp("127.0.0.1", closed_port());
        let steps = bench.supervisor.events();
        let began = Instant::now();
        let receiving = thread::spawn(move || socket.recv(Duration::from_millis(500)));
        while !matches!(steps.recv_timeout(SOON).unwrap(), Step::Failed(_)) {}
        assert!(bench.remote.send(Control::fault(fault::Deaf { lasting: Duration::from_secs(4) })));
        assert_eq!(receiving.join().unwrap().unwrap(), Received::Timeout, "{rung}");
        assert!(began.elapsed() < Duration::from_secs(3), "{rung}: {:?}", began.elapsed());
    }
}

/// Regression: the call went on until its time-out, and ran step after step.
#[test]
fn a_close_of_one_handle_ends_the_attempts_of_another() {
    let bench = bench(quick());
    let socket = bench.supervisor.tcp("127.0.0.1", closed_port());
    let other = socket.try_clone().unwrap();
    let steps = bench.supervisor.events();
    let receiving = thread::spawn(move || other.recv(SOON));
    while !matches!(steps.recv_timeout(SOON).unwrap(), Step::Pausing(_)) {}
    let began = Instant::now();
    socket.close().unwrap();
    let answer = receiving.join().unwrap();
    assert!(matches!(answer, Err(Error::Closed(CloseReason::Local))), "{answer:?}");
    assert!(began.elapsed() < SOON / 2, "{:?}", began.elapsed());
}

#[test]
fn a_send_that_times_out_is_no_success_and_its_rest_is_not_sent() {
    let bench = bench(quick());
    let address = server();
    let socket = bench.supervisor.tcp(address.ip().to_string(), address.port());
    socket.send(b"one,", SOON).unwrap();
    assert_eq!(read(&socket, b"one,"), []);
    let late = fault::LateSend { by: Duration::from_millis(700) };
    assert!(bench.remote.send(Control::fault(late)));
    let answer = socket.send(b"two,", Duration::from_millis(200));
    assert!(matches!(answer, Err(Error::Timeout { accepted: 0, .. })), "{answer:?}");
    // The module has accepted the data. The driver learns that before the next send.
    socket.send(b"three", SOON).unwrap();
    let mut echoed = Vec::new();
    while echoed != b"two,three" {
        match socket.recv(SOON).unwrap() {
            Received::Data(data) => echoed.extend(data),
            other => panic!("{other:?} after {echoed:?}"),
        }
    }
}

#[test]
fn a_send_during_which_the_connection_ends_returns_the_gap() {
    let bench = bench(quick());
    let (address, reset) = deaf_server();
    let socket = bench.supervisor.tcp(address.ip().to_string(), address.port());
    socket.send(b"first", SOON).unwrap();
    reset.send(()).unwrap();
    let mut sent = 5;
    let number = loop {
        match socket.send(b"again", SOON) {
            Ok(()) => sent += 5,
            Err(Error::Gap { number }) => break number,
            Err(error) => panic!("{error}"),
        }
    };
    let gap = next_gap(&socket);
    assert_eq!(gap.number, number);
    let Missing::Unacknowledged { last, before: 0 } = gap.missing else { panic!("{gap:?}") };
    assert_eq!(last.len(), sent + 5, "the gap lists all bytes given to the module");
}

#[test]
fn wait_ready_recovers_the_module_without_a_connection() {
    let ladder = [(Rung::Retry, 1), (Rung::Restart, 1), (Rung::Retry, 1000)];
    let bench = bench(quick().ready_timeout(Duration::from_millis(300)).ladder(ladder));
    bench.supervisor.wait_ready(SOON).unwrap();
    let (steps, modem) = (bench.supervisor.events(), bench.supervisor.modem());
    modem.flight_mode(true).unwrap();
    let late = bench.supervisor.wait_ready(Duration::from_millis(100)).unwrap_err();
    assert!(matches!(&late, Error::Timeout { command, .. } if &**command == "ready"), "{late}");
    // The restart also ends the flight mode.
    bench.supervisor.wait_ready(SOON).unwrap();
    let steps: Vec<_> = steps.try_iter().collect();
    assert!(steps.contains(&Step::Climbing(Rung::Restart)), "{steps:?}");
    assert!(!steps.contains(&Step::Connected), "a connection was reported: {steps:?}");
}
