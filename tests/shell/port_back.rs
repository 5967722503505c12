//! Ports that are lost and come back: pseudo-terminals, and ports that the application opens.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failing call shall fail the test, also in a helper"
)]

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use air724ug::crossbeam_channel::{Receiver, Sender, unbounded};
use air724ug::error::NotReady;
use air724ug::sim::{Boot, Control, HostNetwork, MemoryNetwork, Peer, Settings, Simulator, serve};
use air724ug::supervisor::{Policy, ReconnectingSocket, Rung, Supervisor};
use air724ug::{AsyncModem, Config, Error, Event, Modem, Received};
use futures::executor::block_on;

use crate::support::driver::echo_server;
use crate::support::quick_start::quick_start;

/// A limit: the awaited event comes within seconds, or the test fails.
const SOON: Duration = Duration::from_secs(60);
/// A limit: the awaited event comes within microseconds, or the test fails.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A simulated module on changing terminals, with a link at a fixed path.
struct Plug {
    link: PathBuf,
    served: Option<(serve::Remote, JoinHandle<io::Result<()>>)>,
}

impl Plug {
    fn new(name: &str) -> Self {
        let link = std::env::temp_dir().join(format!("air724ug-{}-{name}", std::process::id()));
        Self { link, served: None }
    }

    fn path(&self) -> &str {
        self.link.to_str().unwrap()
    }

    fn plug_in(&mut self) {
        let mut pty = serve::Pty::open().unwrap();
        pty.link(&self.link).unwrap();
        let (remote, inbox) = serve::remote().unwrap();
        let modem = Simulator::new(quick_start(), HostNetwork::new());
        let served = thread::spawn(move || serve::run(modem, pty, inbox));
        self.served = Some((remote, served));
    }

    fn pull_out(&mut self) {
        let (remote, served) = self.served.take().unwrap();
        assert!(remote.send(Control::HangUp));
        served.join().unwrap().unwrap();
        assert!(!Path::new(&self.link).exists());
    }
}

fn quick() -> Policy {
    Policy::default().pause(Duration::from_millis(20))
}

/// Sends until the echo has come. Returns the number of gaps.
fn echoed(socket: &ReconnectingSocket, said: &[u8]) -> usize {
    let mut gaps = 0;
    'again: loop {
        match socket.send(said, SOON) {
            Ok(()) => {}
            Err(Error::Gap { .. }) => {
                // Data from before the gap are read first.
                while !matches!(socket.recv(SOON).unwrap(), Received::Gap(_)) {}
                gaps += 1;
                continue;
            }
            Err(error) => panic!("{error}"),
        }
        let mut received = Vec::new();
        while received != said {
            match socket.recv(SOON).unwrap() {
                Received::Data(data) => received.extend(data),
                Received::Gap(_) => {
                    gaps += 1;
                    continue 'again;
                }
                Received::Timeout => panic!("nothing came, {} bytes before", received.len()),
            }
        }
        return gaps;
    }
}

#[test]
fn eight_sockets_survive_five_losses_of_the_port_with_new_names() {
    let mut plug = Plug::new("eight");
    plug.plug_in();
    let modem = Modem::open(plug.path(), Config::default()).unwrap();
    let events = modem.events();
    let supervisor = Supervisor::new(modem.clone(), quick());
    let address = echo_server();
    let round = Arc::new(AtomicU32::new(0));
    let (sender, echoes) = unbounded();
    for number in 0..8 {
        let socket = supervisor.tcp(address.ip().to_string(), address.port());
        let (sender, round) = (sender.clone(), round.clone());
        thread::spawn(move || {
            loop {
                let now = round.load(Ordering::SeqCst);
                let gaps = echoed(&socket, format!("socket {number}, round {now}").as_bytes());
                if sender.send((now, number, gaps)).is_err() {
                    return;
                }
                // Reads, so that the next gap is noticed.
                while round.load(Ordering::SeqCst) == now {
                    match socket.recv(Duration::from_millis(50)) {
                        Ok(Received::Gap(_)) => break,
                        Ok(_) => {}
                        // The modem is closed, and the test ends.
                        Err(_) => return,
                    }
                }
            }
        });
    }
    for now in 0..=5 {
        let mut missing: Vec<i32> = (0..8).collect();
        while !missing.is_empty() {
            let (of, number, _) = echoes.recv_timeout(SOON).expect("every socket comes back");
            if of == now {
                missing.retain(|waits| *waits != number);
            }
        }
        if now == 5 {
            break;
        }
        plug.pull_out();
        let lost = |event: &Event| *event == Event::PortLost;
        while !lost(&events.recv_timeout(AT_ONCE).unwrap()) {}
        assert_eq!(modem.not_ready(), Some(NotReady::NoPort));
        assert!(matches!(
            modem.wait_ready(Duration::from_millis(300)),
            Err(Error::NotReady(NotReady::NoPort))
        ));
        round.fetch_add(1, Ordering::SeqCst);
        plug.plug_in();
        let plugged_in = Instant::now();
        modem.wait_ready(SOON).unwrap();
        assert!(plugged_in.elapsed() < Duration::from_secs(2), "{:?}", plugged_in.elapsed());
    }
    assert_eq!(modem.statistics().port_losses, 5);
    modem.close();
    plug.pull_out();
}

#[test]
fn a_modem_is_found_at_its_link_after_an_unplug_or_a_restart_on_usb() {
    let mut plug = Plug::new("lives");
    plug.plug_in();
    let modem = Modem::open(plug.path(), Config::default()).unwrap();
    let supervisor = Supervisor::new(modem.clone(), quick());
    let address = echo_server();
    let socket = supervisor.tcp(address.ip().to_string(), address.port());
    assert_eq!(echoed(&socket, b"first"), 0);
    let events = modem.events();
    let remote = plug.served.as_ref().unwrap().0.clone();
    for round in 0..3 {
        if round == 1 {
            remote.send(Control::UsbRestart(Duration::from_millis(700)));
            while events.recv_timeout(AT_ONCE).unwrap() != Event::PortLost {}
        } else {
            remote.send(Control::Unplug);
            while events.recv_timeout(AT_ONCE).unwrap() != Event::PortLost {}
            assert!(!Path::new(plug.path()).exists());
            remote.send(Control::Replug(None));
        }
        assert_eq!(echoed(&socket, b"and again"), 1);
    }
    modem.restart().unwrap();
    modem.wait_ready(SOON).unwrap();
    modem.close();
    plug.pull_out();
}

/// Loses the port in one of three ways. The port is a link that leads to another link each time, like the links of
/// udev.
fn lose(round: u32, remote: &serve::Remote, folder: &Path) {
    let by_id = folder.join("by-id");
    let name = format!("ttyUSB{round}");
    match round % 3 {
        0 => assert!(remote.send(Control::Unplug) && remote.send(Control::Replug(None))),
        1 => {
            assert!(remote.send(Control::Unplug) && remote.state().is_some());
            std::fs::remove_file(&by_id).unwrap();
            assert!(remote.send(Control::Replug(Some(name.clone()))) && remote.state().is_some());
            symlink(name, by_id).unwrap();
        }
        _ => assert!(remote.send(Control::UsbRestart(Duration::from_millis(300)))),
    }
}

#[test]
fn eight_sending_sockets_survive_every_kind_of_loss_five_times() {
    let folder = std::env::temp_dir().join(format!("air724ug-{}-ways", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let mut pty = serve::Pty::open().unwrap();
    pty.link(folder.join("ttyUSB0")).unwrap();
    symlink("ttyUSB0", folder.join("by-id")).unwrap();
    let (remote, inbox) = serve::remote().unwrap();
    let simulator = Simulator::new(quick_start(), HostNetwork::new());
    let served = thread::spawn(move || serve::run(simulator, pty, inbox));
    let modem = Modem::open(folder.join("by-id"), Config::default()).unwrap();
    let events = modem.events();
    let supervisor = Supervisor::new(modem.clone(), quick());
    let address = echo_server();
    let (sender, echoes) = unbounded();
    for number in 0..8_u64 {
        let socket = supervisor.tcp(address.ip().to_string(), address.port());
        let sender = sender.clone();
        thread::spawn(move || {
            // The data have a length at which most losses come during a send.
            let said = [number as u8; 20_000];
            loop {
                let gaps = echoed(&socket, &said);
                if sender.send((number, gaps)).is_err() {
                    return;
                }
            }
        });
    }
    let mut gaps = [0; 8];
    for round in 0..=15 {
        let mut missing: Vec<u64> = (0..8).collect();
        let until = Instant::now() + SOON;
        while !missing.is_empty() {
            let came = echoes.recv_deadline(until);
            let (number, more) =
                came.unwrap_or_else(|_| panic!("round {round}: {missing:?} do not come back, gaps {gaps:?}"));
            gaps[number as usize] += more;
            assert!(gaps[number as usize] <= round as usize, "a gap without a loss");
            missing.retain(|waits| *waits != number || gaps[number as usize] < round as usize);
        }
        if round == 15 {
            break;
        }
        lose(round, &remote, &folder);
        while events.recv_timeout(AT_ONCE).unwrap() != Event::PortBack {}
        // The first step of bring-up follows the module's first answer.
        while !matches!(events.recv_timeout(SOON).unwrap(), Event::Step(_)) {}
        let answered = Instant::now();
        while !matches!(events.recv_timeout(SOON).unwrap(), Event::Ready(_)) {}
        // A module that restarts has to boot and to register first.
        let took = answered.elapsed();
        assert!(round % 3 == 2 || took < Duration::from_secs(2), "{took:?} in round {round}");
    }
    assert_eq!(modem.statistics().port_losses, 15);
    modem.close();
    drop(echoes);
    assert!(remote.send(Control::HangUp));
    served.join().unwrap().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn without_reopen_a_lost_port_closes_the_modem() {
    let mut plug = Plug::new("final");
    plug.plug_in();
    let modem = Modem::open(plug.path(), Config::default().reopen(false)).unwrap();
    let events = modem.events();
    modem.wait_ready(SOON).unwrap();
    assert!(!modem.is_closed());
    plug.pull_out();
    assert_eq!(events.iter().last(), Some(Event::PortLost));
    assert!(modem.is_closed());
    assert!(matches!(modem.wait_ready(SOON), Err(Error::PortLost(_))));
}

#[test]
fn a_port_source_is_called_until_it_returns_a_port() {
    let handle = Arc::new(Mutex::new(None));
    let (kept, calls) = (handle.clone(), Arc::new(AtomicU32::new(0)));
    let counted = calls.clone();
    let source = move || -> io::Result<(Box<dyn io::Read + Send>, Box<dyn io::Write + Send>)> {
        // Every second call fails, and the fourth call panics.
        match counted.fetch_add(1, Ordering::SeqCst) {
            3 => panic!("a source that panics"),
            call if call % 2 == 1 => return Err(io::ErrorKind::NotFound.into()),
            _ => {}
        }
        let modem = Simulator::new(Settings::default(), MemoryNetwork::new());
        let (reader, writer, handle) = serve::in_process(modem)?;
        *kept.lock().unwrap() = Some(handle);
        Ok((Box::new(reader), Box::new(writer)))
    };
    let modem = Modem::start_from(source, Config::default()).unwrap();
    for losses in 1..=3 {
        modem.wait_ready(SOON).unwrap();
        let events = modem.events();
        handle.lock().unwrap().take().unwrap().control(Control::HangUp);
        while events.recv_timeout(AT_ONCE).unwrap() != Event::PortBack {}
        assert_eq!(modem.statistics().port_losses, losses);
    }
    modem.wait_ready(SOON).unwrap();
    modem.close();
    assert_eq!(calls.load(Ordering::SeqCst), 7);
}

/// A modem whose first port is lost at once. Each later call of its source is reported, and then waits.
fn slow_source() -> (Modem, Receiver<()>, Sender<()>) {
    let (called, calls) = unbounded();
    let (release, wait) = unbounded::<()>();
    let mut first = true;
    let source = move || -> io::Result<(Box<dyn io::Read + Send>, Box<dyn io::Write + Send>)> {
        if std::mem::take(&mut first) {
            let modem = Simulator::new(Settings::default(), MemoryNetwork::new());
            let (reader, writer, handle) = serve::in_process(modem)?;
            handle.control(Control::HangUp);
            return Ok((Box::new(reader), Box::new(writer)));
        }
        called.send(()).unwrap();
        let _ = wait.recv_timeout(SOON);
        Err(ErrorKind::NotFound.into())
    };
    (Modem::start_from(source, Config::default()).unwrap(), calls, release)
}

/// Regression: the thread that serves the deadlines of futures also opened ports.
#[test]
fn a_slow_open_of_a_port_delays_no_deadline() {
    let (modem, calls, release) = slow_source();
    calls.recv_timeout(SOON).unwrap();
    let began = Instant::now();
    let modem = AsyncModem::from(modem);
    let ready = block_on(modem.wait_ready(Duration::from_millis(300)));
    assert!(matches!(ready, Err(Error::NotReady(NotReady::NoPort))));
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    drop(release);
}

/// A supervisor whose calls wait for minutes, with its modem and an address to connect to.
fn busy_supervisor(policy: Policy) -> (Modem, Supervisor, SocketAddr) {
    // The module never registers, so no connection is made.
    let mut settings = Settings::default();
    settings.boot = Boot::Cold;
    settings.registration_time = Duration::from_secs(100_000);
    let (reader, writer, _handle) =
        serve::in_process(Simulator::new(settings, MemoryNetwork::new())).unwrap();
    let modem = Modem::start(reader, writer, Config::default()).unwrap();
    (modem.clone(), Supervisor::new(modem, policy), ([127, 0, 0, 1], 7).into())
}

#[test]
fn closing_the_modem_ends_every_wait_at_once() {
    let long = Duration::from_secs(600);
    let pause = Policy::default().pause(long).ready_timeout(Duration::from_millis(100));
    let flight = pause.clone().ladder([(Rung::FlightMode(long), 1)]);
    for policy in [pause, flight, Policy::default().ready_timeout(long)] {
        let (modem, supervisor, address) = busy_supervisor(policy);
        let steps = supervisor.events();
        let host = address.ip().to_string();
        let (for_recv, for_send) = (supervisor.clone(), supervisor.clone());
        let (one, two, three) = (host.clone(), host.clone(), host.clone());
        let direct = modem.clone();
        let waits = [
            thread::spawn(move || drop(for_recv.tcp(one, 7).recv(long))),
            thread::spawn(move || drop(for_send.tcp(two, 7).send(b"x", long))),
            thread::spawn(move || drop(supervisor.connect((three, 7), long))),
            thread::spawn(move || drop(direct.tcp().timeout(long).connect((host, 7)))),
        ];
        // Waits until the supervisor takes a step or waits for the module.
        drop(steps.recv_timeout(Duration::from_millis(700)));
        let began = Instant::now();
        modem.close();
        waits.into_iter().for_each(|wait| wait.join().unwrap());
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
}

#[test]
fn closing_a_modem_without_a_port_ends_every_wait_at_once() {
    let mut plug = Plug::new("away");
    plug.plug_in();
    let modem = Modem::open(plug.path(), Config::default()).unwrap();
    modem.wait_ready(SOON).unwrap();
    let events = modem.events();
    plug.pull_out();
    while events.recv_timeout(AT_ONCE).unwrap() != Event::PortLost {}
    let waiting = modem.clone();
    let wait = thread::spawn(move || waiting.wait_ready(Duration::from_secs(600)));
    let began = Instant::now();
    modem.close();
    assert!(matches!(wait.join().unwrap(), Err(Error::PortLost(_) | Error::NotReady(_))));
    assert!(began.elapsed() < Duration::from_secs(2));
    assert!(modem.is_closed());
}

#[test]
fn a_modem_in_process_is_unplugged_and_comes_back() {
    let mut network = MemoryNetwork::new();
    network.serve("echo.test", 7, Peer::echo());
    let (reader, writer, handle) = serve::in_process(Simulator::new(quick_start(), network)).unwrap();
    let (mut first, again) = (Some((reader, writer)), handle.clone());
    let source = move || {
        let (reader, writer) = first.take().map_or_else(|| again.open(), Ok)?;
        Ok((Box::new(reader) as _, Box::new(writer) as _))
    };
    let modem = Modem::start_from(source, Config::default()).unwrap();
    let events = modem.events();
    let until = |wanted: Event| {
        while events.recv_timeout(SOON).unwrap() != wanted {}
    };
    for control in [Control::Unplug, Control::UsbRestart(Duration::from_millis(50)), Control::Unplug] {
        modem.wait_ready(SOON).unwrap();
        let mut socket = modem.tcp().connect(("echo.test", 7)).unwrap();
        socket.write_all(b"hello").unwrap();
        socket.read_exact(&mut [0; 5]).unwrap();
        assert_eq!(handle.open().unwrap_err().kind(), ErrorKind::ResourceBusy);
        handle.control(control.clone());
        until(Event::PortLost);
        assert!(socket.read(&mut [0]).is_err());
        if control == Control::Unplug {
            assert_eq!(handle.open().unwrap_err().kind(), ErrorKind::NotFound);
            handle.control(Control::Replug(None));
        }
        until(Event::PortBack);
    }
    modem.wait_ready(SOON).unwrap();
    handle.control(Control::HangUp);
    until(Event::PortLost);
    assert_eq!(handle.open().unwrap_err().kind(), ErrorKind::NotFound, "the simulated modem has ended");
    modem.close();
}
