//! Eight connections that carry data all the time, over a pseudo-terminal with real TCP behind it, and what ends them:
//! the peer's reset, the loss of the bearer, a restart of the module. Each is one gap on each connection, and no byte is
//! wrong.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use air724ug::sim::{Control, HostNetwork, Simulator, serve};
use air724ug::supervisor::{Gap, Missing, Policy, ReconnectingSocket, Supervisor};
use air724ug::{Config, Error, Modem, Received};
use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::support::quick_start::quick_start;

/// A ceiling for what takes seconds at most.
const SOON: Duration = Duration::from_secs(60);
const WORKERS: usize = 8;
const BLOWS: u64 = 3;
/// Records that each connection has carried before the next blow falls.
const RECORDS: usize = 5;

/// Echoes; resets its connections while it is told to.
fn server(resets: &Arc<AtomicBool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let resets = Arc::clone(resets);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let resets = Arc::clone(&resets);
            // What was made before the blow is hit by it; what comes behind it is not.
            let spared = resets.load(Ordering::SeqCst);
            thread::spawn(move || echo(stream, spared, &resets));
        }
    });
    address
}

fn echo(mut stream: TcpStream, spared: bool, resets: &AtomicBool) {
    let mut buf = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buf) {
        if !spared && resets.load(Ordering::SeqCst) {
            // Closed without lingering, a connection is reset.
            rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
            return;
        }
        if stream.write_all(&buf[..count]).is_err() {
            return;
        }
    }
}

/// One connection after the other of a socket.
struct Worker {
    number: usize,
    socket: ReconnectingSocket,
    /// What was sent and received on the connection that stands.
    sent: Vec<u8>,
    received: Vec<u8>,
    /// What was sent on a connection since a gap that is not read yet.
    ahead: Vec<u8>,
    records: usize,
    gaps: u64,
    progress: Sender<(usize, u64)>,
}

impl Worker {
    fn run(mut self) {
        while self.gaps < BLOWS || self.records < RECORDS {
            self.send_record();
            self.read_echo();
        }
        self.socket.close().unwrap();
    }

    fn send_record(&mut self) {
        let record = format!("{}:{}:{:0>600};", self.number, self.gaps, self.records);
        let before = self.socket.gaps();
        match self.socket.send(record.as_bytes(), SOON) {
            Ok(()) => {}
            Err(Error::Gap { number }) => assert_eq!(number, self.socket.gaps()),
            Err(error) => panic!("worker {}: {error}", self.number),
        }
        // Sent on the connection that stood before the call, whatever became of it.
        if before == self.gaps { &mut self.sent } else { &mut self.ahead }.extend(record.bytes());
    }

    fn read_echo(&mut self) {
        while self.received.len() < self.sent.len() {
            match self.socket.recv(SOON).unwrap() {
                Received::Data(data) => {
                    self.received.extend(data);
                    assert!(self.sent.starts_with(&self.received), "worker {}: a wrong byte", self.number);
                }
                Received::Gap(gap) => return self.gap(&gap),
                Received::Timeout => panic!("worker {}: nothing came after {} gaps", self.number, self.gaps),
            }
        }
        self.records += 1;
        if self.records == RECORDS {
            self.progress.send((self.number, self.gaps)).unwrap();
        }
    }

    /// What is reported as missing is the end of what was sent. What was acknowledged may still lack its echo.
    fn gap(&mut self, gap: &Gap) {
        self.gaps += 1;
        assert_eq!(gap.number, self.gaps, "{gap:?}");
        let Missing::Unacknowledged { last, before } = &gap.missing else { panic!("{gap:?}") };
        assert!(self.sent.ends_with(last), "worker {}: what is missing was not sent so", self.number);
        assert!(
            last.len() as u64 + before <= self.sent.len() as u64,
            "more is missing than was sent: {gap:?}"
        );
        let unechoed = self.sent.len() - self.received.len();
        assert!(unechoed > 0, "it ended in the middle of a transfer");
        (self.sent, self.received, self.records) = (std::mem::take(&mut self.ahead), Vec::new(), 0);
    }
}

/// Waits until each worker has carried its records behind this number of gaps.
fn all_carry(progress: &Receiver<(usize, u64)>, gaps: u64) {
    let mut carried = [false; WORKERS];
    while !carried.iter().all(|done| *done) {
        let (number, behind) = progress.recv_timeout(SOON).unwrap();
        assert!(behind <= gaps, "worker {number} had {behind} gaps, and {gaps} blows have fallen");
        carried[number] |= behind == gaps;
    }
}

#[test]
fn eight_transfers_survive_a_reset_a_lost_bearer_and_a_restart_with_every_gap_reported() {
    let pty = serve::Pty::open().unwrap();
    let path = pty.path().display().to_string();
    let (remote, inbox) = serve::remote().unwrap();
    thread::spawn(move || serve::run(Simulator::new(quick_start(), HostNetwork::new()), pty, inbox));
    let modem = Modem::open(&path, Config::default()).unwrap();
    let policy = Policy::default().pause(Duration::from_millis(20)).ready_timeout(Duration::from_secs(30));
    let supervisor = Supervisor::new(modem, policy);
    let resets = Arc::new(AtomicBool::new(false));
    let address = server(&resets);

    let (progress, carried) = unbounded();
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| {
            let worker = Worker {
                number,
                socket: supervisor.tcp(address.ip().to_string(), address.port()),
                sent: Vec::new(),
                received: Vec::new(),
                ahead: Vec::new(),
                records: 0,
                gaps: 0,
                progress: progress.clone(),
            };
            thread::spawn(move || worker.run())
        })
        .collect();

    all_carry(&carried, 0);
    resets.store(true, Ordering::SeqCst);
    all_carry(&carried, 1);
    assert!(remote.send(Control::PdpLost));
    all_carry(&carried, 2);
    assert!(remote.send(Control::Reset));
    all_carry(&carried, 3);
    for worker in workers {
        worker.join().unwrap();
    }
}
