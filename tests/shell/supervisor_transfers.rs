//! Eight connections that carry data continuously, over a pseudo-terminal with real TCP behind the modem. Three events
//! end them: a reset by the peer, a loss of the bearer, a restart of the module. Each event is one gap on each
//! connection, and no byte is wrong.
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

/// A limit: the awaited event comes within seconds, or the test fails.
const SOON: Duration = Duration::from_secs(60);
const WORKERS: usize = 8;
const BLOWS: u64 = 3;
/// The number of records that each connection carries before the next event.
const RECORDS: usize = 5;

/// An echo server that resets its connections while the flag is set.
fn server(resets: &Arc<AtomicBool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let resets = Arc::clone(resets);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let resets = Arc::clone(&resets);
            // The reset ends connections from before the flag was set, and not later ones.
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
            // The close of a connection with a linger time of zero is a reset.
            rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
            return;
        }
        if stream.write_all(&buf[..count]).is_err() {
            return;
        }
    }
}

/// A thread with a reconnecting socket.
struct Worker {
    number: usize,
    socket: ReconnectingSocket,
    /// The bytes sent and received on the present connection.
    sent: Vec<u8>,
    received: Vec<u8>,
    /// The bytes sent after a gap that has not been read yet.
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
        // A send belongs to the connection that existed before the call, whatever its result.
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

    /// Checks the report of a gap. The missing bytes are the last ones sent. Acknowledged bytes may still lack their
    /// echo.
    fn gap(&mut self, gap: &Gap) {
        self.gaps += 1;
        assert_eq!(gap.number, self.gaps, "{gap:?}");
        let Missing::Unacknowledged { last, before } = &gap.missing else { panic!("{gap:?}") };
        assert!(
            self.sent.ends_with(last),
            "worker {}: the missing bytes are not the last ones sent",
            self.number
        );
        assert!(
            last.len() as u64 + before <= self.sent.len() as u64,
            "more bytes are missing than were sent: {gap:?}"
        );
        let unechoed = self.sent.len() - self.received.len();
        assert!(unechoed > 0, "the connection did not end during a transfer");
        (self.sent, self.received, self.records) = (std::mem::take(&mut self.ahead), Vec::new(), 0);
    }
}

/// Waits until each worker has carried its records after this number of gaps.
fn all_carry(progress: &Receiver<(usize, u64)>, gaps: u64) {
    let mut carried = [false; WORKERS];
    while !carried.iter().all(|done| *done) {
        let (number, after) = progress.recv_timeout(SOON).unwrap();
        assert!(after <= gaps, "worker {number} had {after} gaps, and {gaps} events have happened");
        carried[number] |= after == gaps;
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
