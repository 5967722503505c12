//! The reports of a network's threads to the simulator.

use std::io;
use std::net::{IpAddr, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crossbeam_channel::Sender;

use crate::sim::network::{Link, NetworkEvent, Waker};

/// A report of a thread.
#[derive(Debug)]
pub(super) enum Report {
    /// A TCP connection is open.
    Stream { link: Link, stream: TcpStream },
    /// A UDP socket to this peer is ready.
    Socket { link: Link, socket: UdpSocket, address: IpAddr },
    /// Any other event.
    Event(NetworkEvent),
}

/// Each thread's channel to the simulator. A thread has at most a few unread messages for each link, so the channel
/// needs no limit.
#[derive(Clone)]
pub(super) struct Reporter {
    reports: Sender<Report>,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl Reporter {
    pub(super) fn new(reports: Sender<Report>) -> Self {
        Self { reports, waker: Arc::default() }
    }

    pub(super) fn set_waker(&self, waker: Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }

    pub(super) fn say(&self, report: Report) {
        // The receiver is dropped: the simulator has ended.
        if self.reports.send(report).is_err() {
            return;
        }
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = waker {
            waker();
        }
    }

    pub(super) fn event(&self, event: NetworkEvent) {
        self.say(Report::Event(event));
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").finish_non_exhaustive()
    }
}

/// Starts a thread with a name for debuggers.
pub(super) fn spawn(name: &str, link: u64, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let name = format!("sim-{name}-{link}");
    thread::Builder::new().name(name).spawn(work).map(drop)
}
