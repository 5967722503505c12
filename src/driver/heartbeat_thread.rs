//! The thread that calls the functions of heartbeats.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use crossbeam_channel::Receiver;

use crate::proto::{Beat, Request, SocketId};

use super::heartbeat_functions::{HeartbeatFunction, Job};
use super::shared::Shared;
use super::thread;

/// Starts the thread.
pub(super) fn start(shared: &Arc<Shared>, jobs: Receiver<Job>) -> io::Result<()> {
    let shared = Arc::downgrade(shared);
    thread::spawn("air724ug-beats", Box::new(move || run(&shared, &jobs)))
}

fn run(shared: &Weak<Shared>, jobs: &Receiver<Job>) {
    for job in jobs {
        // The panic hook reports the panic.
        let done = catch_unwind(AssertUnwindSafe(|| match job {
            Job::Ask(socket, count, function) => ask(shared, socket, count, function),
            Job::Release(function) => drop(function),
        }));
        if done.is_err() {
            log::warn!("what a heartbeat's function owned panicked when it was dropped");
        }
    }
}

/// Calls the function of one heartbeat and gives its payload to the core.
fn ask(shared: &Weak<Shared>, socket: SocketId, count: u64, function: Arc<HeartbeatFunction>) {
    let words = catch_unwind(AssertUnwindSafe(|| function(count))).ok();
    let Some(shared) = shared.upgrade() else { return };
    let mut core = shared.lock();
    // The heartbeat may have been changed while its function ran.
    if !core.heartbeats.is_said_by(socket, &function) {
        return;
    }
    let panicked = words.is_none();
    if panicked {
        log::warn!("the function of a heartbeat on {socket:?} panicked: the heartbeat ends");
        core.heartbeats.release(socket);
    }
    core.submit(shared.now(), Request::Beat { socket, beat: Beat { count, words } });
    shared.leave_to_thread(&mut core);
}
